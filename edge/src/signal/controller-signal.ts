import type { ErrorCode, MqttSignalSource } from '@ngatu/contract';
import {
  type ControllerStatement,
  decodeControllerMessage,
  type MessageRefusal,
} from './controller-message.ts';
import { PhaseRecord, type PhaseSource, type SourcePhase } from './phase-record.ts';

type ControllerConfig = Pick<MqttSignalSource, 'clock' | 'maxClockErrorMs' | 'validMs' | 'fields' | 'states'>;

/** What was counted since the process began. */
interface ControllerCounters {
  readonly taken: number;
  readonly refused: Readonly<Partial<Record<ErrorCode, number>>>;
}

/** Ages of that many live messages tell the error of the controller's instants. */
const AGES_KEPT = 20;
const LEAST_ERROR_MS = 50;
/** A message without a time of its own happened at most this long before it came, ms: two hops of a local network. */
const ARRIVAL_ERROR_MS = 300;

/**
 * The phase of one signal from a controller's messages. What is too old, comes again, or carries a clock that cannot be
 * believed is refused with its code and counted; a controller that falls silent is unknown once its last word has run out.
 * Pure: instants come in with the messages, on the node's clock, ms since 1970.
 */
export class ControllerSignal implements PhaseSource {
  readonly name = 'controller';
  readonly #config: ControllerConfig;
  readonly #record = new PhaseRecord();
  readonly #refused: Partial<Record<ErrorCode, number>> = {};
  #taken = 0;
  #lastSentAtMs: number | undefined;
  #ages: number[] = [];

  constructor(config: ControllerConfig) {
    this.#config = config;
  }

  get counters(): ControllerCounters {
    return { taken: this.#taken, refused: { ...this.#refused } };
  }

  get phases(): readonly SourcePhase[] {
    return this.#record.phases;
  }

  /** The clock's error and the way of the message cannot be told apart: the largest age of late is the bound of both. */
  get errorMs(): number {
    if (this.#config.clock === 'node') return ARRIVAL_ERROR_MS;
    return Math.max(LEAST_ERROR_MS, ...this.#ages.map(Math.abs));
  }

  phaseAt(atMs: number): SourcePhase | undefined {
    return this.#record.phaseAt(atMs);
  }

  /** Takes one message as it arrives. Returns why it was refused, undefined where it was taken. */
  take(
    message: { payload: Uint8Array; retained: boolean },
    receivedAtMs: number,
  ): MessageRefusal | undefined {
    const statement = decodeControllerMessage(message.payload, this.#config);
    const refusal = 'code' in statement ? statement : this.#judge(statement, message.retained, receivedAtMs);
    if (refusal !== undefined) {
      this.#refused[refusal.code] = (this.#refused[refusal.code] ?? 0) + 1;
      return refusal;
    }
    if ('code' in statement) return statement;
    this.#taken += 1;
    const { state, validMs = this.#config.validMs } = statement;
    const ownTime = this.#config.clock === 'controller';
    const atMs = ownTime ? (statement.sentAtMs ?? receivedAtMs) : receivedAtMs;
    const since = ownTime && statement.sinceMs !== undefined ? { sinceMs: statement.sinceMs } : {};
    this.#record.hold({ state, atMs, ...since, untilMs: atMs + validMs });
    return undefined;
  }

  #judge(
    { sentAtMs, sinceMs, validMs = this.#config.validMs }: ControllerStatement,
    retained: boolean,
    receivedAtMs: number,
  ): MessageRefusal | undefined {
    const { clock, maxClockErrorMs } = this.#config;
    if (clock === 'node') {
      if (!retained) return undefined;
      return { code: 'SIGNAL_STALE', reason: 'a retained message without a time of its own' };
    }
    if (sentAtMs === undefined) return { code: 'MESSAGE_INVALID', reason: '/sentAt: Expected a time' };
    if (sinceMs !== undefined && sinceMs > sentAtMs) {
      return { code: 'MESSAGE_INVALID', reason: '/since: Expected a time before sentAt' };
    }
    const ageMs = receivedAtMs - sentAtMs;
    if (retained && ageMs > validMs) {
      return { code: 'SIGNAL_STALE', reason: `retained, ${ageMs} ms old, valid ${validMs} ms` };
    }
    if (ageMs < -maxClockErrorMs || (!retained && ageMs > maxClockErrorMs)) {
      return { code: 'SIGNAL_CLOCK', reason: `sentAt is ${ageMs} ms before the node’s clock` };
    }
    if (this.#lastSentAtMs !== undefined && sentAtMs <= this.#lastSentAtMs) {
      return { code: 'SIGNAL_STALE', reason: `sent ${this.#lastSentAtMs - sentAtMs} ms before the last one` };
    }
    this.#lastSentAtMs = sentAtMs;
    if (!retained) this.#ages = [...this.#ages, ageMs].slice(-AGES_KEPT);
    return undefined;
  }
}
