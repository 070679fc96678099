import { randomUUID } from 'node:crypto';
import { type ErrorCode, NgatuError, type NumberedChannel, type SeqRange } from '@ngatu/contract';
import type { Logger } from 'pino';
import { computeBackoffMs, pause } from './backoff.ts';
import { type BrokerAddress, isConnectionFailure } from './broker-connection.ts';
import type { ByteAccount } from './byte-account.ts';
import type { DirectiveBook } from './directive-book.ts';
import type { NodeIdentity } from './node-state.ts';
import { UplinkSession } from './uplink-session.ts';

/** What the uplink needs of the outbox. */
export interface UplinkOutbox {
  readonly outboxId: string;
  readonly leasedCount: number;
  lease(
    limit: number,
    leaseMs: number,
    limits?: { readonly bytes?: number; readonly backlog?: number },
  ): { seq: number; channel: NumberedChannel; body: string; camera: string | null }[];
  releaseLeases(seqs?: readonly number[]): void;
  extendLeases(leaseMs: number): void;
  ack(seqs: readonly number[]): number;
  nack(seq: number, code: ErrorCode, reason: string): boolean;
  /** Sends again, restores or explains numbers that the centre misses. */
  resend(ranges: readonly SeqRange[]): { waiting: number; restored: number; gone: number };
  /** Takes a new identity because this number is another machine's; false where it does not wait, or this was done a moment ago. */
  renewIdentity(seq: number): boolean;
  pending(): ReturnType<NodeIdentity['outbox']['pending']>;
  onAppend(listener: () => void): () => void;
}

export interface UplinkOptions {
  readonly outbox: UplinkOutbox;
  readonly broker: BrokerAddress;
  readonly site: string;
  readonly node: string;
  /** Names of the node's cameras, for its retained state. */
  readonly cameras: readonly string[];
  /** Version of the agent, for its retained state. */
  readonly version: string;
  /** The detector that serves, for the node's retained state. */
  readonly detector?: NodeIdentity['detector'];
  /** The networks beside it, for the same. */
  readonly networks?: NodeIdentity['networks'];
  /** Takes the centre's directives; without it none are listened for. */
  readonly directives?: Pick<DirectiveBook, 'take' | 'revision'>;
  /** Takes the payloads of the `request` channel (the centre asks for evidence files); without it none are listened for. */
  readonly requests?: { take(payload: Uint8Array): void };
  /** Counts what is sent; without it nothing is counted. */
  readonly account?: Pick<ByteAccount, 'add' | 'totals'>;
  readonly logger: Logger;
  /** Wall clock, ms since 1970, and a clock that never steps back, ms. */
  readonly clock: { nowMs(): number; monotonicMs(): number };
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** At most this many entries are sent and not yet acknowledged. */
  readonly window?: number;
  /** An entry that the ingestor has not acknowledged is sent again after this at the earliest, ms; later where it is slow. */
  readonly leaseMs?: number;
}

/** Who was thrown out by a client of the same name leaves it this long, so that both get their turn, ms. */
const TAKEN_OVER_MS = 5_000;
const RECONNECT = { firstMs: 250, capMs: 2_000 };
/** A session that held this long was a success: the next reconnect starts with the shortest wait, ms. */
const STABLE_SESSION_MS = 5_000;

/**
 * Carries the outbox to the centre until `signal` aborts: connects, sends what is most urgent within a window, deletes
 * what the ingestor acknowledges, and begins again with whatever is left after each break. Never throws for a broker that
 * is away or for a disk that is full; an outbox that no new attempt can cure is thrown to the caller.
 * @throws NgatuError of the outbox (OUTBOX_CORRUPT)
 */
export async function runUplink(options: UplinkOptions, signal: AbortSignal): Promise<void> {
  const bootId = randomUUID();
  const { logger, random, clock } = options;
  for (let attempt = 0; !signal.aborted; attempt++) {
    const startedAt = clock.monotonicMs();
    try {
      const session = await UplinkSession.open(options, bootId, signal);
      if ((await session.run(signal)) === 'taken-over') {
        const message = 'another client uses the name of this node and its outbox at the broker';
        logger.error({ code: 'OUTBOX_CONFLICT', site: options.site, node: options.node }, message);
        await pause(TAKEN_OVER_MS * (1 + random()), signal);
      }
    } catch (error) {
      // A disk that refuses an acknowledgement is no reason to stop watching: what it did not take is sent and acknowledged again.
      const isPassing = error instanceof NgatuError && (isConnectionFailure(error) || error.retryable);
      if (!isPassing) throw error;
      if (!signal.aborted) logger.warn({ code: error.code, attempt }, error.message);
    }
    if (signal.aborted) return;
    if (clock.monotonicMs() - startedAt >= STABLE_SESSION_MS) attempt = 0;
    await pause(computeBackoffMs(attempt, RECONNECT, random), signal);
  }
}
