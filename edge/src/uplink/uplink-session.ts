import {
  Ack,
  buildTopic,
  errorMessage,
  findSchemaIssues,
  NgatuError,
  type NumberedChannel,
  parseTopic,
  SCHEMA_VERSION,
} from '@ngatu/contract';
import type { MqttClient } from 'mqtt';
import { openBrokerConnection } from './broker-connection.ts';
import { buildNodeState } from './node-state.ts';
import type { UplinkOptions } from './uplink.ts';

const WINDOW = 64;
const LEASE_MS = 10_000;
/** How often ended leases are looked for, ms. */
const LEASE_CHECK_MS = 1_000;
/** The broker answered that nobody subscribes: one entry is tried again after this, ms. */
const NOBODY_LISTENS_MS = 500;
/** `No matching subscribers`, MQTT 5.0 section 3.4.2.1. */
const NO_MATCHING_SUBSCRIBERS = 0x10;
const FAREWELL_MS = 1_000;
const ACK_ONLY = ['ack'] as const;
const ACK_AND_DIRECTIVE = ['ack', 'directive'] as const;

/** One connection of a node to its broker, from the first message to its end. */
export class UplinkSession {
  readonly #options: UplinkOptions;
  readonly #client: MqttClient;
  readonly #bootId: string;
  /** While nobody listens at the centre, only single entries are sent, to find out when somebody does. */
  #probing = false;
  #probeTimer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #finish: () => void = () => undefined;

  private constructor(options: UplinkOptions, client: MqttClient, bootId: string) {
    this.#options = options;
    this.#client = client;
    this.#bootId = bootId;
  }

  /** @throws NgatuError BROKER_UNREACHABLE (retryable) */
  static async open(options: UplinkOptions, bootId: string, signal: AbortSignal): Promise<UplinkSession> {
    const { site, node, broker } = options;
    const will = {
      topic: buildTopic({ site, node, channel: 'state' }),
      payload: Buffer.from(JSON.stringify(buildNodeState(options, bootId, 'offline'))),
      qos: 1 as const,
      retain: true,
    };
    const client = await openBrokerConnection(broker, { clientId: `ngatu-${site}-${node}`, will }, signal);
    return new UplinkSession(options, client, bootId);
  }

