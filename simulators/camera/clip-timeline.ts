import type { Clip } from './clip.ts';
import { TICKS_PER_SECOND } from './clip-demux.ts';

const TICKS_PER_MS = TICKS_PER_SECOND / 1_000;
const UINT32 = 2 ** 32;

/** A place in a clip that loops for ever. */
export interface ClipPosition {
  /** How many times the clip was played to its end before, from 0. */
  readonly loop: number;
  /** Presentation time in the file, ms from the file's first picture. */
  readonly mediaTimeMs: number;
}

/**
 * A clip repeated for ever on one time axis. Access unit `n` counts from 0 at the first loop, in decoding order; all
 * that the wire shows of it follows from `n` alone, so every client sees the same stream. Pure: no clock, no state.
 *
 * A picture is "captured" at its presentation time, and sent no earlier: with B-frames everything is sent later by the
 * reorder delay (the largest presentation − decoding time), as a real encoder has to.
 */
export class ClipTimeline {
  readonly clip: Clip;
  /** When each access unit of a loop leaves, ticks after the loop's start; never decreases, also across loops. */
  readonly #sendTicks: readonly number[];
  /** Index of the keyframe that starts the group of pictures of each access unit. */
  readonly #keyframeOf: readonly number[];

  constructor(clip: Clip) {
    this.clip = clip;
    const reorderTicks = clip.accessUnits.reduce(
      (most, unit) => Math.max(most, unit.ptsTicks - unit.dtsTicks),
      0,
    );
    const first = (clip.accessUnits[0]?.dtsTicks ?? 0) + reorderTicks;
    this.#sendTicks = clip.accessUnits.map((unit) =>
      Math.min(unit.dtsTicks + reorderTicks, first + clip.durationTicks),
    );
    let keyframe = 0;
    this.#keyframeOf = clip.accessUnits.map((unit, index) => {
      if (unit.isKeyframe) keyframe = index;
      return keyframe;
    });
  }

  get loopDurationMs(): number {
    return this.clip.durationTicks / TICKS_PER_MS;
  }

  /** Access unit `n` with its place in the clip. */
  accessUnitAt(n: number) {
    const count = this.clip.accessUnits.length;
    const unit = this.clip.accessUnits[n % count];
    if (!unit) throw new RangeError(`No access unit ${n}`);
    return { unit, index: n % count, loop: Math.floor(n / count) };
  }

  /** When access unit `n` is to be sent, ms after the start of loop 0. */
  computeSendMs(n: number): number {
    const { index, loop } = this.accessUnitAt(n);
    return ((this.#sendTicks[index] ?? 0) + loop * this.clip.durationTicks) / TICKS_PER_MS;
  }

  /** The last access unit that is due at `elapsedMs` after the start of loop 0; −1 before the first. */
  findDue(elapsedMs: number): number {
    const elapsed = elapsedMs * TICKS_PER_MS;
    const first = this.#sendTicks[0] ?? 0;
    const loop = Math.floor((elapsed - first) / this.clip.durationTicks);
    if (loop < 0) return -1;
    const within = elapsed - loop * this.clip.durationTicks;
    let low = 0;
    let high = this.#sendTicks.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#sendTicks[middle] ?? 0) <= within) low = middle;
      else high = middle;
    }
    return loop * this.#sendTicks.length + low;
  }

  /** The latest keyframe at or before access unit `n`. */
  findKeyframe(n: number): number {
    const { index } = this.accessUnitAt(n);
    return n - index + (this.#keyframeOf[index] ?? 0);
  }

  /** RTP time of access unit `n` above the stream's random base, modulo 2³². */
  computeRtpTime(n: number): number {
    const { unit, loop } = this.accessUnitAt(n);
    return (unit.ptsTicks + loop * this.clip.durationTicks) % UINT32;
  }

  /** What the camera sees at `elapsedMs` (0 or more) after the start of loop 0. */
  positionAt(elapsedMs: number): ClipPosition {
    const loop = Math.floor(elapsedMs / this.loopDurationMs);
    return { loop, mediaTimeMs: elapsedMs - loop * this.loopDurationMs + this.clip.originMs };
  }

  /** When the camera sees a position, ms after the start of loop 0: the inverse of `positionAt`. */
  elapsedAt(position: ClipPosition): number {
    return position.loop * this.loopDurationMs + position.mediaTimeMs - this.clip.originMs;
  }
}
