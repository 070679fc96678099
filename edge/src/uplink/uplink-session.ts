import { createHash, X509Certificate } from 'node:crypto';
import {
  Ack,
  buildTopic,
  type Channel,
  errorMessage,
  findSchemaIssues,
  NgatuError,
  parseTopic,
  ResendRequest,
} from '@ngatu/contract';
import type { Static, TSchema } from '@sinclair/typebox';
import type { MqttClient } from 'mqtt';
import { openBrokerConnection } from './broker-connection.ts';
import { EntrySender } from './entry-sender.ts';
import { buildNodeState, type NodeConnection } from './node-state.ts';
import { openTlsIdentity } from './tls-identity.ts';
import type { UplinkOptions } from './uplink.ts';

const FAREWELL_MS = 1_000;
/** The retained state is renewed so often, ms: it says how much waits; sooner where what it said has gone, or another model serves. */
const STATE_EVERY_MS = 30_000;
const STATE_CHECK_MS = 2_000;
/** `Session taken over`, MQTT 5.0 section 3.14.2.1. */
const SESSION_TAKEN_OVER = 0x8e;

/** How a connection ended. `taken-over`: another client came under the same name. */
export type SessionEnd = 'closed' | 'taken-over';

/** One connection of a node to its broker, from the first message to its end. */
export class UplinkSession {
  readonly #options: UplinkOptions;
  readonly #client: MqttClient;
  readonly #connection: NodeConnection;
  readonly #sender: EntrySender;
  /** When the state was published last, monotonic ms, and how much it said was waiting. */
  #statedAtMs = Number.NEGATIVE_INFINITY;
  #statedWaiting = 0;
  #statedModels = '';
  #failure: unknown;
  #end: SessionEnd = 'closed';
  #finish: () => void = () => undefined;

  private constructor(options: UplinkOptions, client: MqttClient, connection: NodeConnection) {
    this.#options = options;
    this.#client = client;
    this.#connection = connection;
    this.#sender = new EntrySender(options, client, (work) => this.#guard(work));
  }

  /** @throws NgatuError for which `isConnectionFailure` holds */
  static async open(options: UplinkOptions, bootId: string, signal: AbortSignal): Promise<UplinkSession> {
    const { site, node, broker, outbox, clock } = options;
    const connection: NodeConnection = {
      bootId,
      connectedAt: new Date(clock.nowMs()).toISOString(),
      ...describeCertificate(broker.identityDir),
    };
    const will = {
      topic: buildTopic({ site, node, channel: 'state' }),
      payload: Buffer.from(JSON.stringify(buildNodeState(options, connection, 'offline'))),
      qos: 1 as const,
      retain: true,
    };
    // Two machines under one name must not throw each other out: the name of the connection is that of the outbox.
    const clientId = `ngatu-${site}-${node}-${outbox.outboxId.slice(0, 8)}`;
    const client = await openBrokerConnection(broker, { clientId, will }, signal);
    return new UplinkSession(options, client, connection);
  }

