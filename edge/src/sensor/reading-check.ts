import type { ReadingFault, ReadingQuality } from '@ngatu/contract';
import { NaturalRuns } from './natural-runs.ts';
import type { ReadingRule } from './reading-rule.ts';
import type { Sample } from './sensor-sample.ts';

/** A sample after judgement. `value` is in the unit of the profile; absent where nothing was measured. */
export interface JudgedReading {
  /** On the node's clock, ms since 1970. */
  readonly atMs: number;
  readonly value?: number;
  readonly quality: ReadingQuality;
  /** Present unless the quality is what the profile promises. */
  readonly fault?: ReadingFault;
  readonly reason?: string;
}

interface Fault {
  readonly fault: ReadingFault;
  readonly reason: string;
}

/** So many readings in a row that agree with each other, but not with those before, are a new level and no spike. */
const NEW_LEVEL_READINGS = 5;
/** The same number must have come this often before it can be stuck. */
const STUCK_READINGS = 6;
/** A reading that is late by less than this share of its interval is no gap. */
const GAP_INTERVALS = 2.5;

/**
 * Judges the readings of one quantity one after another: range, rate of change, stuck, clock, and gaps. Pure: instants come in with the
 * samples, on the node's clock, ms since 1970.
 */
export class ReadingCheck {
  readonly #rule: ReadingRule;
  /** The last value that was believed. */
  #last: { value: number; atMs: number } | undefined;
  /** Readings that may become a new level. */
  #candidate: { value: number; atMs: number; count: number } | undefined;
  #same: { raw: number; sinceMs: number; count: number; isStuck: boolean; isRest: boolean } | undefined;
  readonly #runs = new NaturalRuns();
  #total: { raw: number; atMs: number } | undefined;
  #lastDeviceAtMs: number | undefined;
  #lastHeardMs: number;
  #gapsTold = 0;

  /** @param startMs when readings began to be expected */
  constructor(rule: ReadingRule, startMs: number) {
    this.#rule = rule;
    this.#lastHeardMs = startMs;
  }

