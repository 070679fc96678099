import type { Measurement, SensorReading } from '@ngatu/contract';
import type { Logger } from 'pino';
import { runContactInput } from './contact-input.ts';
import { type PublishedReading, runDeviceFeed } from './device-feed.ts';
import { type GpioInput, runGpioChip } from './gpio-chip.ts';
import { runHttpPoll } from './http-poll.ts';
import { describeLine, type ModbusSource } from './modbus-connection.ts';
import { type ModbusJob, ModbusLine } from './modbus-line.ts';
import type { JudgedReading } from './reading-check.ts';
import type { RegisterReading } from './register-plan.ts';
import type { DeviceBroker, SensorClock, SensorConfig } from './sensor-sample.ts';
import { WatchedReading } from './watched-reading.ts';

export interface SensorHubOptions {
  readonly sensors: readonly SensorConfig[];
  /** Begins the names at the brokers of devices. */
  readonly clientId: string;
  readonly clock: SensorClock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  /** Is told of every sample as it was judged. */
  readonly onJudged?: (sensor: string, reading: SensorReading, judged: JudgedReading) => void;
}

type Task = (signal: AbortSignal) => Promise<void>;

/**
 * All sensors of a gateway: what keeps them read, and the figures of what they measured. Lines, brokers, addresses and inputs run side by
 * side; none waits for another.
 */
export class SensorHub {
  readonly #options: SensorHubOptions;
  readonly #readings: WatchedReading[] = [];
  readonly #tasks: Task[] = [];
  readonly #lines = new Map<string, { source: ModbusSource; jobs: ModbusJob[] }>();
  readonly #feeds = new Map<string, { broker: DeviceBroker; readings: PublishedReading[] }>();

  constructor(options: SensorHubOptions) {
    this.#options = options;
    for (const sensor of options.sensors) {
      const watched = sensor.readings.map((reading) => this.#watch(sensor, reading));
      this.#readings.push(...watched);
      this.#attach(sensor, watched);
    }
    const { clock, random, logger } = options;
    for (const { source, jobs } of this.#lines.values()) {
      const line = new ModbusLine({ source, jobs, clock, random, logger });
      this.#tasks.push((signal) => line.run(signal));
    }
    for (const [index, feed] of [...this.#feeds.values()].entries()) {
      const clientId = `${options.clientId}-sensors-${index}`;
      this.#tasks.push((signal) => runDeviceFeed({ ...feed, clientId, clock, random, logger }, signal));
    }
  }

  /** Every quantity of every sensor with its last sample. */
  get readings(): readonly Pick<WatchedReading, 'sensor' | 'reading' | 'latest'>[] {
    return this.#readings;
  }

  /** Reads and listens until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#tasks.map((task) => task(signal)));
  }

  /** The figures that are complete at `nowMs` (ms since 1970); all of them where it is the last call. */
  cut(nowMs: number, isLast = false): Measurement[] {
    return this.#readings.flatMap((reading) => reading.cut(nowMs, isLast));
  }

  #watch(sensor: SensorConfig, reading: SensorReading): WatchedReading {
    const { clock, onJudged } = this.#options;
    return new WatchedReading(sensor, reading, {
      clock,
      ...(onJudged === undefined
        ? {}
        : { onJudged: (judged: JudgedReading) => onJudged(sensor.name, reading, judged) }),
    });
  }

  #attach(sensor: SensorConfig, watched: readonly WatchedReading[]): void {
    const { source } = sensor;
    if (source.kind === 'mqtt') this.#attachFeed(source, watched);
    else if (source.kind === 'http') this.#attachHttp(source, watched);
    else if (source.kind === 'input') this.#attachInputs(source, watched);
    else this.#attachModbus(sensor.name, source, watched);
  }

  #attachModbus(sensor: string, source: ModbusSource, watched: readonly WatchedReading[]): void {
    const key = `${source.kind} ${describeLine(source)}`;
    const line = this.#lines.get(key) ?? { source, jobs: [] };
    for (const [intervalMs, group] of groupByInterval(watched)) {
      const readings = group.flatMap((sink): RegisterReading[] => {
        const { from } = sink.reading;
        return from.kind === 'register' ? [{ place: from, sink }] : [];
      });
      if (readings.length > 0) line.jobs.push({ sensor, source, intervalMs, readings });
    }
    this.#lines.set(key, line);
  }

  #attachFeed(
    { broker, topic }: Extract<SensorConfig['source'], { kind: 'mqtt' }>,
    watched: readonly WatchedReading[],
  ): void {
    // who signs in otherwise, or shows another certificate, is on another connection
    const key = JSON.stringify([broker.url, broker.username, broker.tls]);
    const feed = this.#feeds.get(key) ?? { broker, readings: [] };
    for (const sink of watched) {
      const { from } = sink.reading;
      if (from.kind !== 'json') continue;
      const own = from.topic === undefined ? topic : `${topic}/${from.topic}`;
      feed.readings.push({ topic: own, place: from, sink });
    }
    this.#feeds.set(key, feed);
  }

  #attachHttp(
    { url, token, timeoutMs, maxBytes }: Extract<SensorConfig['source'], { kind: 'http' }>,
    watched: readonly WatchedReading[],
  ): void {
    const { clock, random, logger } = this.#options;
    for (const [intervalMs, group] of groupByInterval(watched)) {
      const readings = group.flatMap((sink) => {
        const { from } = sink.reading;
        return from.kind === 'json' ? [{ place: from, sink }] : [];
      });
      const access = token === undefined ? {} : { token };
      const poll = { url, ...access, timeoutMs, maxBytes, intervalMs, readings, clock, random, logger };
      if (readings.length > 0) this.#tasks.push((signal) => runHttpPoll(poll, signal));
    }
  }

  #attachInputs(
    { pollMs, debounceMs }: Extract<SensorConfig['source'], { kind: 'input' }>,
    watched: readonly WatchedReading[],
  ): void {
    const { clock, random, logger } = this.#options;
    const chips = new Map<string, GpioInput[]>();
    for (const sink of watched) {
      const { from } = sink.reading;
      if (from.kind === 'gpio') {
        const { chip, line, activeLow } = from;
        const input = { line, activeLow, debounceMs, intervalMs: sink.intervalMs, sink };
        chips.set(chip, [...(chips.get(chip) ?? []), input]);
      }
      if (from.kind !== 'contact') continue;
      const { path, activeLow } = from;
      const input = { path, activeLow, pollMs, debounceMs, intervalMs: sink.intervalMs, sink, clock, logger };
      this.#tasks.push((signal) => runContactInput(input, signal));
    }
    for (const [chip, inputs] of chips) {
      const options = { chip, inputs, pollMs, clock, random, logger };
      this.#tasks.push((signal) => runGpioChip(options, signal));
    }
  }
}

function groupByInterval(readings: readonly WatchedReading[]): Map<number, WatchedReading[]> {
  const groups = new Map<number, WatchedReading[]>();
  for (const reading of readings) {
    const group = groups.get(reading.intervalMs);
    if (group === undefined) groups.set(reading.intervalMs, [reading]);
    else group.push(reading);
  }
  return groups;
}
