import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import {
  type Ack,
  buildChannelFilter,
  buildTopic,
  errorMessage,
  NgatuError,
  NUMBERED_CHANNELS,
} from '@ngatu/contract';
import { describeTlsError, loadTlsCredentials, type TlsCredentials } from '@ngatu/trust';
import { connect, type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import type { IntakeQueue } from './intake-queue.ts';

export interface IngestorBroker {
  /** `mqtt://` or `mqtts://`, without user name and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Folder of the identity that is shown to an `mqtts://` broker; it is read for each connection. */
  readonly identityDir?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A connection that is dead without a word is given up after one and a half of it, s. */
const KEEPALIVE_SECONDS = 5;
const RECONNECT = { firstMs: 250, capMs: 2_000 };
/** Messages that the broker sends before it waits for our answers. */
const RECEIVE_MAXIMUM = 200;
const FAREWELL_MS = 1_000;
/** How long a hold is waited for at once, ms. */
const MAX_HOLD_MS = 60_000;
/** `No matching subscribers`, MQTT 5.0 section 3.4.2.1. */
const NO_MATCHING_SUBSCRIBERS = 0x10;

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
  #released: (() => void) | undefined;
  #heldUntil: Promise<void> | undefined;

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

  /** True while nothing is taken from the broker on purpose. */
  get isHeld(): boolean {
    return this.#heldUntil !== undefined;
  }

  /**
   * Leaves the broker until `resume`: whoever publishes is told that nobody listens, and keeps what he has. Messages that the broker holds
   * for this connection are lost with it, and come again from their nodes.
   */
  hold(): void {
    if (this.#heldUntil !== undefined) return;
    this.#logger.warn('nothing more is taken from the broker: the event store does not answer');
    this.#heldUntil = new Promise((resolve) => {
      this.#released = resolve;
    });
    this.#client?.end(true);
  }

  resume(): void {
    this.#heldUntil = undefined;
    this.#released?.();
    this.#released = undefined;
  }

  /** Stays connected until `signal` aborts, beginning again after each break. */
  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      if (this.#heldUntil !== undefined) {
        await Promise.race([this.#heldUntil, wait(MAX_HOLD_MS, signal)]);
        attempt = 0;
        continue;
      }
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

  /** Publishes to who listens now. False where it did not get to the broker or nobody listens. */
  async publishOnce(topic: string, payload: string): Promise<boolean> {
    const client = this.#client;
    if (client?.connected !== true) return false;
    try {
      const answer = await client.publishAsync(topic, payload, { qos: 1 });
      return answer?.cmd !== 'puback' || answer.reasonCode !== NO_MATCHING_SUBSCRIBERS;
    } catch (error) {
      this.#logger.debug({ topic, error: errorMessage(error) }, 'message not sent');
      return false;
    }
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
    const tls = this.#loadCredentials();
    if (tls === 'unusable') return false;
    const client = connect(url, {
      ...tls,
      // Nobody else with a certificate can guess it and take the session over.
      clientId: `ngatu-ingestor-${randomUUID()}`,
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
    let lastError: Error | undefined;
    client.on('error', (error) => {
      lastError = error;
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
    else if (!this.isHeld) this.#sayEnd(lastError);
    client.end(true);
    return wasReady;
  }

  #loadCredentials(): TlsCredentials | undefined | 'unusable' {
    const { identityDir } = this.#broker;
    if (identityDir === undefined) return undefined;
    try {
      return loadTlsCredentials(identityDir);
    } catch (error) {
      // An operator mends the folder while the ingestor runs on.
      if (!(error instanceof NgatuError)) throw error;
      this.#logger.error({ code: error.code }, error.message);
      return 'unusable';
    }
  }

  #sayEnd(error: Error | undefined): void {
    const { url: broker } = this.#broker;
    const refusal = describeTlsError(error, `connect to broker ${broker}`);
    if (refusal !== undefined) this.#logger.error({ code: refusal.code, broker }, refusal.message);
    else
      this.#logger.warn(
        { code: 'BROKER_UNREACHABLE', broker, error: error?.message },
        'connection to broker ended',
      );
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
