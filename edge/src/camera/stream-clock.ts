/** How media time relates to the node's clock: `capturedAtMs = anchorMs + mediaTimeMs`. */
export interface ClockAnchor {
  /** Instant of media time 0, ms since 1970. */
  readonly anchorMs: number;
  /** Bound on the error, ms. */
  readonly errorMs: number;
}

/** Without a second of steady pictures nothing is known of the delay: what a joining burst may hide, ms. */
const UNSETTLED_ERROR_MS = 2_000;
/** The anchor is frozen when no picture has beaten the least delay for this long, ms. */
const SETTLE_MS = 3_000;
/** Improvements smaller than this do not prolong the settling, ms. */
const SETTLE_STEP_MS = 20;
/** The anchor is frozen after this long in any case, ms. */
const SETTLE_LIMIT_MS = 15_000;
/**
 * Within the settling limit a picture that arrives up to this much earlier than the frozen anchor allows for says that the
 * anchor was frozen during a backlog: it settles anew, ms. More is a step of the node's clock.
 */
const UNFREEZE_LIMIT_MS = 4_000;
/** Length of the windows in which the least delay is compared with the anchor, ms. */
const DRIFT_WINDOW_MS = 10_000;
/** A picture cannot arrive before it was captured: this much earlier, and the anchor is of no use any more, ms. */
const AHEAD_LIMIT_MS = 1_000;
/** Pictures that stay late may wait in a backlog, which leaves the anchor true; this late, and they are no live view, ms. */
const BEHIND_LIMIT_MS = 4_000;
/**
 * No delay is as long as this, as the longest stall that is waited for ends the session before (60 s, `stallTimeoutMs` of the profile): a
 * single picture that is so far off says that the node's clock was set, ms.
 */
const STEP_LIMIT_MS = 61_000;

/**
 * Ties a live stream to the node's clock. The picture with the least delay between presentation time and arrival tells
 * best when media time 0 was; old pictures that a server sends at once on joining arrive with more delay and so do not
 * count. The delay that all pictures share (exposure, encoder, network, decoding) cannot be seen from here and is not in
 * `errorMs`. Once steady, the anchor stays as it is for the session; camera clocks that run away from the node's, steps of
 * the node's clock and a growing backlog show as drift: it is added to `errorMs`, and past a limit `hasMoved` asks for
 * a new session.
 */
export class StreamClock {
  #anchorMs = Number.POSITIVE_INFINITY;
  #firstArrivalMs: number | undefined;
  #improvedAtMs = 0;
  #frozen = false;
  #spreadMs = UNSETTLED_ERROR_MS;
  #settledMaximumMs = Number.NEGATIVE_INFINITY;
  #window: { startMs: number; leastMs: number } | undefined;
  #driftMs = 0;

  /** Takes the arrival of a picture, in order of arrival. */
  observe(mediaTimeMs: number, arrivalMs: number): void {
    const offset = arrivalMs - mediaTimeMs;
    const apartMs = Number.isFinite(this.#anchorMs) ? offset - this.#anchorMs : 0;
    if (Math.abs(apartMs) > STEP_LIMIT_MS) {
      this.#driftMs = apartMs;
      return;
    }
    if (this.#frozen && this.#wasFrozenTooEarly(offset, arrivalMs)) this.#unfreeze();
    if (this.#frozen) this.#observeDrift(offset, arrivalMs);
    else this.#settle(offset, arrivalMs);
  }

  get anchor(): ClockAnchor {
    return { anchorMs: this.#anchorMs, errorMs: Math.ceil(this.#spreadMs + Math.abs(this.#driftMs)) };
  }

  /** True from when the anchor no longer changes. */
  get isFrozen(): boolean {
    return this.#frozen;
  }

  /** Stream and node clock have run apart too far. */
  get hasMoved(): boolean {
    return this.#driftMs < -AHEAD_LIMIT_MS || this.#driftMs > BEHIND_LIMIT_MS;
  }

  #wasFrozenTooEarly(offset: number, arrivalMs: number): boolean {
    const improvementMs = this.#anchorMs - offset;
    if (improvementMs < SETTLE_STEP_MS || improvementMs > UNFREEZE_LIMIT_MS) return false;
    return arrivalMs - (this.#firstArrivalMs ?? arrivalMs) < SETTLE_LIMIT_MS;
  }

  #unfreeze(): void {
    this.#frozen = false;
    this.#spreadMs = UNSETTLED_ERROR_MS;
    this.#driftMs = 0;
    this.#window = undefined;
  }

  #settle(offset: number, arrivalMs: number): void {
    this.#firstArrivalMs ??= arrivalMs;
    if (offset < this.#anchorMs - SETTLE_STEP_MS) {
      this.#improvedAtMs = arrivalMs;
      this.#settledMaximumMs = offset;
    }
    this.#anchorMs = Math.min(this.#anchorMs, offset);
    this.#settledMaximumMs = Math.max(this.#settledMaximumMs, offset);
    const steady = arrivalMs - this.#improvedAtMs >= SETTLE_MS;
    if (steady || arrivalMs - this.#firstArrivalMs >= SETTLE_LIMIT_MS) {
      this.#frozen = true;
      this.#spreadMs = this.#settledMaximumMs - this.#anchorMs;
    }
  }

  #observeDrift(offset: number, arrivalMs: number): void {
    const ahead = offset - this.#anchorMs;
    // Nothing arrives before it was captured: a negative difference is drift at once, a positive one may be a delay.
    if (ahead < 0 && ahead < this.#driftMs) this.#driftMs = ahead;
    this.#window ??= { startMs: arrivalMs, leastMs: offset };
    this.#window.leastMs = Math.min(this.#window.leastMs, offset);
    // A node clock that was set back must not leave the window open for ever.
    const elapsed = arrivalMs - this.#window.startMs;
    if (elapsed >= 0 && elapsed < DRIFT_WINDOW_MS) return;
    this.#driftMs = this.#window.leastMs - this.#anchorMs;
    this.#window = undefined;
  }
}
