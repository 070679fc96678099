import { type Ack, errorMessage, NgatuError, parseTopic, SCHEMA_VERSION } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { CommitItem, CommitOutcome, DeadLetter, EventStore } from '../store/event-store.ts';
import type { SeriesPoint, SeriesStore } from '../store/series-store.ts';
import type { IntakeQueue, ReceivedMessage } from './intake-queue.ts';
import { decodeMessage, type Intake } from './message-intake.ts';
import type { ReceiptDesk } from './receipt-desk.ts';

export interface CommitLoopParts {
  readonly queue: IntakeQueue;
  readonly events: EventStore;
  readonly series: SeriesStore;
  /** Judges what nodes seal. */
  readonly receipts?: Pick<ReceiptDesk, 'receive'>;
  /** Sends an acknowledgement; where there is no connection it is left out, and the node sends again. */
  readonly publishAck: (site: string, node: string, ack: Ack) => void;
  /** Held while the event store does not answer, so that the nodes keep what they have instead of the broker. */
  readonly intake?: { hold(): void; resume(): void };
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
}

/** Since the start of the process. */
interface CommitCounters {
  committed: number;
  duplicates: number;
  rejected: number;
  deadLettered: number;
  seriesFailures: number;
  lastCommitAtMs?: number;
}

/** Whether each store took what it was last given. */
interface StoreHealth {
  events: 'ok' | 'failing';
  series: 'ok' | 'failing';
}

const BATCH_MESSAGES = 200;
const GATHER_MS = 5;
/** Wait before a batch that the store did not take is tried again; doubled up to the cap, ms. */
const RETRY = { firstMs: 500, capMs: 5_000 } as const;
/** A store that has not answered for this long: nothing more is taken from the broker until it does, ms. */
const HOLD_AFTER_MS = 2_000;

interface Settled extends Pick<CommitItem, 'site' | 'node' | 'outboxId' | 'seq'> {
  readonly refusal?: { code: Ack['rejected'][number]['code']; reason: string };
}

/**
 * Gathers what has arrived, commits it in one transaction, writes the series, and only then acknowledges. A store that
 * does not answer is tried again with the same batch while the queue fills to its bound.
 * @throws NgatuError STORE_CORRUPT, PERMISSION_DENIED: somebody has to look
 */
export class CommitLoop {
  readonly counters: CommitCounters = {
    committed: 0,
    duplicates: 0,
    rejected: 0,
    deadLettered: 0,
    seriesFailures: 0,
  };
  readonly stores: StoreHealth = { events: 'ok', series: 'ok' };
  readonly #parts: CommitLoopParts;
  /** The write of the last batch's measurements, and its acknowledgement; it never fails. */
  #measuring: Promise<void> = Promise.resolve();

  constructor(parts: CommitLoopParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { queue } = this.#parts;
    while (!signal.aborted) {
      await queue.waitFor(1, signal);
      await queue.waitFor(BATCH_MESSAGES, signal, GATHER_MS);
      const batch = queue.take(BATCH_MESSAGES);
      if (batch.length > 0) await this.#commitUntilDone(batch, signal);
    }
    await this.#measuring;
  }

