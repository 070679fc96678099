import { setTimeout as sleep } from 'node:timers/promises';
import { buildTopic, type EvidenceRequest, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { PrivacyStore } from '../store/privacy-store.ts';
import type { BrokerLink } from './broker-link.ts';

interface OrderParts {
  readonly privacy: Pick<PrivacyStore, 'listNodeErasures'>;
  readonly link: Pick<BrokerLink, 'isConnected' | 'publishOnce'>;
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
}

const POLL_EVERY_MS = 2_000;
/** A node that has not answered is told again after this, ms. */
const REPEAT_MS = 60_000;
/** Files in one message at most. */
const FILES_A_MESSAGE = 50;
/** An order names no case: its event is deleted already. The schema wants an id, and this one is nobody's. */
const NO_EVENT = `ev-${'0'.repeat(32)}`;

/**
 * Tells nodes to delete their copies of files whose case was deleted, until each has answered that it did. A node that is away is told
 * when it is back.
 * @throws NgatuError STORE_CORRUPT, PERMISSION_DENIED: somebody has to look
 */
export async function runErasureOrders(parts: OrderParts, signal: AbortSignal): Promise<void> {
  const againAtMs = new Map<string, number>();
  while (!signal.aborted) {
    try {
      if (parts.link.isConnected) await orderAll(parts, againAtMs);
    } catch (error) {
      if (!(error instanceof NgatuError) || !error.retryable) throw error;
      parts.logger.error({ code: error.code }, error.message);
    }
    await sleep(POLL_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function orderAll({ privacy, link, clock, logger }: OrderParts, againAtMs: Map<string, number>) {
  for (const { site, node, files } of privacy.listNodeErasures(FILES_A_MESSAGE)) {
    const nowMs = clock.nowMs();
    const key = `${site}/${node} ${files.join()}`;
    if (nowMs < (againAtMs.get(key) ?? 0)) continue;
    if (againAtMs.size > 1_000) againAtMs.clear();
    againAtMs.set(key, nowMs + REPEAT_MS);
    const askedAt = new Date(nowMs).toISOString();
    const request: EvidenceRequest = {
      schemaVersion: 1,
      askedAt,
      files: files.map((sha256) => ({
        ...{ sha256, eventId: NO_EVENT, capturedAt: askedAt, priority: 0 },
        erase: true,
      })),
    };
    const heard = await link.publishOnce(
      buildTopic({ site, node, channel: 'request' }),
      JSON.stringify(request),
    );
    if (!heard) againAtMs.set(key, nowMs + POLL_EVERY_MS);
    logger.info({ site, node, files: files.length, heard }, 'copies of deleted cases are to be deleted');
  }
}
