import type { Measurement, SensorReading } from '@ngatu/contract';
import { type JudgedReading, ReadingCheck } from './reading-check.ts';
import { computeReadingRule } from './reading-rule.ts';
import { ReadingWindow } from './reading-window.ts';
import type { Sample, SampleSink, SensorClock, SensorConfig } from './sensor-sample.ts';

/** One quantity of a sensor from sample to figure. */
export class WatchedReading implements SampleSink {
  readonly sensor: string;
  readonly reading: SensorReading;
  readonly intervalMs: number;
  readonly #check: ReadingCheck;
  readonly #window: ReadingWindow;
  readonly #clock: Pick<SensorClock, 'nowMs'>;
  readonly #onJudged: (judged: JudgedReading) => void;
  #latest: JudgedReading | undefined;

  constructor(
    sensor: SensorConfig,
    reading: SensorReading,
    deps: {
      readonly clock: Pick<SensorClock, 'nowMs'>;
      readonly onJudged?: (judged: JudgedReading) => void;
    },
  ) {
    const { source, intervalMs, windowMs, heartbeatMs, name } = sensor;
    const maxClockErrorMs = 'maxClockErrorMs' in source ? { maxClockErrorMs: source.maxClockErrorMs } : {};
    const rule = computeReadingRule(reading, { intervalMs, ...maxClockErrorMs });
    const { channel } = reading;
    const tags = { sensor: name, ...(channel === undefined ? {} : { channel }) };
    this.sensor = name;
    this.reading = reading;
    this.intervalMs = rule.intervalMs;
    this.#clock = deps.clock;
    this.#onJudged = deps.onJudged ?? (() => undefined);
    this.#check = new ReadingCheck(rule, deps.clock.nowMs());
    this.#window = new ReadingWindow({ metric: reading.metric, tags, rule, windowMs, heartbeatMs });
  }

  /** The last sample as it was judged. */
  get latest(): JudgedReading | undefined {
    return this.#latest;
  }

  take(sample: Sample): void {
    const judged = this.#check.judge(sample, this.#clock.nowMs());
    this.#latest = judged;
    this.#window.add(judged);
    this.#onJudged(judged);
  }

  /** What is to be told at `nowMs`; see `ReadingWindow`. */
  cut(nowMs: number, isLast = false): Measurement[] {
    const missed = this.#check.countMissed(nowMs);
    if (missed > 0) this.#window.addFaults('gap', missed);
    return this.#window.cut(nowMs, isLast);
  }
}