  async #commitUntilDone(batch: readonly ReceivedMessage[], signal: AbortSignal): Promise<void> {
    const { queue, intake, logger, clock } = this.#parts;
    const startedAtMs = clock.nowMs();
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        // Seals take long to prove: what happened is committed and acknowledged before its evidence.
        for (const part of splitEvidence(batch)) await this.#commit(part);
        this.stores.events = 'ok';
        intake?.resume();
        return;
      } catch (error) {
        this.stores.events = 'failing';
        if (!(error instanceof NgatuError) || !error.retryable) throw error;
        logger.error({ code: error.code, waiting: queue.length }, error.message);
        if (clock.nowMs() - startedAtMs >= HOLD_AFTER_MS) intake?.hold();
        const waitMs = Math.min(RETRY.capMs, RETRY.firstMs * 2 ** Math.min(attempt, 16));
        await queue.waitFor(Number.POSITIVE_INFINITY, signal, waitMs);
      }
    }
  }

  async #commit(batch: readonly ReceivedMessage[]): Promise<void> {
    const { events, clock } = this.#parts;
    const receivedAt = new Date(clock.nowMs()).toISOString();
    const intakes = batch.map((message) => ({
      message,
      intake: decodeMessage(message.topic, message.payload, receivedAt),
    }));
    for (const { intake } of intakes) {
      if (intake.kind === 'state') events.setNodeState(intake.site, intake.node, intake.state, receivedAt);
    }
    const items = await Promise.all(
      intakes.flatMap(({ message, intake }) =>
        intake.kind === 'item' ? [this.#takeCustody(message, intake.item, receivedAt)] : [],
      ),
    );
    const outcomes = this.#commitItems(
      items.map(({ item }) => item),
      receivedAt,
    );
    const letters = intakes.flatMap(({ intake }) => (intake.kind === 'refused' ? [intake.letter] : []));
    const settled: Settled[] = letters.flatMap(toSettled);
    const accepted: CommitItem[] = [];
    for (const [index, { message, item }] of items.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) throw new Error('the event store left an item without outcome');
      if (outcome.outcome === 'rejected') {
        const { code, reason } = outcome;
        letters.push({ ...message, code, reason, receivedAt, settles: item });
        settled.push({ ...item, refusal: { code, reason } });
      } else accepted.push(item);
    }
    if (letters.length > 0) events.appendDeadLetters(letters);
    this.#count(outcomes, letters);
    const isMeasured = ({ message }: CommitItem): boolean => message.channel === 'telemetry';
    settled.push(...accepted.filter((item) => !isMeasured(item)));
    // An event does not wait for the measurements that came with it.
    this.#acknowledge(settled);
    this.counters.lastCommitAtMs = clock.nowMs();
    // The next batch is committed while these are written; more than one write does not wait.
    await this.#measuring;
    this.#measuring = this.#writeSeries(accepted.filter(isMeasured)).then((written) =>
      this.#acknowledge(written),
    );
  }

  /** Evidence goes to the store with what the receipt desk says of it. */
  async #takeCustody(
    message: ReceivedMessage,
    item: CommitItem,
    receivedAt: string,
  ): Promise<{ message: ReceivedMessage; item: CommitItem }> {
    const { receipts } = this.#parts;
    if (item.message.channel !== 'evidence' || receipts === undefined) return { message, item };
    // A repetition needs no second receipt, and a slow centre no needless work.
    if (this.#parts.events.delivery.isSettled(item.outboxId, item.seq)) return { message, item };
    const custody = await receipts.receive(item.message.body, receivedAt);
    return { message, item: { ...item, message: { ...item.message, custody } } };
  }

  /** One transaction; where it fails in a way that nobody foresaw, one each, so that one message cannot stop the others. */
  #commitItems(items: readonly CommitItem[], ingestedAt: string): CommitOutcome[] {
    const { events, logger } = this.#parts;
    if (items.length === 0) return [];
    try {
      return events.commit(items, ingestedAt);
    } catch (error) {
      if (error instanceof NgatuError && error.code !== 'INTERNAL') throw error;
      logger.error({ code: 'INTERNAL', error: errorMessage(error) }, 'batch failed: committing one by one');
    }
    return items.flatMap((item): CommitOutcome[] => {
      try {
        return events.commit([item], ingestedAt);
      } catch (error) {
        if (error instanceof NgatuError && error.code !== 'INTERNAL') throw error;
        return [{ outcome: 'rejected', code: 'INTERNAL', reason: errorMessage(error).slice(0, 400) }];
      }
    });
  }

  /**
   * Writes the measurements, also those of duplicates: the process may have died between the two stores. Returns what may
   * be acknowledged; telemetry whose measurements could not be written is left out, and the node sends it again.
   */
  async #writeSeries(accepted: readonly CommitItem[]): Promise<readonly CommitItem[]> {
    const points = accepted.flatMap(toPoints);
    if (points.length === 0) return accepted;
    try {
      await this.#parts.series.write(points);
      this.stores.series = 'ok';
      return accepted;
    } catch (error) {
      this.stores.series = 'failing';
      this.counters.seriesFailures++;
      this.#parts.logger.error(
        { code: 'STORE_UNAVAILABLE', error: errorMessage(error) },
        'measurements not written',
      );
      return [];
    }
  }

  #count(outcomes: readonly CommitOutcome[], letters: readonly DeadLetter[]): void {
    for (const { outcome } of outcomes) {
      if (outcome === 'committed') this.counters.committed++;
      else if (outcome === 'duplicate') this.counters.duplicates++;
      else this.counters.rejected++;
    }
    this.counters.deadLettered += letters.length;
    for (const { topic, code, reason } of letters)
      this.#parts.logger.warn({ topic, code, reason }, 'message dead-lettered');
  }

  #acknowledge(settled: readonly Settled[]): void {
    const acks = new Map<string, { site: string; node: string; ack: Ack }>();
    for (const { site, node, outboxId, seq, refusal } of settled) {
      const key = `${site}/${node}/${outboxId}`;
      let entry = acks.get(key);
      if (entry === undefined) {
        entry = { site, node, ack: { schemaVersion: SCHEMA_VERSION, outboxId, committed: [], rejected: [] } };
        acks.set(key, entry);
      }
      if (refusal === undefined) entry.ack.committed.push(seq);
      else entry.ack.rejected.push({ seq, ...refusal });
    }
    for (const { site, node, ack } of acks.values()) this.#parts.publishAck(site, node, ack);
  }
}

function splitEvidence(batch: readonly ReceivedMessage[]): readonly ReceivedMessage[][] {
  const isEvidence = ({ topic }: ReceivedMessage): boolean => parseTopic(topic)?.channel === 'evidence';
  const parts = [batch.filter((message) => !isEvidence(message)), batch.filter(isEvidence)];
  return parts.filter(({ length }) => length > 0);
}

function toSettled({ settles, code, reason }: Extract<Intake, { kind: 'refused' }>['letter']): Settled[] {
  return settles === undefined ? [] : [{ ...settles, refusal: { code, reason } }];
}

function toPoints({ site, node, outboxId, seq, message }: CommitItem): SeriesPoint[] {
  if (message.channel !== 'telemetry') return [];
  const { camera, measurements } = message.body;
  return measurements.map((measurement, ordinal) => ({
    ...measurement,
    site,
    node,
    ...(camera === undefined ? {} : { camera }),
    outboxId,
    seq,
    ordinal,
  }));
}
