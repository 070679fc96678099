import { type Measurement, mergeMetricValues, type ReadingFault, type ReadingQuality } from '@ngatu/contract';
import type { JudgedReading } from './reading-check.ts';
import type { ReadingRule } from './reading-rule.ts';

interface WindowOptions {
  readonly metric: string;
  /** `sensor`, and `channel` where there is one. */
  readonly tags: Readonly<Record<string, string>>;
  readonly rule: Pick<ReadingRule, 'manner' | 'unit' | 'intervalMs' | 'deadBand' | 'counter'>;
  readonly windowMs: number;
  /** What does not change is told this often all the same. */
  readonly heartbeatMs: number;
}

/** Of fewer readings than this share of those that were due a mean is uncertain. */
const LEAST_SHARE = 0.5;
/** So many readings may be missing from a sum by the way they fall into windows. */
const SPARE_READINGS = 1.5;

interface Gathered {
  readonly good: number[];
  readonly uncertain: { value: number; fault: ReadingFault | undefined }[];
  readonly bad: Map<ReadingFault, number[]>;
}

const emptyGathered = (): Gathered => ({ good: [], uncertain: [], bad: new Map() });

/**
 * Makes figures of the judged readings of one quantity: one a window, with what was least and most in it; states at each change. What
 * differs from the last figure told by less than the dead band waits for the heartbeat. Readings that are bad stand in no figure of
 * the others: they are told apart, by fault. Pure; windows begin at multiples of their length on the node's clock.
 */
export class ReadingWindow {
  readonly #options: WindowOptions;
  #gathered = emptyGathered();
  /** Number of the window that is being filled. */
  #index: number | undefined;
  #ready: Measurement[] = [];
  #told:
    | { value: number; quality: ReadingQuality; fault: ReadingFault | undefined; atMs: number }
    | undefined;
  /** Of windows that were not told: readings, and their extremes. */
  #held = { readings: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  readonly #faults = new Map<ReadingFault, number>();

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  add(reading: JudgedReading): void {
    const { windowMs, rule } = this.#options;
    const index = Math.floor(reading.atMs / windowMs);
    if (this.#index !== undefined && index > this.#index) this.#close();
    // a clock that was set back fills the window that is open
    this.#index ??= index;
    const { value, quality, fault } = reading;
    if (fault !== undefined) this.addFaults(fault, 1);
    if (value === undefined || !Number.isFinite(value)) return;
    if (quality === 'bad') {
      const kind = fault ?? 'device';
      const values = this.#gathered.bad.get(kind) ?? [];
      values.push(value);
      this.#gathered.bad.set(kind, values);
    } else if (rule.manner === 'state') this.#addState(value, reading);
    else if (quality === 'good') this.#gathered.good.push(value);
    else this.#gathered.uncertain.push({ value, fault });
  }

  addFaults(fault: ReadingFault, count: number): void {
    this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + count);
  }

  /**
   * The figures that are complete at `nowMs`, and the faults since the last call.
   * @param isLast takes the window that is open as well: nobody will ask again
   */
  cut(nowMs: number, isLast = false): Measurement[] {
    const { windowMs, tags, metric } = this.#options;
    if (this.#index !== undefined && (isLast || nowMs >= (this.#index + 1) * windowMs)) this.#close();
    const at = toTimestamp(nowMs);
    for (const [fault, value] of this.#faults)
      this.#ready.push({ at, metric: 'sensorFaults', value, tags: { ...tags, quantity: metric, fault } });
    this.#faults.clear();
    return this.#ready.splice(0);
  }

  #addState(value: number, { atMs, quality, fault }: JudgedReading): void {
    this.#held.readings += 1;
    const told = this.#told;
    const isNews = told === undefined || told.value !== value || told.quality !== quality;
    if (!isNews && atMs - told.atMs < this.#options.heartbeatMs) return;
    this.#told = { value, quality, fault, atMs };
    this.#ready.push(this.#figure(this.#options.metric, value, atMs, { quality, fault }));
    this.#tellReadings(atMs);
  }

  #close(): void {
    const { good, uncertain, bad } = this.#gathered;
    const startMs = (this.#index ?? 0) * this.#options.windowMs;
    this.#gathered = emptyGathered();
    this.#index = undefined;
    for (const [fault, values] of bad) {
      const value = values.reduce((sum, each) => sum + each, 0) / values.length;
      this.#ready.push(this.#figure(this.#options.metric, value, startMs, { quality: 'bad', fault }));
    }
    const { manner } = this.#options.rule;
    const values =
      manner === 'sum' || good.length === 0 ? [...good, ...uncertain.map(({ value }) => value)] : good;
    if (values.length === 0 || manner === 'state') return;
    const isMixed = values.length > good.length;
    const fault = isMixed ? uncertain[0]?.fault : this.#isThin(values.length) ? ('gap' as const) : undefined;
    const quality = isMixed || fault !== undefined ? 'uncertain' : 'good';
    const value = mergeMetricValues(manner, values);
    this.#held.readings += values.length;
    this.#held.min = values.reduce((least, each) => Math.min(least, each), this.#held.min);
    this.#held.max = values.reduce((most, each) => Math.max(most, each), this.#held.max);
    if (!this.#isNews(value, quality, fault, startMs)) return;
    this.#told = { value, quality, fault, atMs: startMs };
    this.#ready.push(this.#figure(this.#options.metric, value, startMs, { quality, fault }));
    this.#tellExtremes(value, startMs, { quality, fault });
    this.#tellReadings(startMs);
  }

  /** Too few readings for the length of the window. */
  #isThin(readings: number): boolean {
    const { rule, windowMs } = this.#options;
    const due = windowMs / rule.intervalMs;
    if (rule.counter !== undefined || due < 2) return false;
    return rule.manner === 'sum' ? readings < due - SPARE_READINGS : readings < due * LEAST_SHARE;
  }

  #isNews(value: number, quality: ReadingQuality, fault: ReadingFault | undefined, atMs: number): boolean {
    const { rule, heartbeatMs } = this.#options;
    const told = this.#told;
    if (rule.deadBand === undefined || rule.manner === 'sum' || told === undefined) return true;
    if (told.quality !== quality || told.fault !== fault) return true;
    return Math.abs(value - told.value) >= rule.deadBand || atMs - told.atMs >= heartbeatMs;
  }

  #tellExtremes(value: number, atMs: number, how: Believed): void {
    const { metric, rule } = this.#options;
    const { min, max } = this.#held;
    const least = rule.deadBand ?? 0;
    const hasExtremes = rule.manner === 'mean' || rule.manner === 'level';
    if (hasExtremes && value - min > least) this.#ready.push(this.#figure(`${metric}Min`, min, atMs, how));
    if (hasExtremes && max - value > least) this.#ready.push(this.#figure(`${metric}Max`, max, atMs, how));
  }

  #tellReadings(atMs: number): void {
    const { metric, tags } = this.#options;
    const value = this.#held.readings;
    this.#held = { readings: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
    this.#ready.push({
      at: toTimestamp(atMs),
      metric: 'sensorReadings',
      value,
      tags: { ...tags, quantity: metric },
    });
  }

  #figure(metric: string, value: number, atMs: number, { quality, fault }: Believed): Measurement {
    const { tags, rule } = this.#options;
    return {
      at: toTimestamp(atMs),
      metric,
      value: Number(value.toPrecision(7)),
      unit: rule.unit,
      quality,
      tags: fault === undefined ? { ...tags } : { ...tags, fault },
    };
  }
}

interface Believed {
  readonly quality: ReadingQuality;
  readonly fault: ReadingFault | undefined;
}

function toTimestamp(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}
