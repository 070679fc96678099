import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Event,
  type EventKind,
  errorMessage,
  type Measurement,
  NgatuError,
  type Scene,
} from '@ngatu/contract';
import { openVideoSession } from '../camera/video-session.ts';
import type { Detector } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';
import type { HelmetNet } from '../helmet/helmet-net.ts';
import type { OccupantNet } from '../occupant/occupant-net.ts';
import type { LampNet } from '../signal/lamp-net.ts';
import type { Track } from '../track/track.ts';
import { type AnalysedFrame, Analysis } from './analysis.ts';
import { AnnotationScript } from './annotation.ts';
import { buildEvent, type EventOrigin } from './event-builder.ts';

export interface ReplayOptions {
  readonly video: string;
  readonly scene: Scene;
  readonly sceneSha256: string;
  readonly detector: Detector;
  /** Reads lamps beside their colours; absent: colours alone. The caller closes it. */
  readonly lampNet?: LampNet | undefined;
  /** Tells bare heads for rules NO_HELMET; absent: they judge nothing. The caller closes it. */
  readonly helmetNet?: HelmetNet | undefined;
  /** Counts who rides on two-wheelers for rules OVERLOADED; absent: they count boxes of people. The caller closes it. */
  readonly occupantNet?: OccupantNet | undefined;
  /** Instant of the first picture, ms since 1970: the origin of the media clock. */
  readonly startMs: number;
  readonly site: string;
  readonly node: string;
  /** Only every n-th frame is analysed, to see what does not depend on the frame rate; all where it is left out. */
  readonly everyNth?: number;
  readonly onProgress?: (framesAnalysed: number) => void;
  /** Called with every analysed frame, for evaluation. */
  readonly onFrame?: (analysed: AnalysedFrame, picture: Frame) => void;
}

/** A line of `events.jsonl`: the wire event without `detectedAt`, with the decisive source frame on top. */
export type ReplayEvent = Event & { readonly frameIndex: number };

/** A line of `tracks.jsonl`: one analysed frame. `box` is xyxy in source pixels. */
export interface ReplayTracks {
  readonly frameIndex: number;
  readonly capturedAtMs: number;
  readonly tracks: readonly {
    readonly id: number;
    readonly label: string;
    readonly confidence: number;
    readonly box: readonly number[];
  }[];
}

export interface ReplaySummary {
  readonly schemaVersion: 1;
  readonly scene: string;
  readonly sceneSha256: string;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly startedAt: string;
  readonly framesDecoded: number;
  readonly framesAnalysed: number;
  readonly mediaDurationMs: number;
  readonly tracksConfirmed: number;
  readonly eventsByKind: Readonly<Partial<Record<EventKind, number>>>;
  readonly counts: readonly {
    readonly rule: string;
    readonly tripwire: string;
    readonly direction: 'forward' | 'backward';
    readonly label: string;
    readonly count: number;
  }[];
  /** Figures of the traffic windows, oldest first; those at the beginning and the end are of a part of their window. */
  readonly traffic: readonly Measurement[];
  readonly signals: readonly {
    readonly signal: string;
    readonly phases: readonly { state: string; sinceMs: number }[];
  }[];
}

export interface ReplayResult {
  readonly events: readonly ReplayEvent[];
  /** What the exculpatory pass let go, with its reason: no flags. */
  readonly letPassed: readonly ReplayEvent[];
  readonly tracks: readonly ReplayTracks[];
  readonly summary: ReplaySummary;
  readonly annotation: AnnotationScript;
}

/**
 * Runs the pipeline on a file as fast as it goes. Everything that comes out depends on the file, the scene, the model and
 * `startMs` alone: two runs give the same bytes.
 * @throws NgatuError VIDEO_UNREADABLE, SCENE_INVALID (picture of another size), MODEL_INVALID
 */
export async function runReplay(options: ReplayOptions, signal: AbortSignal): Promise<ReplayResult> {
  const { scene } = options;
  const session = openVideoSession(
    {
      session: 'replay',
      input: { kind: 'file', path: options.video, startMs: options.startMs },
      picture: scene.picture,
      analysis: scene.analysis,
      lamps: scene.signals.map(({ name, box }) => ({ signal: name, box })),
      clock: () => options.startMs,
    },
    signal,
  );
  const record = new ReplayRecord(options);
  const analysis = new Analysis(scene, options.detector, {
    lampNet: options.lampNet,
    helmetNet: options.helmetNet,
    occupantNet: options.occupantNet,
  });
  try {
    let taken = 0;
    for await (const picture of session.frames) {
      if (taken++ % (options.everyNth ?? 1) !== 0) continue;
      const analysed = await analysis.process(picture);
      record.add(analysed, picture);
      options.onFrame?.(analysed, picture);
      options.onProgress?.(record.framesAnalysed);
    }
  } finally {
    await session.stop();
  }
  const end = await session.ended;
  if (end.reason === 'failed') throw end.error;
  if (signal.aborted) throw new NgatuError('VIDEO_UNREADABLE', `Cannot finish ${options.video}: stopped`);
  if (record.framesAnalysed === 0) {
    throw new NgatuError('VIDEO_UNREADABLE', `Cannot read ${options.video}: it holds no picture`);
  }
  record.addMeasurements(analysis.finish());
  return record.finish(session.sourceFramesDecoded);
}

