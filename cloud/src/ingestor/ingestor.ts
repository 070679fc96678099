import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { NgatuError } from '@ngatu/contract';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { buildCentrePaths } from '../store/centre-path.ts';
import { DuckdbSeriesStore } from '../store/duckdb-series-store.ts';
import { FolderEvidenceStore } from '../store/folder-evidence-store.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';
import { BrokerLink, type IngestorBroker } from './broker-link.ts';
import { CommitLoop } from './commit-loop.ts';
import { runDirectivePublisher } from './directive-publisher.ts';
import { buildIngestHttp } from './ingest-http.ts';
import { IntakeQueue } from './intake-queue.ts';

export interface IngestorConfig {
  /** Folder of the centre's databases and evidence. */
  readonly dataDir: string;
  readonly broker: IngestorBroker;
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Bearer token of the nodes, for evidence. */
  readonly nodeToken: string;
  /** Bearer token of the centre's other processes, for the series. */
  readonly internalToken: string;
  readonly logger: Logger;
}

const QUEUE_LIMITS = { messages: 2_000, bytes: 32 * 1024 * 1024 };

/**
 * Runs one ingestor until `signal` aborts: stores, HTTP listener, connection to the broker, commits. `onReady` gets the
 * address of the listener once the stores are open; the broker may still be away then.
 * @throws NgatuError STORE_CORRUPT, STORE_UNAVAILABLE, PERMISSION_DENIED, DISK_FULL, PORT_TAKEN
 */
export async function runIngestor(
  config: IngestorConfig,
  onReady: (address: { readonly url: string }) => void,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir, broker, listen, nodeToken, internalToken, logger } = config;
  await mkdir(dataDir, { recursive: true });
  const paths = buildCentrePaths(dataDir);
  const clock = { nowMs: () => Date.now() };
  using events = SqliteEventStore.open(paths.events);
  const evidence = await FolderEvidenceStore.open(paths.evidence, { sweepPartial: true });
  const series = await DuckdbSeriesStore.open(paths.series);
  const stop = new AbortController();
  const stopAll = (): void => stop.abort();
  signal.addEventListener('abort', stopAll, { once: true });
  if (signal.aborted) stopAll();
  try {
    const queue = new IntakeQueue(QUEUE_LIMITS);
    const link = new BrokerLink({ broker, queue, logger, random: Math.random });
    const publishAck = link.publishAck.bind(link);
    const loop = new CommitLoop({ queue, events, series, publishAck, logger, clock });
    const readHealth = () => ({
      ok: link.isConnected && loop.stores.events === 'ok' && loop.stores.series === 'ok',
      broker: link.isConnected ? 'connected' : 'away',
      stores: loop.stores,
      waiting: queue.length,
      deadLetters: events.countDeadLetters(),
      ...loop.counters,
    });
    const http = buildIngestHttp({
      events,
      series,
      evidence,
      nodeToken,
      internalToken,
      logger,
      clock,
      readHealth,
    });
    try {
      onReady({ url: await listenOn(http, listen) });
      // A part that fails stops the others: its error is the process's.
      const directives = runDirectivePublisher(
        { directives: events.directives, link, logger, clock },
        stop.signal,
      );
      const parts = [link.run(stop.signal), loop.run(stop.signal), directives].map((part) =>
        part.finally(stopAll),
      );
      const results = await Promise.allSettled(parts);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } finally {
      await http.close();
    }
  } finally {
    signal.removeEventListener('abort', stopAll);
    await series.close();
  }
}

async function listenOn(
  http: FastifyInstance,
  { host, port }: { host: string; port: number },
): Promise<string> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') throw error;
    throw new NgatuError('PORT_TAKEN', `Cannot listen on ${host}:${port}: the port is used`, {
      cause: error,
    });
  }
  const address = http.server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
