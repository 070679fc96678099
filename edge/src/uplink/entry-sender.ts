import {
  type Ack,
  buildTopic,
  type NumberedChannel,
  type ResendRequest,
  SCHEMA_VERSION,
} from '@ngatu/contract';
import type { MqttClient } from 'mqtt';
import { computeBackoffMs } from './backoff.ts';
import type { UplinkOptions } from './uplink.ts';

/** Entries on their way at once: at 200 ms round trip some 800 a second. A broker may refuse more than 200 (`max_inflight_messages`). */
const WINDOW = 192;
/** So many of them may be backlog: what happens now always finds a place. */
const BACKLOG_SHARE = 0.75;
/** Bytes on their way at once: half a second of a 4 Mbit/s link, so that a fresh event does not wait behind them for longer. */
const WINDOW_BYTES = 256 * 1024;
const LEASE_MS = 10_000;
/** A centre that is slow is given more time than it took lately, so that repetitions do not make it slower still. */
const PATIENCE = { factor: 4, maxMs: 120_000, smoothing: 0.25 } as const;
/** How often ended leases are looked for, ms. */
const CHECK_MS = 1_000;
/** `No matching subscribers`, MQTT 5.0 section 3.4.2.1. */
const NO_MATCHING_SUBSCRIBERS = 0x10;
/** Wait between single entries while nobody listens, or nobody answers: it costs the broker little, and finds out soon. */
const PROBE = { nobody: { firstMs: 500, capMs: 2_000 }, silence: { firstMs: 1_000, capMs: 5_000 } } as const;
/** What MQTT puts around a payload beside the topic: fixed header, lengths, packet id. */
const PACKET_BYTES = 9;

/** Where nothing was answered for this long, or twice the usual, one entry more asks whether anybody is there, ms. */
const QUIET_MS = 2_000;

interface Sent {
  readonly channel: NumberedChannel;
  /** When it was sent first, monotonic ms. */
  readonly firstAtMs: number;
  /** Place in the order of sending, of the last time. */
  readonly order: number;
}

/**
 * Sends the entries of the outbox over one connection, within a window, and takes the centre's answers. Where nobody listens at the
 * centre, or nothing that was sent is answered, it sends single entries with growing waits until it hears again: a centre that
 * stands still fills the outboxes, not the broker.
 */
export class EntrySender {
  readonly #options: UplinkOptions;
  readonly #client: MqttClient;
  readonly #guard: (work: () => void) => void;
  #probing: keyof typeof PROBE | undefined;
  #probes = 0;
  #probeTimer: NodeJS.Timeout | undefined;
  #checkTimer: NodeJS.Timeout | undefined;
  #answeredAtMs: number;
  /** Entries on their way. */
  readonly #sent = new Map<number, Sent>();
  /** Counts what was sent. */
  #order = 0;
  /** How long an acknowledgement took lately, ms. */
  #answerMs = 0;
  /** How often in a row nothing was heard for a whole lease. */
  #silences = 0;

  /** @param guard runs the work of a timer, and ends the session with what it throws */
  constructor(options: UplinkOptions, client: MqttClient, guard: (work: () => void) => void) {
    this.#options = options;
    this.#client = client;
    this.#guard = guard;
    this.#answeredAtMs = options.clock.monotonicMs();
  }

  start(): void {
    this.#options.outbox.releaseLeases();
    this.#answeredAtMs = this.#options.clock.monotonicMs();
    this.#checkTimer = setInterval(() => this.#guard(() => this.#check()), CHECK_MS);
    this.pump();
  }

