import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, type ReadingQuality } from '@ngatu/contract';
import type { Logger } from 'pino';
import { openTfjsEngine, type TfjsEngine } from '../model/tfjs-engine.ts';
import { AnomalyEpisode } from './anomaly-episode.ts';
import { SeriesDetector } from './series-detector.ts';
import { decodeSeriesFile, encodeSeriesFile } from './series-file.ts';
import type { SeriesFinding } from './series-finding.ts';
import { type TrainingBudget, TrainingMeter } from './training-meter.ts';
import { writeWholeFile } from './whole-file.ts';

/** Evidence from which a reading is a finding; chosen on generated series (docs/anomalies.md). */
const FINDING_EVIDENCE = 6.1;
/** Readings that come more often are averaged into steps of this length, ms. */
const STEP_MS = 60_000;
const SERIES_MAX = 256;
const TRAIN_EVERY_MS = 1_000;
const SAVE_EVERY_MS = 600_000;

export interface SeriesReading {
  /** Names the series among all of the node, such as `gate-1/waterLevel`. */
  readonly series: string;
  readonly atMs: number;
  readonly value: number;
  readonly unit?: string;
  /** Only what is `good`, or says nothing, is judged and learned. */
  readonly quality?: ReadingQuality;
}

export interface SeriesWatchOptions {
  /** Where what was learned is kept; made where it is not there. */
  readonly folder: string;
  readonly logger: Logger;
  /** Series at most; further ones are named once in the log and not watched. */
  readonly seriesMax?: number;
  readonly budget?: Partial<TrainingBudget>;
  /** Evidence from which a reading is a finding. */
  readonly findingEvidence?: number;
}

interface WatchedSeries {
  readonly detector: SeriesDetector;
  readonly episode: AnomalyEpisode;
  readonly step: { sum: number; count: number; judgedAtMs: number };
  isChanged: boolean;
}

/**
 * Watches the series of a node: judges each reading as it comes, learns in the background within a budget of CPU time, and keeps on
 * disk what was learned. Readings are averaged into steps of a minute where they come more often.
 */
export class SeriesWatch {
  readonly #options: SeriesWatchOptions;
  readonly #series = new Map<string, WatchedSeries>();
  readonly #refused = new Set<string>();
  readonly #meter: TrainingMeter;
  #trainNext = 0;

  private constructor(options: SeriesWatchOptions) {
    this.#options = options;
    this.#meter = new TrainingMeter(options.budget);
  }

  /** @throws the system's error where the folder cannot be made */
  static open(options: SeriesWatchOptions): SeriesWatch {
    mkdirSync(options.folder, { recursive: true });
    return new SeriesWatch(options);
  }

