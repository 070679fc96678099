import { buildTopic, EVIDENCE_REQUEST_MAX, type EvidenceRequest, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { TransferStore, WantedFiles } from '../store/transfer-store.ts';
import type { BrokerLink } from './broker-link.ts';

interface PublisherParts {
  readonly transfers: Pick<TransferStore, 'listWanted'>;
  readonly link: Pick<BrokerLink, 'isConnected' | 'publishOnce'>;
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
}

/** The API writes requests into the store; how often it is looked at for new ones, ms. */
const POLL_EVERY_MS = 250;
/** What was asked and not answered is asked again after this, ms; a node that is uploading takes it as said before. */
const REPEAT_MS = 30_000;
/** A node that was not there is asked again after this, ms. */
const NOBODY_MS = 2_000;

interface Asked {
  readonly digests: string;
  readonly againAtMs: number;
}

/**
 * Asks nodes for the files that are wanted of them, until each has arrived or the node has said that it is gone. Several ingestors may
 * ask at once: a node takes a request any number of times.
 * @throws NgatuError STORE_CORRUPT, PERMISSION_DENIED: somebody has to look
 */
export async function runRequestPublisher(parts: PublisherParts, signal: AbortSignal): Promise<void> {
  const asked = new Map<string, Asked>();
  while (!signal.aborted) {
    if (parts.link.isConnected) {
      try {
        await askAll(parts, asked);
      } catch (error) {
        if (!(error instanceof NgatuError) || !error.retryable) throw error;
        parts.logger.error({ code: error.code }, error.message);
      }
    }
    await pause(signal);
  }
}

async function askAll(parts: PublisherParts, asked: Map<string, Asked>): Promise<void> {
  const wanted = parts.transfers.listWanted(EVIDENCE_REQUEST_MAX);
  const topics = new Set<string>();
  for (const node of wanted) {
    const topic = buildTopic({ site: node.site, node: node.node, channel: 'request' });
    topics.add(topic);
    const digests = node.files.map(({ sha256, priority }) => `${sha256}:${priority}`).join();
    const last = asked.get(topic);
    if (last?.digests === digests && parts.clock.nowMs() < last.againAtMs) continue;
    const heard = await ask(parts, topic, node);
    asked.set(topic, { digests, againAtMs: parts.clock.nowMs() + (heard ? REPEAT_MS : NOBODY_MS) });
  }
  for (const topic of asked.keys()) if (!topics.has(topic)) asked.delete(topic);
}

async function ask(
  { link, clock, logger }: PublisherParts,
  topic: string,
  node: WantedFiles,
): Promise<boolean> {
  const request: EvidenceRequest = {
    schemaVersion: 1,
    askedAt: new Date(clock.nowMs()).toISOString(),
    files: node.files,
  };
  const heard = await link.publishOnce(topic, JSON.stringify(request));
  logger.debug({ site: node.site, node: node.node, files: node.files.length, heard }, 'originals asked for');
  return heard;
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, POLL_EVERY_MS);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish, { once: true });
  });
}
