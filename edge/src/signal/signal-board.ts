import type { SignalHead, SignalSource, SignalState } from '@ngatu/contract';
import type { LampReading } from './lamp-reader.ts';
import { LampSource } from './lamp-source.ts';
import { mergePhases, type Testimony } from './phase-merge.ts';
import type { PhaseSource } from './phase-record.ts';
import { SourceComparison } from './source-comparison.ts';

/** A source of one signal beside its lamp, with the bounds of the profile within which it must agree. */
export interface ExternalSignal extends Pick<SignalSource, 'lamp' | 'maxOffsetMs' | 'maxDisagreementMs'> {
  readonly signal: string;
  readonly source: PhaseSource;
}

/** Where a picture stands in its session and on the node's clock. */
interface Moment {
  /** Presentation time within the session, ms. */
  readonly mediaTimeMs: number;
  /** The same on the node's clock, ms since 1970. */
  readonly capturedAtMs: number;
  /** Bound on the error of `capturedAtMs`, ms. */
  readonly clockErrorMs: number;
}

/** What a signal shows, as the rules see it; instants in media time, ms. */
interface BoardView {
  readonly state: SignalState;
  readonly sinceMs: number;
  readonly confidence: number;
  readonly onsetSeen: boolean;
}

/** How the sources of a signal stand to each other. */
export interface SignalCheck {
  readonly signal: string;
  /** Sources that say something now. */
  readonly sources: readonly PhaseSource['name'][];
  /** `single`: one source alone speaks and nothing checks it. `silent`: none does. */
  readonly outcome: 'agrees' | 'single' | 'disagrees' | 'silent';
  /** How much later the second source changes than the first one, ms; absent before three common changes. */
  readonly offsetMs?: number;
}

/** A picture whose instant is less certain than this cannot be laid beside a clock, ms: only its lamps count. */
const MAX_CLOCK_ERROR_MS = 1_000;

interface BoardSignal {
  readonly lamp: LampSource;
  readonly externals: readonly PhaseSource[];
  /** All that count, the lamp first. */
  readonly sources: readonly PhaseSource[];
  readonly comparisons: readonly SourceComparison[];
}

/**
 * What every signal of a camera shows, from all its sources: the lamp in the picture, a controller, contacts. Red counts only
 * where each source that speaks says red, from the latest onset on and short of every error. Sources that differ for too long
 * leave the signal unknown, from when they began to differ until they have agreed again. Pure; one a session.
 */
export class SignalBoard {
  readonly #signals: ReadonlyMap<string, BoardSignal>;
  /** Instant of media time 0 on the node's clock, ms since 1970. */
  #anchorMs = 0;
  #nowMs = 0;
  #clockErrorMs = Number.POSITIVE_INFINITY;

  constructor(heads: readonly SignalHead[], externals: readonly ExternalSignal[] = []) {
    this.#signals = new Map(heads.map(({ name }) => [name, openSignal(name, externals)]));
  }

  /** Takes the next picture's readings, by signal, in order of presentation. */
  addFrame(moment: Moment, readings: ReadonlyMap<string, LampReading>): void {
    this.#anchorMs = moment.capturedAtMs - moment.mediaTimeMs;
    this.#nowMs = moment.capturedAtMs;
    this.#clockErrorMs = moment.clockErrorMs;
    for (const [name, { lamp, comparisons }] of this.#signals) {
      lamp.add(readings.get(name), moment.mediaTimeMs, this.#anchorMs);
      if (this.#isClockGood) for (const comparison of comparisons) comparison.update(this.#nowMs);
    }
  }

  /** What a signal showed at a media time; undefined where it is not known, or its sources contradict each other. */
  signalAt(name: string, mediaTimeMs: number): BoardView | undefined {
    const signal = this.#signals.get(name);
    if (signal === undefined) return undefined;
    const reading = signal.lamp.readingAt(mediaTimeMs);
    if (signal.externals.length === 0) return reading;
    const atMs = mediaTimeMs + this.#anchorMs;
    if (signal.comparisons.some((comparison) => comparison.isSuspendedAt(atMs))) return undefined;
    const merged = mergePhases(this.#listTestimonies(signal), atMs);
    if (merged === undefined) return undefined;
    const isRead = signal.sources.includes(signal.lamp) && reading?.state === merged.state;
    const { state, sinceMs, onsetSeen } = merged;
    return {
      state,
      sinceMs: sinceMs - this.#anchorMs,
      onsetSeen,
      confidence: isRead ? reading.confidence : 1,
    };
  }

  /** How the sources stand to each other now, of each signal that has more than its lamp. */
  listChecks(): SignalCheck[] {
    const checks: SignalCheck[] = [];
    for (const [signal, { externals, comparisons, ...rest }] of this.#signals) {
      if (externals.length === 0) continue;
      const speaking = this.#listTestimonies({ externals, comparisons, ...rest }).filter(
        ({ source }) => source.phaseAt(this.#nowMs) !== undefined,
      );
      const disagrees = comparisons.some((comparison) => comparison.isSuspendedAt(this.#nowMs));
      const alone = speaking.length === 0 ? 'silent' : 'single';
      const offsetMs = comparisons.find((comparison) => comparison.offsetMs !== undefined)?.offsetMs;
      checks.push({
        signal,
        sources: speaking.map(({ source }) => source.name),
        outcome: disagrees ? 'disagrees' : speaking.length > 1 ? 'agrees' : alone,
        ...(offsetMs === undefined ? {} : { offsetMs }),
      });
    }
    return checks;
  }

  get #isClockGood(): boolean {
    return this.#clockErrorMs <= MAX_CLOCK_ERROR_MS;
  }

  #listTestimonies({ lamp, sources }: BoardSignal): Testimony[] {
    return sources.flatMap((source) => {
      if (source === lamp) return [{ source, errorMs: 0 }];
      return this.#isClockGood ? [{ source, errorMs: source.errorMs + this.#clockErrorMs }] : [];
    });
  }
}

function openSignal(name: string, all: readonly ExternalSignal[]): BoardSignal {
  const own = all.filter(({ signal }) => signal === name);
  const lamp = new LampSource();
  const externals = own.map(({ source }) => source);
  const sources = own.every((external) => external.lamp === 'check') ? [lamp, ...externals] : externals;
  const bounds = {
    maxOffsetMs: Math.min(...own.map(({ maxOffsetMs }) => maxOffsetMs)),
    maxDisagreementMs: Math.min(...own.map(({ maxDisagreementMs }) => maxDisagreementMs)),
  };
  const comparisons = sources.flatMap((first, index) =>
    sources.slice(index + 1).map((second) => new SourceComparison(first, second, bounds)),
  );
  return { lamp, externals, sources, comparisons };
}