  /** CPU time that training took so far, ms, and the gradient steps taken. */
  get training(): { readonly spentMs: number; readonly steps: number } {
    return { spentMs: this.#meter.spentMs, steps: this.#meter.steps };
  }

  /**
   * Judges a reading in well under a millisecond (the first one of a series reads its file). A reading of doubtful quality, one that is
   * no number and one out of order are left out: to the model they are a gap.
   */
  observe(reading: SeriesReading): SeriesFinding | undefined {
    const { quality = 'good', value, atMs } = reading;
    if (quality !== 'good' || !Number.isFinite(value) || !Number.isFinite(atMs)) return undefined;
    const watched = this.#open(reading.series);
    if (watched === undefined) return undefined;
    const { step } = watched;
    if (atMs < step.judgedAtMs) return undefined;
    step.sum += value;
    step.count++;
    if (atMs - step.judgedAtMs < STEP_MS) return undefined;
    const mean = step.sum / step.count;
    Object.assign(step, { sum: 0, count: 0, judgedAtMs: atMs });
    return this.#judge(reading, watched, mean);
  }

  /**
   * Learns for a moment, where the budget allows it: some tens of milliseconds on this thread. Resolves to true where steps still wait.
   */
  async train(): Promise<boolean> {
    const waiting = [...this.#series.values()].filter(({ detector }) => detector.stepsWaiting > 0);
    if (waiting.length === 0 || !this.#meter.mayBegin()) return waiting.length > 0;
    const tf = await openTfjsEngine();
    const watched = waiting[this.#trainNext++ % waiting.length];
    if (watched !== undefined) this.#trainOne(tf, watched);
    return true;
  }

  /** Trains each second and saves each ten minutes until the signal; then saves once more. Failures to save are logged. */
  async run(signal: AbortSignal): Promise<void> {
    let savedAtMs = performance.now();
    while (!signal.aborted) {
      await this.train();
      await pause(TRAIN_EVERY_MS, signal);
      if (performance.now() - savedAtMs < SAVE_EVERY_MS) continue;
      savedAtMs = performance.now();
      this.save();
    }
    this.save();
  }

  /** Writes what has changed, each file whole or not at all. A file that cannot be written is logged and tried again next time. */
  save(): void {
    for (const [series, watched] of this.#series) {
      if (!watched.isChanged) continue;
      try {
        const state = watched.detector.list();
        const arrays = { ...state.arrays, episode: watched.episode.list() };
        writeWholeFile(this.#fileOf(series), encodeSeriesFile(series, { ...state, arrays }));
        watched.isChanged = false;
      } catch (error) {
        this.#options.logger.warn(
          { code: 'LEARNED_STATE_UNWRITTEN', series },
          `Cannot keep what was learned of ${series}: ${errorMessage(error)}`,
        );
      }
    }
  }

  #judge(reading: SeriesReading, watched: WatchedSeries, value: number): SeriesFinding | undefined {
    const { detector, episode } = watched;
    watched.isChanged = true;
    const judgement = detector.observe(reading.atMs, value);
    if (judgement === undefined) return undefined;
    const { evidence, cause, usual, next, regimeSinceMs } = judgement;
    const facts = {
      series: reading.series,
      atMs: reading.atMs,
      value,
      ...(reading.unit === undefined ? {} : { unit: reading.unit }),
      cause,
      usual,
      next,
      evidence,
      modelVersion: detector.version,
    };
    const told = episode.take(evidence);
    if (regimeSinceMs !== undefined) {
      episode.clear();
      return { kind: 'regimeChange', sinceMs: regimeSinceMs, ...facts };
    }
    const isFinding = told >= (this.#options.findingEvidence ?? FINDING_EVIDENCE);
    return isFinding ? { kind: 'anomaly', ...facts } : undefined;
  }

  #trainOne(tf: TfjsEngine, watched: WatchedSeries): void {
    this.#meter.begin();
    const steps = watched.detector.train(tf, () => this.#meter.mayGoOn());
    this.#meter.end(steps);
    if (steps > 0) watched.isChanged = true;
  }

  #open(series: string): WatchedSeries | undefined {
    const known = this.#series.get(series);
    if (known !== undefined) return known;
    const { seriesMax = SERIES_MAX, logger } = this.#options;
    if (this.#series.size >= seriesMax) {
      if (this.#refused.size < seriesMax && !this.#refused.has(series)) {
        this.#refused.add(series);
        logger.warn(
          { series, seriesMax },
          `Cannot watch ${series} for anomalies: ${seriesMax} series are watched`,
        );
      }
      return undefined;
    }
    const fresh = {
      episode: new AnomalyEpisode(),
      step: { sum: 0, count: 0, judgedAtMs: 0 },
      isChanged: false,
    };
    const kept = this.#load(series);
    const watched = { ...fresh, detector: kept?.detector ?? new SeriesDetector(computeSeed(series)) };
    if (kept !== undefined) watched.episode.restore(kept.episode);
    this.#series.set(series, watched);
    return watched;
  }

  #load(series: string): { detector: SeriesDetector; episode: Float64Array } | undefined {
    const file = this.#fileOf(series);
    const begin = (why: string): undefined => {
      const text = `Cannot go on with what was learned of ${series}, it is learned anew: ${why}`;
      this.#options.logger.warn({ code: 'LEARNED_STATE_INVALID', series, file }, text);
    };
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : begin(errorMessage(error));
    }
    const state = decodeSeriesFile(series, bytes);
    if (typeof state === 'string') return begin(state);
    const detector = SeriesDetector.restore(state);
    if (detector === undefined) return begin('its numbers do not fit each other');
    return { detector, episode: Float64Array.from(state.arrays['episode'] ?? []) };
  }

  #fileOf(series: string): string {
    return join(
      this.#options.folder,
      `${createHash('sha256').update(series).digest('hex').slice(0, 32)}.series`,
    );
  }
}

function computeSeed(series: string): number {
  return createHash('sha256').update(series).digest().readUInt32LE();
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
