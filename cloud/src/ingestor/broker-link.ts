import { Socket } from 'node:net';
import { type Ack, buildChannelFilter, buildTopic, errorMessage, NUMBERED_CHANNELS } from '@ngatu/contract';
import { connect, type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import type { IntakeQueue } from './intake-queue.ts';

export interface IngestorBroker {
  /** `mqtt://` or `mqtts://`, without user name and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const KEEPALIVE_SECONDS = 30;
const RECONNECT = { firstMs: 250, capMs: 2_000 };
/** Messages that the broker sends before it waits for our answers. */
const RECEIVE_MAXIMUM = 200;
const FAREWELL_MS = 1_000;

/**
 * The ingestor's connection to the broker. It keeps no session there: what was in flight when it broke is sent again by
 * the nodes. The PUBACK says only that the queue has room for the next message; the proof is the Ack after the commit.
 */
export class BrokerLink {
  readonly #broker: IngestorBroker;
  readonly #queue: IntakeQueue;
  readonly #logger: Logger;
  readonly #random: () => number;
  #client: MqttClient | undefined;
  #subscribed = false;
  #connections = 0;

  constructor(parts: { broker: IngestorBroker; queue: IntakeQueue; logger: Logger; random: () => number }) {
    this.#broker = parts.broker;
    this.#queue = parts.queue;
    this.#logger = parts.logger;
    this.#random = parts.random;
  }

  /** True while messages can arrive. */
  get isConnected(): boolean {
    return this.#subscribed && this.#client?.connected === true;
  }

  /** How often it has connected: after a break the broker may have forgotten what it retained. */
  get connections(): number {
    return this.#connections;
  }

  /** Stays connected until `signal` aborts, beginning again after each break. */
  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      const held = await this.#holdConnection(signal);
      if (held) attempt = 0;
      const fullMs = Math.min(RECONNECT.capMs, RECONNECT.firstMs * 2 ** Math.min(attempt, 30));
      await wait(fullMs * (0.5 + this.#random() / 2), signal);
    }
  }

  publishAck(site: string, node: string, ack: Ack): void {
    const client = this.#client;
    if (client?.connected !== true) return;
    client.publish(buildTopic({ site, node, channel: 'ack' }), JSON.stringify(ack), { qos: 1 }, (error) => {
      if (error) this.#logger.debug({ site, node, error: errorMessage(error) }, 'acknowledgement not sent');
    });
  }

  /** Publishes and leaves the message at the broker for whoever comes later. False where it did not get there. */
  async publishRetained(topic: string, payload: string): Promise<boolean> {
    const client = this.#client;
    if (client?.connected !== true) return false;
    try {
      await client.publishAsync(topic, payload, { qos: 1, retain: true });
      return true;
    } catch (error) {
      this.#logger.debug({ topic, error: errorMessage(error) }, 'retained message not sent');
      return false;
    }
  }

  /** One connection until its end. Returns whether it was ever ready. */
  async #holdConnection(signal: AbortSignal): Promise<boolean> {
    const { url, username, password } = this.#broker;
    const client = connect(url, {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      protocolVersion: 5,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: KEEPALIVE_SECONDS,
      resubscribe: false,
      properties: { receiveMaximum: RECEIVE_MAXIMUM },
    });
    this.#client = client;
    let lastError: string | undefined;
    client.on('error', (error) => {
      lastError = error.message;
    });
    client.handleMessage = (packet, proceed) => {
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
      this.#queue.offer({ topic: packet.topic, payload }, () => proceed());
    };
    client.on('connect', () => void this.#subscribe(client));
    await ended(client, signal);
    const wasReady = this.#subscribed;
    this.#subscribed = false;
    this.#client = undefined;
    if (signal.aborted) await Promise.race([client.endAsync(), wait(FAREWELL_MS)]);
    else
      this.#logger.warn(
        { code: 'BROKER_UNREACHABLE', broker: url, error: lastError },
        'connection to broker ended',
      );
    client.end(true);
    return wasReady;
  }

  async #subscribe(client: MqttClient): Promise<void> {
    // Small packets must not wait for the answer to the one before (Nagle with delayed ACK: 40 ms a hop).
    if (client.stream instanceof Socket) client.stream.setNoDelay(true);
    const filters = [...NUMBERED_CHANNELS, 'state' as const].map(buildChannelFilter);
    try {
      await client.subscribeAsync(filters, { qos: 1 });
      this.#subscribed = true;
      this.#connections += 1;
      this.#logger.info({ broker: this.#broker.url }, 'ingestor connected');
    } catch (error) {
      this.#logger.error(
        { code: 'BROKER_UNREACHABLE', error: errorMessage(error) },
        'broker refused subscription',
      );
      client.end(true);
    }
  }
}

function ended(client: MqttClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      client.off('close', finish);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    client.once('close', finish);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish, { once: true });
  });
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    if (signal?.aborted === true) finish();
    else signal?.addEventListener('abort', finish, { once: true });
  });
}
