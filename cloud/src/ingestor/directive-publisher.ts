import { buildTopic, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { DirectiveStore } from '../store/directive-store.ts';
import type { BrokerLink } from './broker-link.ts';

interface PublisherParts {
  readonly directives: Pick<DirectiveStore, 'listRevisions' | 'buildSet'>;
  readonly link: Pick<BrokerLink, 'isConnected' | 'connections' | 'publishRetained'>;
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
}

/** The API writes directives into the store; how often it is looked at for new ones, ms. */
const POLL_EVERY_MS = 250;

/**
 * Brings every node's set of directives to the broker, retained, until `signal` aborts: what is new, and all of them after each new
 * connection, because a broker that died may have lost them. Several ingestors may do so at once; a node takes a revision once.
 * @throws NgatuError STORE_CORRUPT, PERMISSION_DENIED: somebody has to look
 */
export async function runDirectivePublisher(parts: PublisherParts, signal: AbortSignal): Promise<void> {
  let published = new Map<string, number>();
  let connection = 0;
  while (!signal.aborted) {
    if (parts.link.connections !== connection) published = new Map();
    connection = parts.link.connections;
    if (parts.link.isConnected) {
      try {
        await publishChanges(parts, published);
      } catch (error) {
        if (!(error instanceof NgatuError) || !error.retryable) throw error;
        parts.logger.error({ code: error.code }, error.message);
      }
    }
    await pause(signal);
  }
}

async function publishChanges(
  { directives, link, logger, clock }: PublisherParts,
  published: Map<string, number>,
): Promise<void> {
  for (const { site, node, revision } of directives.listRevisions()) {
    const topic = buildTopic({ site, node, channel: 'directive' });
    if (published.get(topic) === revision) continue;
    const set = directives.buildSet({ site, node }, new Date(clock.nowMs()).toISOString());
    if (set === undefined || !(await link.publishRetained(topic, JSON.stringify(set)))) continue;
    published.set(topic, set.revision);
    logger.info({ site, node, revision, directives: set.directives.length }, 'directives published');
  }
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
