import { errorMessage, type JsonPlace, NgatuError } from '@ngatu/contract';
import { describeTlsError, openDeviceTls } from '@ngatu/trust';
import { connect, type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { decodePayload, findSample } from './payload-value.ts';
import { computeRetryDelayMs, waitFor, waitForAbort } from './retry-delay.ts';
import type { DeviceBroker, SampleSink, SensorClock } from './sensor-sample.ts';

/** A quantity that is published. */
export interface PublishedReading {
  readonly topic: string;
  readonly place: JsonPlace;
  readonly sink: SampleSink;
}

export interface DeviceFeedOptions {
  readonly broker: DeviceBroker;
  /** Name at the broker; another connection under the same name would end this one. */
  readonly clientId: string;
  readonly readings: readonly PublishedReading[];
  readonly clock: SensorClock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** A message of a device is small; the broker is asked to send no larger packet, bytes. */
const MAX_PAYLOAD_BYTES = 65_536;
const PACKET_BYTES = MAX_PAYLOAD_BYTES + 1_024;
const CONNECT_TIMEOUT_MS = 5_000;
const KEEPALIVE_SECONDS = 10;
const STABLE_MS = 10_000;
const COMPLAIN_EVERY_MS = 60_000;

/**
 * Listens to the devices of one broker until `signal` aborts. A broker that is away is tried again with growing delays; meanwhile the
 * readings fall silent, which is told as a gap.
 */
export async function runDeviceFeed(options: DeviceFeedOptions, signal: AbortSignal): Promise<void> {
  const { clock, random, logger } = options;
  const complaints = new Map<string, number>();
  for (let failures = 1; !signal.aborted; failures++) {
    const startedAtMs = clock.monotonicMs();
    try {
      await listen(options, complaints, signal);
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      if (!signal.aborted) logger.warn({ code: error.code, failures }, error.message);
    }
    if (clock.monotonicMs() - startedAtMs >= STABLE_MS) failures = 1;
    await waitFor(computeRetryDelayMs(failures, random), signal);
  }
}

async function listen(
  options: DeviceFeedOptions,
  complaints: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const { broker, clientId, readings, logger } = options;
  const client = connect(broker.url, {
    ...(broker.tls === undefined ? {} : openDeviceTls(broker.tls)),
    clientId,
    ...(broker.username === undefined ? {} : { username: broker.username }),
    ...(broker.password === undefined ? {} : { password: broker.password }),
    protocolVersion: 5,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepalive: KEEPALIVE_SECONDS,
    resubscribe: false,
    properties: { maximumPacketSize: PACKET_BYTES },
  });
  client.on('message', (topic, payload, { retain }) => {
    deliver({ topic, payload, retained: retain }, options, complaints);
  });
  let failure: Error | undefined;
  // Stays for the life of the client: an 'error' event that nobody hears would end the process.
  client.on('error', (error) => {
    failure = error;
  });
  const ended = new AbortController();
  client.once('close', () => ended.abort(failure ?? new Error('connection closed')));
  const either = AbortSignal.any([signal, ended.signal]);
  try {
    await waitForConnect(client, either);
    const granted = await client.subscribeAsync([...new Set(readings.map(({ topic }) => topic))], { qos: 0 });
    for (const { topic, qos } of granted)
      if (qos >= 128) logger.error({ code: 'FORBIDDEN', topic }, 'the broker refused the topic of a sensor');
    logger.info({ broker: broker.url, topics: granted.length }, 'listening to sensors');
    await waitForAbort(either);
  } catch (error) {
    const cause = failure ?? ended.signal.reason ?? error;
    const refusal = describeTlsError(cause, `listen to sensors at ${broker.url}`);
    if (refusal !== undefined) throw refusal;
    const message = `Cannot listen to sensors at ${broker.url}: ${errorMessage(cause)}`;
    throw new NgatuError('SENSOR_UNREACHABLE', message, { retryable: true, cause: error });
  } finally {
    client.end(true);
  }
}

function waitForConnect(client: MqttClient, ended: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve());
    const refuse = (): void => reject(ended.reason);
    if (ended.aborted) refuse();
    else ended.addEventListener('abort', refuse, { once: true });
  });
}

interface DeviceMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
}

function deliver(
  { topic, payload, retained }: DeviceMessage,
  { readings, clock, logger }: DeviceFeedOptions,
  complaints: Map<string, number>,
): void {
  const isTooLarge = payload.length > MAX_PAYLOAD_BYTES;
  const decoded = isTooLarge ? undefined : decodePayload(payload);
  for (const { place, sink, topic: own } of readings) {
    if (own !== topic) continue;
    const sample = isTooLarge
      ? ({ fault: 'garbled', reason: `${payload.length} bytes, limit ${MAX_PAYLOAD_BYTES}` } as const)
      : findSample(decoded, place);
    // nobody knows how old a retained message without a time is
    const isStale = retained && 'raw' in sample && sample.deviceAtMs === undefined;
    sink.take(isStale ? { fault: 'stale', reason: 'a retained message without a time' } : sample);
    if (!('fault' in sample)) continue;
    const nowMs = clock.monotonicMs();
    if (nowMs - (complaints.get(topic) ?? Number.NEGATIVE_INFINITY) < COMPLAIN_EVERY_MS) continue;
    complaints.set(topic, nowMs);
    logger.warn({ code: 'SENSOR_GARBLED', topic }, `Cannot take a message of a sensor: ${sample.reason}`);
  }
}