  /** Takes the next sample. */
  judge(sample: Sample, atMs: number): JudgedReading {
    if ('fault' in sample) return { atMs, quality: 'bad', fault: sample.fault, reason: sample.reason };
    const { raw, deviceAtMs } = sample;
    const { noValue } = this.#rule;
    if (!Number.isFinite(raw) || noValue.includes(raw))
      return { atMs, quality: 'bad', fault: 'device', reason: `the device gives ${raw}, which is no value` };
    const clock = deviceAtMs === undefined ? undefined : this.#judgeClock(deviceAtMs, atMs);
    if (clock?.fault === 'stale') return { atMs, quality: 'bad', ...clock };
    this.#lastHeardMs = atMs;
    this.#gapsTold = 0;
    const measured = this.#measure(raw, atMs);
    if (measured === undefined) return { atMs, quality: this.#rule.bestQuality };
    const { value, elapsedIntervals, restarted } = measured;
    const range = this.#judgeRange(value, elapsedIntervals);
    if (range !== undefined) return { atMs, value, quality: 'bad', ...range };
    const stuck = this.#judgeStuck(raw, value, atMs);
    if (stuck?.quality === 'bad') return { atMs, value, ...stuck };
    const rate = this.#judgeRate(value, atMs);
    if (rate !== undefined) return { atMs, value, quality: 'bad', ...rate };
    if (stuck !== undefined) return { atMs, value, ...stuck };
    if (clock !== undefined) return { atMs, value, quality: 'uncertain', ...clock };
    if (restarted)
      return { atMs, value, quality: 'uncertain', fault: 'device', reason: 'its counter began anew' };
    return { atMs, value, quality: this.#rule.bestQuality };
  }

  /** How many readings that were due have not come since the last call, ms. */
  countMissed(nowMs: number): number {
    const silentMs = nowMs - this.#lastHeardMs;
    if (silentMs <= GAP_INTERVALS * this.#rule.intervalMs) return 0;
    const missed = Math.floor(silentMs / this.#rule.intervalMs) - 1;
    const fresh = Math.max(0, missed - this.#gapsTold);
    this.#gapsTold += fresh;
    return fresh;
  }

  #judgeClock(deviceAtMs: number, atMs: number): Fault | undefined {
    const last = this.#lastDeviceAtMs;
    const errorMs = deviceAtMs - atMs;
    this.#lastDeviceAtMs = deviceAtMs;
    if (deviceAtMs === last) return { fault: 'stale', reason: 'the device gives the same reading again' };
    if (Math.abs(errorMs) > this.#rule.maxClockErrorMs)
      return { fault: 'clock', reason: `the device’s clock is off by ${Math.round(errorMs / 1000)} s` };
    if (last !== undefined && deviceAtMs < last && last - atMs <= this.#rule.maxClockErrorMs)
      return { fault: 'stale', reason: `the reading is ${last - deviceAtMs} ms older than the one before` };
    return undefined;
  }

  /** The value in its unit; undefined for the first number of a counter. */
  #measure(
    raw: number,
    atMs: number,
  ): { value: number; elapsedIntervals: number; restarted: boolean } | undefined {
    const { scale, offset, counter, high, intervalMs } = this.#rule;
    if (counter === undefined) return { value: raw * scale + offset, elapsedIntervals: 1, restarted: false };
    const before = this.#total;
    this.#total = { raw, atMs };
    if (before === undefined) return undefined;
    const elapsedIntervals = Math.max(1, (atMs - before.atMs) / intervalMs);
    const on = raw - before.raw;
    if (on >= 0) return { value: on * scale, elapsedIntervals, restarted: false };
    const wrapped = (on + counter.modulus) * scale;
    if (wrapped >= 0 && wrapped <= high * elapsedIntervals)
      return { value: wrapped, elapsedIntervals, restarted: false };
    // it began anew: at least so many since then
    return { value: raw * scale, elapsedIntervals, restarted: true };
  }

  #judgeRange(value: number, elapsedIntervals: number): Fault | undefined {
    const { low, high } = this.#rule;
    // a counter that was not read for a while went on meanwhile
    if (value >= low && value <= high * elapsedIntervals) return undefined;
    const shown = Number(value.toPrecision(6));
    return { fault: 'range', reason: `${shown} is outside of ${low} to ${high}` };
  }

  /** `bad` after the time of the rule; `uncertain` before, where the run is longer than any that the sensor gives by itself. */
  #judgeStuck(
    raw: number,
    value: number,
    atMs: number,
  ): (Fault & { quality: 'bad' | 'uncertain' }) | undefined {
    const { stuckAfterMs, rests, counter } = this.#rule;
    if (stuckAfterMs === 0 || counter !== undefined) return undefined;
    const run = this.#same;
    if (run?.raw !== raw) {
      // a run that was found to be stuck teaches nothing, nor does a rest
      if (run !== undefined && !run.isStuck && !run.isRest) this.#runs.addRun(run.count);
      this.#same = { raw, sinceMs: atMs, count: 1, isStuck: false, isRest: rests.includes(value) };
      return undefined;
    }
    run.count += 1;
    if (run.isRest) return undefined;
    const sameMs = atMs - run.sinceMs;
    const isLong = run.count >= STUCK_READINGS && sameMs >= stuckAfterMs;
    if (!isLong && !this.#runs.isUnnatural(run.count)) return undefined;
    run.isStuck = true;
    const reason = `the same number ${run.count} times, for ${Math.round(sameMs / 60_000)} minutes`;
    return { fault: 'stuck', reason, quality: isLong ? 'bad' : 'uncertain' };
  }

  #judgeRate(value: number, atMs: number): Fault | undefined {
    const { change } = this.#rule;
    const last = this.#last;
    if (change === undefined || last === undefined || this.#isNear(value, atMs, last)) {
      this.#last = { value, atMs };
      this.#candidate = undefined;
      return undefined;
    }
    const candidate = this.#candidate;
    const count = candidate !== undefined && this.#isNear(value, atMs, candidate) ? candidate.count + 1 : 1;
    this.#candidate = { value, atMs, count };
    if (count >= NEW_LEVEL_READINGS) {
      this.#last = { value, atMs };
      this.#candidate = undefined;
      return undefined;
    }
    const seconds = Math.round((atMs - last.atMs) / 1000);
    return {
      fault: 'rate',
      reason: `a change of ${(value - last.value).toPrecision(3)} within ${seconds} s`,
    };
  }

  #isNear(value: number, atMs: number, other: { value: number; atMs: number }): boolean {
    const { change } = this.#rule;
    if (change === undefined) return true;
    const minutes = Math.max(0, atMs - other.atMs) / 60_000;
    return Math.abs(value - other.value) <= change.step + change.perMinute * minutes;
  }
}