  /** Resolves when the connection has ended, or when `signal` aborts and the node has said farewell. */
  async run(signal: AbortSignal): Promise<void> {
    const { outbox, logger, broker } = this.#options;
    const ended = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    const pump = (): void => this.#guard(() => this.#pump());
    this.#client.on('message', (topic, payload) => this.#guard(() => this.#takeMessage(topic, payload)));
    this.#client.on('packetreceive', (packet) => {
      if (packet.cmd !== 'puback') return;
      if (packet.reasonCode === NO_MATCHING_SUBSCRIBERS) this.#startProbing();
      else if (this.#probing) this.#guard(() => this.#stopProbing());
    });
    this.#client.once('close', this.#finish);
    signal.addEventListener('abort', this.#finish, { once: true });
    const stopListening = outbox.onAppend(pump);
    const leaseCheck = setInterval(pump, LEASE_CHECK_MS);
    try {
      if (!this.#client.connected) this.#finish();
      await Promise.race([this.#introduce(), ended]);
      if (this.#client.connected) logger.info({ broker: broker.url }, 'uplink connected');
      outbox.releaseLeases();
      pump();
      await ended;
      if (this.#failure !== undefined) throw this.#failure;
      if (signal.aborted) await this.#sayFarewell();
    } finally {
      stopListening();
      clearInterval(leaseCheck);
      clearTimeout(this.#probeTimer);
      signal.removeEventListener('abort', this.#finish);
      this.#client.end(true);
    }
  }

  /** Runs work of an event handler; what it throws ends the session and reaches the caller of `run`. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failure = error;
      this.#finish();
    }
  }

  async #introduce(): Promise<void> {
    const { site, node } = this.#options;
    try {
      const channels = this.#options.directives === undefined ? ACK_ONLY : ACK_AND_DIRECTIVE;
      const topics = channels.map((channel) => buildTopic({ site, node, channel }));
      await this.#client.subscribeAsync(topics, { qos: 1 });
      await this.#publishState('online');
    } catch (error) {
      throw new NgatuError('BROKER_UNREACHABLE', `Cannot begin session with broker: ${errorMessage(error)}`, {
        retryable: true,
        cause: error,
      });
    }
  }

  async #publishState(state: 'online' | 'offline'): Promise<void> {
    const { site, node } = this.#options;
    const payload = JSON.stringify(buildNodeState(this.#options, this.#bootId, state));
    await this.#client.publishAsync(buildTopic({ site, node, channel: 'state' }), payload, {
      qos: 1,
      retain: true,
    });
  }

  async #sayFarewell(): Promise<void> {
    if (!this.#client.connected) return;
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, FAREWELL_MS).unref());
    const farewell = this.#publishState('offline').then(
      () => this.#client.endAsync(),
      (error: unknown) =>
        this.#options.logger.debug({ error: errorMessage(error) }, 'no farewell: connection ended'),
    );
    await Promise.race([farewell, deadline]);
  }

  #pump(): void {
    const { outbox, window = WINDOW, leaseMs = LEASE_MS } = this.#options;
    if (!this.#client.connected || this.#probing) return;
    for (const entry of outbox.lease(window - outbox.leasedCount, leaseMs)) this.#send(entry);
  }

  #send({ seq, channel, body }: { seq: number; channel: NumberedChannel; body: string }): void {
    const { site, node, outbox, clock, logger } = this.#options;
    const publishedAt = new Date(clock.nowMs()).toISOString();
    const head = `"schemaVersion":${SCHEMA_VERSION},"outboxId":"${outbox.outboxId}","seq":${seq}`;
    const payload = `{${head},"publishedAt":"${publishedAt}","body":${body}}`;
    this.#client.publish(buildTopic({ site, node, channel }), payload, { qos: 1 }, (error) => {
      // The entry stays in the outbox under its lease: it is sent again when that ends or when the connection is new.
      if (error && this.#client.connected)
        logger.warn({ seq, channel, error: error.message }, 'broker refused message');
    });
  }

  #startProbing(): void {
    if (!this.#probing) this.#options.logger.warn('no ingestor listens at the broker');
    this.#probing = true;
    this.#probeTimer ??= setTimeout(() => {
      this.#probeTimer = undefined;
      this.#guard(() => this.#sendProbe());
    }, NOBODY_LISTENS_MS);
  }

  #sendProbe(): void {
    const { outbox, leaseMs = LEASE_MS } = this.#options;
    outbox.releaseLeases();
    const [entry] = outbox.lease(1, leaseMs);
    if (entry === undefined) this.#probing = false;
    else this.#send(entry);
  }

  #stopProbing(): void {
    this.#probing = false;
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.#options.outbox.releaseLeases();
    this.#pump();
  }

  #takeMessage(topic: string, payload: Buffer): void {
    if (parseTopic(topic)?.channel === 'directive') this.#takeDirectives(payload);
    else this.#takeAck(topic, payload);
  }

  /** The node says in its retained state what it holds: that is the centre's acknowledgement. */
  #takeDirectives(payload: Buffer): void {
    const { directives, logger } = this.#options;
    const result = directives?.take(payload);
    if (result?.outcome === 'refused') {
      const { code, reason } = result;
      logger.error({ code }, `Cannot take the directives of the centre: ${reason}`);
    }
    if (result?.outcome !== 'taken') return;
    this.#publishState('online').catch((error: unknown) => {
      // The next session begins with the state, and with what it holds.
      logger.debug({ error: errorMessage(error) }, 'state not published: connection ended');
    });
  }

  #takeAck(topic: string, payload: Buffer): void {
    const { outbox, logger } = this.#options;
    const ack = decodeAck(payload);
    if (ack === undefined) {
      logger.warn({ topic, code: 'MESSAGE_INVALID' }, 'acknowledgement not understood');
      return;
    }
    if (ack.outboxId !== outbox.outboxId) return;
    if (ack.committed.length > 0) outbox.ack(ack.committed);
    for (const { seq, code, reason } of ack.rejected) {
      if (outbox.nack(seq, code, reason)) logger.error({ seq, code, reason }, 'the centre refused a message');
    }
    this.#pump();
  }
}

function decodeAck(payload: Buffer): Ack | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return findSchemaIssues(Ack, value).length === 0 ? (value as Ack) : undefined;
  } catch {
    return undefined;
  }
}
