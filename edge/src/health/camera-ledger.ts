import type { CameraInterval, CameraStateName, CameraStateReason } from '@ngatu/contract';

/** After a stream begins the rules need this long to know who comes from where, ms. */
export const WARM_UP_MS = 2000;
/** Analysed frames further apart than this leave a hole in between, ms. */
const MAX_FRAME_GAP_MS = 2000;
/** From this share of dropped frames on the analysis is degraded. */
const DEGRADED_DROP_SHARE = 0.25;

/** Frames counted since the camera was started. */
export interface FrameCounts {
  readonly decoded: number;
  readonly analysed: number;
  readonly dropped: number;
}

interface Stream {
  /** Before this the rules only watch. */
  readonly warmUntilMs: number;
  lastFrameMs: number;
}

interface OpenInterval {
  fromMs: number;
  toMs: number;
  state: CameraStateName;
  reason: CameraStateReason | undefined;
}

/**
 * Accounts every millisecond of a camera as analysed, degraded or blind (DESIGN invariant 4). Time counts as analysed only
 * once every rule has decided about it (`horizonMs`): what a crash would leave undecided is then blind, not forgotten.
 * Pure; all times are on the node's clock, ms since 1970.
 */
export class CameraLedger {
  readonly #horizonMs: number;
  #coveredMs: number;
  #blindReason: CameraStateReason;
  #stream: Stream | undefined;
  #signalUnreadable = false;
  #overloaded = false;
  #intervals: OpenInterval[] = [];
  #lastCounts: FrameCounts = { decoded: 0, analysed: 0, dropped: 0 };

  /**
   * @param start `coveredMs` is where the ledger of the process before ended, so that the time in between is blind; a
   *   camera that is new has none.
   */
  constructor(start: { nowMs: number; coveredMs?: number; horizonMs: number }) {
    this.#horizonMs = start.horizonMs;
    this.#coveredMs = Math.min(start.coveredMs ?? start.nowMs, start.nowMs);
    this.#blindReason = start.coveredMs === undefined ? 'warming-up' : 'agent-restarted';
  }

  /** Up to here the ledger is written or ready to be cut. */
  get coveredMs(): number {
    return this.#coveredMs;
  }

  /** A stream began: pictures come, and the rules start from nothing. */
  startStream(nowMs: number): void {
    this.endStream(this.#blindReason);
    this.#advance(nowMs, 'blind', this.#blindReason);
    this.#stream = { warmUntilMs: nowMs + WARM_UP_MS, lastFrameMs: nowMs };
  }

  /** The stream is gone; what was not decided yet is blind. */
  endStream(reason: CameraStateReason): void {
    this.#blindReason = reason;
    this.#stream = undefined;
  }

  /** A frame was analysed. `signalUnreadable`: a lamp that a rule needs cannot be read. */
  addFrame(capturedAtMs: number, signalUnreadable: boolean): void {
    const stream = this.#stream;
    if (stream === undefined || capturedAtMs <= stream.lastFrameMs) return;
    if (capturedAtMs - stream.lastFrameMs > MAX_FRAME_GAP_MS) {
      this.#settle(stream.lastFrameMs);
      this.#advance(capturedAtMs, 'blind', 'frames-dropped');
    }
    if (signalUnreadable !== this.#signalUnreadable) {
      this.#settle(capturedAtMs - this.#horizonMs);
      this.#signalUnreadable = signalUnreadable;
    }
    stream.lastFrameMs = capturedAtMs;
    this.#settle(capturedAtMs - this.#horizonMs);
  }

  /** True where an event of this instant falls into time that is, or will be, accounted as looked at. */
  isWatched(capturedAtMs: number): boolean {
    return this.#stream !== undefined && capturedAtMs >= this.#stream.warmUntilMs;
  }

  /** Closes the books up to now and returns what is new since the last cut, oldest first. */
  cut(nowMs: number, counts: FrameCounts): CameraInterval[] {
    if (this.#stream === undefined) this.#advance(nowMs, 'blind', this.#blindReason);
    const delta = subtract(counts, this.#lastCounts);
    this.#lastCounts = counts;
    this.#overloaded = delta.dropped > DEGRADED_DROP_SHARE * Math.max(1, delta.analysed + delta.dropped);
    const intervals = this.#intervals;
    this.#intervals = [];
    return intervals.map((interval, index) =>
      toInterval(interval, index === intervals.length - 1 ? delta : undefined),
    );
  }

  /** Accounts decided time of the running stream. */
  #settle(untilMs: number): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#advance(Math.min(untilMs, stream.warmUntilMs), 'blind', 'warming-up');
    if (this.#signalUnreadable) this.#advance(untilMs, 'degraded', 'signal-unreadable');
    else if (this.#overloaded) this.#advance(untilMs, 'degraded', 'frames-dropped');
    else this.#advance(untilMs, 'analysed', undefined);
  }

  #advance(untilMs: number, state: CameraStateName, reason: CameraStateReason | undefined): void {
    const toMs = Math.floor(untilMs);
    if (toMs <= this.#coveredMs) return;
    const last = this.#intervals.at(-1);
    if (last !== undefined && last.state === state && last.reason === reason) last.toMs = toMs;
    else this.#intervals.push({ fromMs: this.#coveredMs, toMs, state, reason });
    this.#coveredMs = toMs;
  }
}

function subtract(a: FrameCounts, b: FrameCounts): FrameCounts {
  return {
    decoded: Math.max(0, a.decoded - b.decoded),
    analysed: Math.max(0, a.analysed - b.analysed),
    dropped: Math.max(0, a.dropped - b.dropped),
  };
}

/** The frames since the last cut stand on the newest interval; the sum over a period is what counts. */
function toInterval(interval: OpenInterval, counts: FrameCounts | undefined): CameraInterval {
  return {
    from: new Date(interval.fromMs).toISOString(),
    to: new Date(interval.toMs).toISOString(),
    state: interval.state,
    ...(interval.reason === undefined ? {} : { reason: interval.reason }),
    framesDecoded: counts?.decoded ?? 0,
    framesAnalysed: counts?.analysed ?? 0,
    framesDropped: counts?.dropped ?? 0,
  };
}