  /** Resolves when the connection has ended, or when `signal` aborts and the node has said farewell. */
  async run(signal: AbortSignal): Promise<SessionEnd> {
    const { outbox, logger, broker } = this.#options;
    const ended = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#client.on('message', (topic, payload) => this.#guard(() => this.#takeMessage(topic, payload)));
    this.#client.on('disconnect', ({ reasonCode }) => {
      if (reasonCode === SESSION_TAKEN_OVER) this.#end = 'taken-over';
    });
    this.#client.on('packetreceive', (packet) => {
      if (packet.cmd === 'puback') this.#guard(() => this.#sender.takePuback(packet.reasonCode));
    });
    this.#client.once('close', this.#finish);
    signal.addEventListener('abort', this.#finish, { once: true });
    const stopListening = outbox.onAppend(() => this.#guard(() => this.#sender.pump()));
    const beat = setInterval(() => this.#guard(() => this.#beatWhereDue()), STATE_CHECK_MS);
    try {
      if (!this.#client.connected) this.#finish();
      await Promise.race([this.#introduce(), ended]);
      if (this.#client.connected) logger.info({ broker: broker.url }, 'uplink connected');
      this.#guard(() => this.#sender.start());
      await ended;
      if (this.#failure !== undefined) throw this.#failure;
      if (signal.aborted) await this.#sayFarewell();
      return this.#end;
    } finally {
      stopListening();
      clearInterval(beat);
      this.#sender.stop();
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
    const { site, node, directives, requests } = this.#options;
    try {
      const channels: Channel[] = ['ack', 'resend'];
      if (directives !== undefined) channels.push('directive');
      if (requests !== undefined) channels.push('request');
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
    const { site, node, account } = this.#options;
    const statement = buildNodeState(this.#options, this.#connection, state);
    this.#statedAtMs = this.#options.clock.monotonicMs();
    this.#statedWaiting = statement.outbox?.waiting ?? 0;
    this.#statedModels = describeModels(statement.model, statement.networks);
    const payload = JSON.stringify(statement);
    const topic = buildTopic({ site, node, channel: 'state' });
    account?.add({ class: 'state', bytes: payload.length + topic.length });
    await this.#client.publishAsync(topic, payload, { qos: 1, retain: true });
  }

  #beatWhereDue(): void {
    const { outbox, clock, detector, networks } = this.#options;
    const isOld = clock.monotonicMs() - this.#statedAtMs >= STATE_EVERY_MS;
    const isGone = this.#statedWaiting > 0 && outbox.pending().entries === 0;
    const models = describeModels(detector?.state, networks?.states);
    if (isOld || isGone || models !== this.#statedModels) this.#beat();
  }

  #beat(): void {
    this.#publishState('online').catch((error: unknown) => {
      // The next session begins with the state.
      this.#options.logger.debug({ error: errorMessage(error) }, 'state not published: connection ended');
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

  #takeMessage(topic: string, payload: Buffer): void {
    switch (parseTopic(topic)?.channel) {
      case 'directive':
        this.#takeDirectives(payload);
        return;
      case 'request':
        this.#options.requests?.take(payload);
        return;
      case 'resend': {
        const request = this.#decode(ResendRequest, topic, payload);
        if (request !== undefined) this.#sender.takeResend(request);
        return;
      }
      case 'ack': {
        const ack = this.#decode(Ack, topic, payload);
        if (ack !== undefined && !this.#sender.takeAck(ack)) this.#finish();
        return;
      }
      default:
        this.#options.logger.warn({ topic, code: 'TOPIC_INVALID' }, 'message of an unknown topic');
    }
  }

  /** The node says in its retained state what it holds: that is the centre's acknowledgement. */
  #takeDirectives(payload: Buffer): void {
    const { directives, logger } = this.#options;
    const result = directives?.take(payload);
    if (result?.outcome === 'refused') {
      const { code, reason } = result;
      logger.error({ code }, `Cannot take the directives of the centre: ${reason}`);
    }
    if (result?.outcome === 'taken') this.#beat();
  }

  #decode<T extends TSchema>(schema: T, topic: string, payload: Buffer): Static<T> | undefined {
    const value = decodeJson(payload);
    if (value !== undefined && findSchemaIssues(schema, value, 1).length === 0) return value as Static<T>;
    this.#options.logger.warn({ topic, code: 'MESSAGE_INVALID' }, 'message of the centre not understood');
    return undefined;
  }
}

function decodeJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The certificate that the node shows to the broker, so that two nodes under one name can be told apart. */
function describeCertificate(identityDir: string | undefined): { certificateSha256?: string } {
  if (identityDir === undefined) return {};
  const { cert } = openTlsIdentity(identityDir).credentials;
  const { raw } = new X509Certificate(cert);
  return { certificateSha256: createHash('sha256').update(raw).digest('hex') };
}

/** To be compared: whether what serves has changed. */
function describeModels(...models: readonly unknown[]): string {
  return JSON.stringify(models);
}
