import { NgatuError, type ReadingFault } from '@ngatu/contract';
import type { Logger } from 'pino';
import {
  describeLine,
  type ModbusConnection,
  type ModbusSource,
  openModbusConnection,
} from './modbus-connection.ts';
import { planBlocks, type RegisterBlock, type RegisterReading, separateReadings } from './register-plan.ts';
import { countRegisters, decodeRegisters } from './register-value.ts';
import { computeRetryDelayMs, waitFor } from './retry-delay.ts';
import type { SensorClock } from './sensor-sample.ts';

/** What of one device is read at one interval. */
export interface ModbusJob {
  readonly sensor: string;
  readonly source: ModbusSource;
  readonly intervalMs: number;
  readonly readings: readonly RegisterReading[];
}

export interface ModbusLineOptions {
  /** Where the line is; of all its jobs the same. */
  readonly source: ModbusSource;
  readonly jobs: readonly ModbusJob[];
  readonly clock: SensorClock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/** A device that has not answered this often is asked less and less, so that the others of its line are not held up. */
const SILENT_POLLS = 3;
const LONGEST_INTERVAL_MS = 60_000;
/** Two silences of a TCP line in a row: the peer may be gone without a word, so it is connected anew. */
const HALF_OPEN_TIMEOUTS = 2;
/** What is wrong with a line or device is named in the log once in this time, ms. */
const COMPLAIN_EVERY_MS = 60_000;

interface Due extends ModbusJob {
  blocks: RegisterBlock[];
  dueMs: number;
  silentPolls: number;
}

/**
 * All devices of one Modbus line: one connection, one request at a time, the job that is due first. A job that is not done when it is due
 * again is not queued twice, so the queue is never longer than the list of jobs. A line that is away is tried again with
 * growing delays, and its readings are told as unreachable meanwhile.
 */
export class ModbusLine {
  readonly #options: ModbusLineOptions;
  readonly #jobs: Due[];
  readonly #complaints = new Map<string, number>();
  #connection: ModbusConnection | undefined;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #timeoutsInRow = 0;
  #lineReason = 'the line is away';

