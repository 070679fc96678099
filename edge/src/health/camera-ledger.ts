import type { CameraInterval, CameraStateName, CameraStateReason } from '@ngatu/contract';

/**
 * After a stream begins the rules need this long to know who comes from where, ms. Measured on the Hanoi clip with the
 * stream begun at each of its frames: the last event to be found again needs 2.8 s, as its track can only be begun where the
 * detector is sure and is followed further where it is not.
 */
export const WARM_UP_MS = 3000;
/** Analysed frames further apart than this leave a hole in between, ms. */
const MAX_FRAME_GAP_MS = 2000;
/** The node's clock was set where a stream begins this much before, or after, what is accounted already, ms. */
const CLOCK_STEP_MS = 1_000;
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

/** The newest interval of a ledger; half-open, ms since 1970. */
export interface LedgerTail {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: CameraStateName;
  readonly reason?: CameraStateReason;
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
  #impairment: CameraStateReason | undefined;
  #overloaded = false;
  #intervals: OpenInterval[] = [];
  /** Where what was accounted ended when the clock was set forward last, ms since 1970. */
  #leapFromMs: number | undefined;
  #lastCounts: FrameCounts = { decoded: 0, analysed: 0, dropped: 0 };

  /**
   * @param start `tail` is how the ledger of the process before ended and `reportedMs` how far it was cut for good: what
   *   lies between is told now, and the time since is blind. A camera that is new has neither.
   */
  constructor(start: { nowMs: number; tail?: LedgerTail; reportedMs?: number; horizonMs: number }) {
    const { nowMs, tail, reportedMs } = start;
    this.#horizonMs = start.horizonMs;
    this.#coveredMs = Math.min(reportedMs ?? tail?.fromMs ?? nowMs, nowMs);
    const isNew = tail === undefined && reportedMs === undefined;
    this.#blindReason = isNew ? 'warming-up' : 'agent-restarted';
    if (tail === undefined) return;
    this.#advance(Math.min(tail.fromMs, nowMs), 'blind', this.#blindReason);
    this.#advance(Math.min(tail.toMs, nowMs), tail.state, tail.reason);
  }

  /** Up to here the ledger is written or ready to be cut. */
  get coveredMs(): number {
    return this.#coveredMs;
  }

  /** The newest interval that was not cut yet; an empty one where all is cut. */
  get tail(): LedgerTail {
    const last = this.#intervals.at(-1);
    if (last === undefined) return { fromMs: this.#coveredMs, toMs: this.#coveredMs, state: 'blind' };
    const { fromMs, toMs, state, reason } = last;
    return { fromMs, toMs, state, ...(reason === undefined ? {} : { reason }) };
  }

  /** True where the state has changed since the last cut: the tail alone no longer tells everything. */
  get hasTurned(): boolean {
    return this.#intervals.length > 1;
  }

  /** A stream began: pictures come, and the rules start from nothing. */
  startStream(nowMs: number): void {
    this.endStream(this.#blindReason);
    const leapMs = nowMs - this.#coveredMs;
    if (leapMs > CLOCK_STEP_MS && this.#blindReason === 'clock-moved') this.#leapFromMs = this.#coveredMs;
    if (leapMs < -CLOCK_STEP_MS) this.#goBack(Math.floor(nowMs));
    this.#advance(nowMs, 'blind', this.#blindReason);
    this.#stream = { warmUntilMs: nowMs + WARM_UP_MS, lastFrameMs: nowMs };
  }

  /**
   * The pictures turn out to have been older than was thought: instants of before are wrong, and the rules look again
   * only after a warm-up from now on.
   */
  warmAnew(nowMs: number, capturedAtMs: number): void {
    if (this.#stream === undefined) return;
    const lastFrameMs = Math.min(this.#stream.lastFrameMs, capturedAtMs);
    this.#stream = { warmUntilMs: nowMs + WARM_UP_MS, lastFrameMs };
  }

  /** The stream is gone; what was not decided yet is blind. */
  endStream(reason: CameraStateReason): void {
    this.#blindReason = reason;
    this.#stream = undefined;
  }

  /** A frame was analysed. `impairedBy`: what kept rules from judging by it; `rules-suspended` means all of them. */
  addFrame(capturedAtMs: number, impairedBy?: CameraStateReason): void {
    const stream = this.#stream;
    if (stream === undefined || capturedAtMs <= stream.lastFrameMs) return;
    if (capturedAtMs - stream.lastFrameMs > MAX_FRAME_GAP_MS) {
      this.#settle(stream.lastFrameMs);
      this.#advance(capturedAtMs, 'blind', 'frames-dropped');
    }
    if (impairedBy !== this.#impairment) {
      this.#settle(capturedAtMs - this.#horizonMs);
      this.#impairment = impairedBy;
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

  /**
   * What was told by the other clock stays: nobody here knows which of the two was right. Where two intervals tell of one time the
   * centre believes the one that ends first; so what the leap forward called blind, into a future that has not been, is told again up to
   * now.
   */
  #goBack(nowMs: number): void {
    const fromMs = this.#leapFromMs;
    if (fromMs !== undefined && fromMs < nowMs) {
      this.#intervals.push({ fromMs, toMs: nowMs, state: 'blind', reason: 'clock-moved' });
    }
    this.#leapFromMs = undefined;
    this.#coveredMs = nowMs;
  }

  /** Accounts decided time of the running stream. */
  #settle(untilMs: number): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#advance(Math.min(untilMs, stream.warmUntilMs), 'blind', 'warming-up');
    if (this.#impairment !== undefined) {
      this.#advance(untilMs, this.#impairment === 'rules-suspended' ? 'blind' : 'degraded', this.#impairment);
    } else if (this.#overloaded) this.#advance(untilMs, 'degraded', 'frames-dropped');
    else this.#advance(untilMs, 'analysed', undefined);
  }

  #advance(untilMs: number, state: CameraStateName, reason: CameraStateReason | undefined): void {
    const toMs = Math.floor(untilMs);
    if (toMs <= this.#coveredMs) return;
    const last = this.#intervals.at(-1);
    const goesOn = last !== undefined && last.toMs === this.#coveredMs;
    if (goesOn && last.state === state && last.reason === reason) last.toMs = toMs;
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
