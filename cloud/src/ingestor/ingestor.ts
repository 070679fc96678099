import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { runRetention } from '../privacy/retention-run.ts';
import { buildCentrePaths } from '../store/centre-path.ts';
import { FolderEvidenceStore } from '../store/folder-evidence-store.ts';
import { openSeriesStore } from '../store/series-settings.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';
import { BrokerLink, type IngestorBroker } from './broker-link.ts';
import { CommitLoop } from './commit-loop.ts';
import { runDirectivePublisher } from './directive-publisher.ts';
import { runErasureOrders } from './erasure-order.ts';
import { GapAsker } from './gap-asker.ts';
import { openIngestListener } from './ingest-listener.ts';
import { IntakeQueue } from './intake-queue.ts';
import { ReceiptDesk } from './receipt-desk.ts';
import { UploadDesk } from './upload-desk.ts';
import { UploadParts } from './upload-parts.ts';
import { runRequestPublisher } from './upload-request-publisher.ts';

export interface IngestorConfig {
  /** Folder of the centre's databases and evidence. */
  readonly dataDir: string;
  readonly broker: IngestorBroker;
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Listener with mutual TLS for the evidence of nodes; `identityDir` is that of the centre. */
  readonly tls?: {
    readonly identityDir: string;
    readonly listen: { readonly host: string; readonly port: number };
  };
  /** Bearer token of the nodes for evidence in the clear, on closed networks. */
  readonly nodeToken?: string;
  /** Bearer token of the centre's other processes, for the series. */
  readonly internalToken: string;
  readonly logger: Logger;
}

const QUEUE_LIMITS = { messages: 2_000, bytes: 32 * 1024 * 1024 };

/**
 * Runs one ingestor until `signal` aborts: stores, HTTP listener, connection to the broker, commits. `onReady` gets the
 * address of the listener once the stores are open; the broker may still be away then.
 * @throws NgatuError IDENTITY_INVALID, SERIES_SETTINGS_INVALID, STORE_CORRUPT, STORE_UNAVAILABLE, PERMISSION_DENIED, DISK_FULL, PORT_TAKEN
 */
export async function runIngestor(
  config: IngestorConfig,
  onReady: (address: { readonly url: string; readonly uploadUrl?: string }) => void,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir, broker, listen, tls, nodeToken, internalToken, logger } = config;
  await mkdir(dataDir, { recursive: true });
  const paths = buildCentrePaths(dataDir);
  const clock = { nowMs: () => Date.now() };
  const identityDir = tls?.identityDir ?? join(dataDir, 'identity');
  const receipts = await ReceiptDesk.open({ dir: identityDir, logger });
  using events = SqliteEventStore.open(paths.events);
  const evidence = await FolderEvidenceStore.open(paths.evidence, { sweepPartial: true });
  const uploadParts = await UploadParts.open(join(paths.evidence, 'parts'));
  const desk = new UploadDesk({ events, evidence, parts: uploadParts, logger, clock });
  const series = await openSeriesStore(dataDir);
  const stop = new AbortController();
  const stopAll = (): void => stop.abort();
  signal.addEventListener('abort', stopAll, { once: true });
  if (signal.aborted) stopAll();
  try {
    const queue = new IntakeQueue(QUEUE_LIMITS);
    const link = new BrokerLink({ broker, queue, logger, random: Math.random });
    const publishAck = link.publishAck.bind(link);
    const loop = new CommitLoop({ queue, events, series, receipts, publishAck, intake: link, logger, clock });
    const gaps = new GapAsker({ delivery: events.delivery, link, logger, clock });
    const readHealth = () => ({
      ok: link.isConnected && loop.stores.events === 'ok' && loop.stores.series === 'ok',
      broker: link.isConnected ? 'connected' : link.isHeld ? 'held' : 'away',
      stores: loop.stores,
      waiting: queue.length,
      deadLetters: events.countDeadLetters(),
      ...loop.counters,
      ...gaps.figures,
      rssBytes: process.memoryUsage.rss(),
    });
    await using listener = await openIngestListener(
      { listen, tls },
      {
        ...{ events, series, desk, uploadParts, internalToken, logger, clock, readHealth },
        ...(nodeToken === undefined ? {} : { nodeToken }),
      },
    );
    onReady(listener.address);
    // A part that fails stops the others: its error is the process's.
    const directives = runDirectivePublisher(
      { directives: events.directives, link, logger, clock },
      stop.signal,
    );
    const requests = runRequestPublisher({ transfers: events.transfers, link, logger, clock }, stop.signal);
    const parts = [
      link.run(stop.signal),
      loop.run(stop.signal),
      directives,
      requests,
      desk.run(stop.signal),
      gaps.run(stop.signal),
      runRetention({ events, evidence, clock, dataDir, logger }, stop.signal),
      runErasureOrders({ privacy: events.privacy, link, logger, clock }, stop.signal),
    ].map((part) => part.finally(stopAll));
    const results = await Promise.allSettled(parts);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  } finally {
    signal.removeEventListener('abort', stopAll);
    await series.close();
  }
}
