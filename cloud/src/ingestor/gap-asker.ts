import { buildTopic, NgatuError, type ResendRequest, SCHEMA_VERSION } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { DeliveryFigures, DeliveryStore, ResendAsking } from '../store/delivery-store.ts';
import type { BrokerLink } from './broker-link.ts';

interface AskerParts {
  readonly delivery: Pick<DeliveryStore, 'refreshHoles' | 'listAskings' | 'noteAsked' | 'computeFigures'>;
  readonly link: Pick<BrokerLink, 'isConnected' | 'publishOnce'>;
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
}

/** How often the ledger is looked through for holes, ms. */
const LOOK_EVERY_MS = 5_000;

/**
 * Looks for numbers that are missing and asks their nodes for them, until they have come or were explained. Several ingestors may do so
 * at once: a node answers twice, which costs nothing.
 */
export class GapAsker {
  readonly #parts: AskerParts;
  #figures: DeliveryFigures = { outboxesWithHoles: 0, missingNumbers: 0, oldestHoleAgeMs: 0, conflicts: 0 };

  constructor(parts: AskerParts) {
    this.#parts = parts;
  }

  /** As of the last look. */
  get figures(): DeliveryFigures {
    return this.#figures;
  }

  /** @throws NgatuError STORE_CORRUPT, PERMISSION_DENIED: somebody has to look */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        if (!(error instanceof NgatuError) || !error.retryable) throw error;
        this.#parts.logger.error({ code: error.code }, error.message);
      }
      await pause(signal);
    }
  }

  async #look(): Promise<void> {
    const { delivery, link, clock } = this.#parts;
    const at = new Date(clock.nowMs()).toISOString();
    delivery.refreshHoles(at);
    const before = this.#figures;
    this.#figures = delivery.computeFigures(at);
    if (this.#figures.conflicts > before.conflicts)
      this.#parts.logger.error({ code: 'OUTBOX_CONFLICT' }, 'two machines speak under the name of one node');
    if (!link.isConnected) return;
    for (const asking of delivery.listAskings(at)) await this.#ask(asking, at);
  }

  async #ask(asking: ResendAsking, askedAt: string): Promise<void> {
    const { delivery, link, logger } = this.#parts;
    const { site, node, outboxId, ranges } = asking;
    const request: ResendRequest = {
      schemaVersion: SCHEMA_VERSION,
      outboxId,
      askedAt,
      ranges: ranges.map(({ from, to }) => ({ from, to })),
    };
    const topic = buildTopic({ site, node, channel: 'resend' });
    if (!(await link.publishOnce(topic, JSON.stringify(request)))) return;
    delivery.noteAsked(asking, askedAt);
    logger.warn({ site, node, outboxId, ranges: ranges.length }, 'asked a node for missing numbers');
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, LOOK_EVERY_MS);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish, { once: true });
  });
}
