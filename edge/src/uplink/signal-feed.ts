import { errorMessage, NgatuError } from '@ngatu/contract';
import type { MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { computeBackoffMs, pause } from './backoff.ts';
import { type BrokerAddress, isConnectionFailure, openBrokerConnection } from './broker-connection.ts';

/** Takes the messages of one topic; returns why one was refused, undefined where it was taken. */
export interface SignalSink {
  readonly topic: string;
  take(
    message: { payload: Uint8Array; retained: boolean },
    receivedAtMs: number,
  ): { readonly code: string; readonly reason: string } | undefined;
}

export interface SignalFeedOptions {
  readonly broker: BrokerAddress;
  /** Name at the broker; another connection under the same name would end this one. */
  readonly clientId: string;
  readonly sinks: readonly SignalSink[];
  readonly clock: { nowMs(): number; monotonicMs(): number };
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

const RECONNECT = { firstMs: 250, capMs: 2_000 };
const STABLE_MS = 5_000;
/** A controller that talks nonsense is named in the log once in this time, ms; every refusal is counted. */
const COMPLAIN_EVERY_MS = 60_000;

/**
 * Listens to signal controllers on one broker until `signal` aborts, on a connection of its own: a controller that floods it
 * cannot hold up the node's events. A broker that is away is tried again; meanwhile the sources fall silent by themselves.
 */
export async function runSignalFeed(options: SignalFeedOptions, signal: AbortSignal): Promise<void> {
  const { broker, clientId, clock, random, logger } = options;
  const complaints = new Map<string, number>();
  for (let attempt = 0; !signal.aborted; attempt++) {
    const startedAt = clock.monotonicMs();
    try {
      const client = await openBrokerConnection(broker, { clientId }, signal);
      await listen(client, options, complaints, signal);
    } catch (error) {
      if (!(error instanceof NgatuError) || !isConnectionFailure(error)) throw error;
      if (!signal.aborted) logger.warn({ code: error.code, attempt }, error.message);
    }
    if (clock.monotonicMs() - startedAt >= STABLE_MS) attempt = 0;
    await pause(computeBackoffMs(attempt, RECONNECT, random), signal);
  }
}

async function listen(
  client: MqttClient,
  { sinks, broker, clock, logger }: SignalFeedOptions,
  complaints: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  client.on('message', (topic, payload, { retain }) => {
    for (const sink of sinks) {
      if (sink.topic !== topic) continue;
      const refusal = sink.take({ payload, retained: retain }, clock.nowMs());
      if (refusal === undefined) continue;
      const key = `${topic} ${refusal.code}`;
      if (clock.monotonicMs() - (complaints.get(key) ?? Number.NEGATIVE_INFINITY) < COMPLAIN_EVERY_MS)
        continue;
      complaints.set(key, clock.monotonicMs());
      logger.warn({ topic, code: refusal.code }, `Cannot take a signal message: ${refusal.reason}`);
    }
  });
  const ended = new Promise<void>((resolve) => {
    client.once('close', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted || !client.connected) resolve();
  });
  try {
    const topics = [...new Set(sinks.map(({ topic }) => topic))];
    const granted = await client.subscribeAsync(topics, { qos: 1 });
    for (const { topic, qos } of granted) {
      if (qos >= 128) logger.error({ code: 'FORBIDDEN', topic }, 'the broker refused the topic of a signal');
    }
    logger.info({ broker: broker.url, topics: topics.length }, 'listening to signal controllers');
    await ended;
  } catch (error) {
    const message = `Cannot listen to signal controllers at ${broker.url}: ${errorMessage(error)}`;
    throw new NgatuError('BROKER_UNREACHABLE', message, { retryable: true, cause: error });
  } finally {
    client.end(true);
  }
}