class ReplayRecord {
  readonly annotation: AnnotationScript;
  readonly #options: ReplayOptions;
  readonly #events: ReplayEvent[] = [];
  readonly #tracks: ReplayTracks[] = [];
  readonly #confirmed = new Set<number>();
  readonly #counts = new Map<string, number>();
  readonly #phases = new Map<string, { state: string; sinceMs: number }[]>();
  readonly #letPassed: ReplayEvent[] = [];
  readonly #traffic: Measurement[] = [];
  #lastMediaMs = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.annotation = new AnnotationScript(options.scene);
  }

  get framesAnalysed(): number {
    return this.#tracks.length;
  }

  add(analysed: AnalysedFrame, picture: Frame): void {
    const { frame } = analysed;
    this.#lastMediaMs = frame.mediaTimeMs;
    const seen = analysed.tracks.filter((track) => track.state === 'confirmed' && track.seen);
    for (const track of seen) this.#confirmed.add(track.trackId);
    this.#tracks.push({
      frameIndex: frame.index,
      capturedAtMs: Math.round(frame.capturedAtMs * 1000) / 1000,
      tracks: seen.map(toTrackLine),
    });
    const origin = this.#originOf(picture);
    for (const match of analysed.matches) {
      const event = { frameIndex: match.observation.frame.index, ...buildEvent(match, origin) };
      (event.letPass === undefined ? this.#events : this.#letPassed).push(event);
    }
    for (const crossing of analysed.crossings) {
      const key = [crossing.rule, crossing.tripwire, crossing.direction, crossing.label].join('\t');
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
    this.addMeasurements(analysed.measurements);
    for (const [name, view] of analysed.signals) {
      const phases = this.#phases.get(name) ?? [];
      if (phases.at(-1)?.state !== view.state)
        phases.push({ state: view.state, sinceMs: Math.round(view.sinceMs) });
      this.#phases.set(name, phases);
    }
    this.annotation.add(analysed);
  }

  addMeasurements(measurements: readonly Measurement[]): void {
    this.#traffic.push(...measurements);
  }

  finish(framesDecoded: number): ReplayResult {
    const { scene, sceneSha256, detector, startMs } = this.#options;
    const eventsByKind: Partial<Record<EventKind, number>> = {};
    for (const event of this.#events) eventsByKind[event.kind] = (eventsByKind[event.kind] ?? 0) + 1;
    const summary: ReplaySummary = {
      schemaVersion: 1,
      scene: scene.name,
      sceneSha256,
      model: detector.model,
      startedAt: new Date(startMs).toISOString(),
      framesDecoded,
      framesAnalysed: this.framesAnalysed,
      mediaDurationMs: Math.round(this.#lastMediaMs),
      tracksConfirmed: this.#confirmed.size,
      eventsByKind,
      counts: [...this.#counts.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, count]) => {
          const [rule = '', tripwire = '', direction, label = ''] = key.split('\t');
          return {
            rule,
            tripwire,
            direction: direction === 'forward' ? 'forward' : 'backward',
            label,
            count,
          };
        }),
      traffic: this.#traffic,
      signals: [...this.#phases.entries()].map(([name, phases]) => ({ signal: name, phases })),
    };
    return {
      events: this.#events,
      letPassed: this.#letPassed,
      tracks: this.#tracks,
      summary,
      annotation: this.annotation,
    };
  }

  #originOf(picture: Frame): EventOrigin {
    const { scene, sceneSha256, detector, site, node } = this.#options;
    return {
      site,
      node,
      camera: scene.name,
      session: picture.session,
      sourceWidth: picture.sourceWidth,
      sourceHeight: picture.sourceHeight,
      clockErrorMs: 0,
      model: detector.model,
      scene,
      sceneSha256,
    };
  }
}

function toTrackLine(track: Track): ReplayTracks['tracks'][number] {
  return {
    id: track.trackId,
    label: track.label,
    confidence: Math.round(track.confidence * 1000) / 1000,
    box: track.box.map((value) => Math.round(value * 100) / 100),
  };
}

/**
 * Writes `events.jsonl`, `let-pass.jsonl`, `tracks.jsonl` and `summary.json`. Each file is whole or not there.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL
 */
export async function writeReplay(result: ReplayResult, dir: string): Promise<void> {
  const toLines = (rows: readonly unknown[]): string =>
    rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const files: [string, string][] = [
    ['events.jsonl', toLines(result.events)],
    ['let-pass.jsonl', toLines(result.letPassed)],
    ['tracks.jsonl', toLines(result.tracks)],
    ['summary.json', `${JSON.stringify(result.summary, null, 2)}\n`],
  ];
  try {
    await mkdir(dir, { recursive: true });
    for (const [name, content] of files) {
      await writeFile(join(dir, `${name}.part`), content);
      await rename(join(dir, `${name}.part`), join(dir, name));
    }
  } catch (cause) {
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    const message = `Cannot write the replay to ${dir}: ${errorMessage(cause)}`;
    throw new NgatuError(full ? 'DISK_FULL' : 'PERMISSION_DENIED', message, { cause });
  }
}