  constructor(options: ModbusLineOptions) {
    this.#options = options;
    const dueMs = options.clock.monotonicMs();
    this.#jobs = options.jobs.map((job) => ({
      ...job,
      blocks: planBlocks(job.readings),
      dueMs,
      silentPolls: 0,
    }));
  }

  /** Reads until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      while (!signal.aborted) {
        const job = this.#jobs.reduce<Due | undefined>(
          (first, next) => (first === undefined || next.dueMs < first.dueMs ? next : first),
          undefined,
        );
        if (job === undefined) return;
        await waitFor(job.dueMs - clock.monotonicMs(), signal);
        if (signal.aborted) return;
        await this.#poll(job, signal);
        job.dueMs = computeNextDueMs(job, clock.monotonicMs());
      }
    } finally {
      this.#disconnect();
    }
  }

  async #poll(job: Due, signal: AbortSignal): Promise<void> {
    const connection = await this.#connect(job, signal);
    if (connection === undefined) return;
    let answered = false;
    for (const block of [...job.blocks]) {
      if (signal.aborted) return;
      const outcome = await this.#read(job, block, connection, signal);
      answered ||= outcome === 'answered';
      if (outcome === 'lost') {
        const left = job.blocks.slice(job.blocks.indexOf(block) + 1);
        for (const each of left) tell(each, 'unreachable', 'the line was lost');
        break;
      }
    }
    job.silentPolls = answered ? 0 : job.silentPolls + 1;
  }

  async #connect(job: Due, signal: AbortSignal): Promise<ModbusConnection | undefined> {
    const { clock, random, source, logger } = this.#options;
    if (this.#connection !== undefined) return this.#connection;
    if (clock.monotonicMs() >= this.#retryAtMs) {
      try {
        this.#connection = await openModbusConnection(source, signal);
        logger.info({ line: describeLine(source) }, 'Modbus line is open');
        return this.#connection;
      } catch (error) {
        if (!(error instanceof NgatuError) || signal.aborted) return undefined;
        this.#failures += 1;
        this.#retryAtMs = clock.monotonicMs() + computeRetryDelayMs(this.#failures, random);
        this.#lineReason = error.message;
        this.#complain('line', error);
      }
    }
    for (const block of job.blocks) tell(block, 'unreachable', this.#lineReason);
    return undefined;
  }

  /** `answered`: also where the answer was a refusal. `silent`: nobody answered. `lost`: the line is given up. */
  async #read(
    job: Due,
    block: RegisterBlock,
    connection: ModbusConnection,
    signal: AbortSignal,
  ): Promise<'answered' | 'silent' | 'lost'> {
    const { unit, timeoutMs } = job.source;
    const { table, address, count } = block;
    try {
      const registers = await connection.read({ unit, timeoutMs, table, address, count });
      this.#failures = 0;
      this.#timeoutsInRow = 0;
      deliver(block, registers);
      return 'answered';
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      if (signal.aborted) return 'lost';
      this.#complain(`${job.sensor} ${error.code}`, error);
      if (error.code === 'SENSOR_REFUSED') return this.#takeRefusal(job, block, error);
      if (error.code === 'SENSOR_GARBLED') {
        tell(block, 'garbled', error.message);
        this.#giveUp();
        return 'lost';
      }
      tell(block, 'unreachable', error.message);
      this.#timeoutsInRow += 1;
      if (this.#isLost()) {
        this.#giveUp();
        return 'lost';
      }
      // On a serial line the answer may still come, and would be taken for that of the next request.
      if (job.source.kind === 'modbus-rtu' || job.source.framing === 'rtu') await waitFor(timeoutMs, signal);
      return 'silent';
    }
  }

  #isLost(): boolean {
    return this.#options.source.kind === 'modbus-tcp' && this.#timeoutsInRow >= HALF_OPEN_TIMEOUTS;
  }

  /** One register that a device has not must not cost the readings beside it. */
  #takeRefusal(job: Due, block: RegisterBlock, error: NgatuError): 'answered' {
    this.#timeoutsInRow = 0;
    tell(block, 'exception', error.message);
    if (block.readings.length > 1) {
      job.blocks = job.blocks.flatMap((each) => (each === block ? separateReadings(block) : [each]));
      this.#options.logger.info({ sensor: job.sensor }, 'registers are read one by one from now on');
    }
    return 'answered';
  }

  /** After damage nobody knows where the next frame begins: the line is opened anew. */
  #giveUp(): void {
    const { clock, random } = this.#options;
    this.#disconnect();
    this.#failures += 1;
    this.#timeoutsInRow = 0;
    this.#retryAtMs = clock.monotonicMs() + computeRetryDelayMs(this.#failures, random);
  }

  #disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #complain(key: string, error: NgatuError): void {
    const { clock, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - (this.#complaints.get(key) ?? Number.NEGATIVE_INFINITY) < COMPLAIN_EVERY_MS) return;
    this.#complaints.set(key, nowMs);
    logger.warn({ code: error.code }, error.message);
  }
}

/** Ticks that were missed are not made up for. */
function computeNextDueMs({ dueMs, intervalMs, silentPolls }: Due, nowMs: number): number {
  const grown = intervalMs * 2 ** Math.min(10, Math.max(0, silentPolls - SILENT_POLLS + 1));
  const stepMs = Math.max(intervalMs, Math.min(LONGEST_INTERVAL_MS, grown));
  const next = dueMs + stepMs;
  return next > nowMs ? next : nowMs + intervalMs - ((nowMs - dueMs) % intervalMs);
}

function deliver(block: RegisterBlock, registers: readonly number[]): void {
  for (const { place, sink } of block.readings) {
    const from = place.address - block.address;
    const own = registers.slice(from, from + countRegisters(place));
    sink.take({ raw: decodeRegisters(own, place) });
  }
}

function tell(block: RegisterBlock, fault: ReadingFault, reason: string): void {
  for (const { sink } of block.readings) sink.take({ fault, reason });
}