  stop(): void {
    clearInterval(this.#checkTimer);
    clearTimeout(this.#probeTimer);
  }

  /** Sends what the window has room for. */
  pump(): void {
    const { outbox, window = WINDOW } = this.#options;
    if (!this.#client.connected || this.#probing !== undefined) return;
    const limits = { bytes: WINDOW_BYTES, backlog: Math.max(1, Math.floor(window * BACKLOG_SHARE)) };
    const free = window - outbox.leasedCount;
    if (free <= 0) return;
    for (const entry of outbox.lease(free, this.#leaseMs(), limits)) this.#send(entry);
  }

  takePuback(reasonCode: number | undefined): void {
    if (reasonCode === NO_MATCHING_SUBSCRIBERS) this.#startProbing('nobody');
    else if (this.#probing === 'nobody') this.#stopProbing();
  }

  /** Returns false where the outbox has taken a new identity: the connection begins anew. */
  takeAck(ack: Ack): boolean {
    const { outbox, logger } = this.#options;
    if (ack.outboxId !== outbox.outboxId) return true;
    const lost = this.#noteAnswer([...ack.committed, ...ack.rejected.map(({ seq }) => seq)]);
    if (ack.committed.length > 0) outbox.ack(ack.committed);
    if (lost.length > 0) outbox.releaseLeases(lost);
    for (const { seq, code, reason } of ack.rejected) {
      if (code === 'OUTBOX_CONFLICT') {
        if (outbox.renewIdentity(seq)) return false;
        continue;
      }
      if (outbox.nack(seq, code, reason)) logger.error({ seq, code, reason }, 'the centre refused a message');
    }
    if (this.#probing === undefined) this.pump();
    else this.#stopProbing();
    return true;
  }

  takeResend({ outboxId, ranges }: ResendRequest): void {
    const { outbox, logger } = this.#options;
    if (outboxId !== outbox.outboxId) return;
    const outcome = outbox.resend(ranges);
    logger.warn({ ranges: ranges.length, ...outcome }, 'the centre asked for numbers again');
    this.pump();
  }

  #send({
    seq,
    channel,
    body,
    camera,
  }: {
    seq: number;
    channel: NumberedChannel;
    body: string;
    camera: string | null;
  }): void {
    const { site, node, outbox, clock, logger, account } = this.#options;
    const publishedAt = new Date(clock.nowMs()).toISOString();
    const head = `"schemaVersion":${SCHEMA_VERSION},"outboxId":"${outbox.outboxId}","seq":${seq}`;
    const payload = Buffer.from(`{${head},"publishedAt":"${publishedAt}","body":${body}}`);
    const topic = buildTopic({ site, node, channel });
    account?.add({
      class: channel,
      ...(camera === null ? {} : { camera }),
      bytes: payload.length + topic.length + PACKET_BYTES,
    });
    const firstAtMs = this.#sent.get(seq)?.firstAtMs ?? clock.monotonicMs();
    this.#sent.set(seq, { channel, firstAtMs, order: this.#order++ });
    this.#client.publish(topic, payload, { qos: 1 }, (error) => {
      // The entry stays in the outbox under its lease: it is sent again when that ends or when the connection is new.
      if (error && this.#client.connected)
        logger.warn({ seq, channel, error: error.message }, 'broker refused message');
    });
  }

  /** How long an entry may stay unanswered before it is sent again, ms. */
  #leaseMs(): number {
    const { leaseMs = LEASE_MS } = this.#options;
    const patient = Math.max(leaseMs, this.#answerMs * PATIENCE.factor) * 2 ** Math.min(this.#silences, 6);
    return Math.min(Math.max(leaseMs, PATIENCE.maxMs), patient);
  }

  /**
   * Returns the entries that must be lost: a channel is delivered, committed and answered in order, so what was sent before an answered
   * entry of its channel and is not answered with it never came.
   */
  #noteAnswer(answered: readonly number[]): number[] {
    const now = this.#options.clock.monotonicMs();
    this.#answeredAtMs = now;
    this.#silences = 0;
    let slowestMs = 0;
    const through = new Map<NumberedChannel, number>();
    for (const seq of answered) {
      const sent = this.#sent.get(seq);
      if (sent === undefined) continue;
      slowestMs = Math.max(slowestMs, now - sent.firstAtMs);
      through.set(sent.channel, Math.max(through.get(sent.channel) ?? -1, sent.order));
      this.#sent.delete(seq);
    }
    // Growing at once, shrinking slowly: too early a repetition costs more than too late a one.
    const isSlower = slowestMs > this.#answerMs;
    this.#answerMs = isSlower
      ? slowestMs
      : this.#answerMs + (slowestMs - this.#answerMs) * PATIENCE.smoothing;
    const lost: number[] = [];
    for (const [seq, { channel, order }] of this.#sent) {
      if (order >= (through.get(channel) ?? -1)) continue;
      lost.push(seq);
      this.#sent.delete(seq);
    }
    return lost;
  }

  #check(): void {
    const { outbox, clock } = this.#options;
    if (outbox.leasedCount === 0 && this.#probing === undefined) this.#answeredAtMs = clock.monotonicMs();
    const quietMs = clock.monotonicMs() - this.#answeredAtMs;
    if (quietMs > this.#leaseMs()) this.#startProbing('silence');
    else if (this.#probing === undefined && quietMs > Math.max(QUIET_MS, 2 * this.#answerMs))
      this.#sendOneMore();
    else this.pump();
  }

  #startProbing(why: keyof typeof PROBE): void {
    if (this.#probing === undefined) {
      this.#options.logger.warn(
        why === 'nobody' ? 'no ingestor listens at the broker' : 'the centre does not answer',
      );
      this.#probes = 0;
      this.#probing = why;
      if (why === 'silence') {
        this.#silences += 1;
        this.#options.outbox.extendLeases(this.#leaseMs());
      }
    }
    const waitMs = computeBackoffMs(this.#probes, PROBE[this.#probing], this.#options.random);
    this.#probeTimer ??= setTimeout(() => {
      this.#probeTimer = undefined;
      this.#probes += 1;
      this.#guard(() => this.#sendProbe());
    }, waitMs);
  }

  #sendProbe(): void {
    const { outbox } = this.#options;
    if (this.#probing === 'nobody') this.#forgetSent();
    this.#sendOneMore();
    if (outbox.leasedCount === 0) {
      this.#stopProbing();
      return;
    }
    // Without an answer the next one follows; a broker that tells of nobody asks for it itself.
    if (this.#probing === 'silence') this.#startProbing('silence');
  }

  #sendOneMore(): void {
    const [entry] = this.#options.outbox.lease(1, this.#leaseMs());
    if (entry !== undefined) this.#send(entry);
  }

  /** What was sent is lost: nobody was there to take it. */
  #forgetSent(): void {
    this.#sent.clear();
    this.#options.outbox.releaseLeases();
  }

  #stopProbing(): void {
    if (this.#probing === 'nobody') this.#forgetSent();
    this.#probing = undefined;
    this.#answeredAtMs = this.#options.clock.monotonicMs();
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.pump();
  }
}
