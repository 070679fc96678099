import type { Bottleneck } from './bottleneck.ts';
import type { CongestionControl } from './congestion-sample.ts';
import type { Schedule, ScheduledAction } from './event-schedule.ts';
import { RoundTripGauge } from './round-trip-gauge.ts';
import { type Acknowledgement, TcpReceiver } from './tcp-receiver.ts';

/** Payload of a segment in an Ethernet frame of 1,500 bytes with IPv4 and TCP timestamps. */
export const SEGMENT_BYTES = 1_448;
/** IPv4 and TCP with timestamps. */
export const HEADER_BYTES = 52;
/** Three later ones have arrived: lost (RFC 6675, RFC 8985). */
const DUPLICATE_THRESHOLD = 3;
const JUDGED_KEPT = 1_000;

export interface TcpFlowOptions {
  readonly schedule: Schedule;
  /** Carries the segments; its opposite carries their acknowledgements. */
  readonly forward: Bottleneck;
  readonly backward: Bottleneck;
  readonly congestion: CongestionControl;
  /** Takes what has arrived in order. */
  readonly deliver: (content: Buffer) => void;
  /** What the handshake took, ms; absent where one of its packets was sent twice. */
  readonly handshakeMs?: number;
  /** What the receiving application has not taken yet, bytes. */
  readonly unreadBytes?: () => number;
  /** The receiver offers no more than this, bytes. */
  readonly receiveBufferBytes?: number;
  /** Called when something was delivered for good and there is room for more. */
  readonly onProgress?: () => void;
}

export interface FlowStatistics {
  readonly deliveredBytes: number;
  readonly segmentsSent: number;
  readonly retransmissions: number;
  readonly timeouts: number;
}

interface Segment {
  readonly index: number;
  readonly content: Buffer;
  sentMs: number;
  /** Number of its latest transmission. */
  transmission: number;
  retransmitted: boolean;
  state: 'flying' | 'lost' | 'arrived';
  /** Delivered segments and their instant when it was sent (draft-cheng-iccrg-delivery-rate-estimation). */
  deliveredBefore: number;
  deliveredAtMs: number;
  firstSentMs: number;
  applicationLimited: boolean;
}

const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * One direction of a TCP connection over a link, segment by segment: selective acknowledgement, loss found by later arrivals
 * (RACK with a reordering window of zero: the link keeps the order), one reduction a window, a tail loss probe, retransmission
 * timeout. Every segment and every acknowledgement is a packet that waits, takes time and may be lost like any other.
 */
export class TcpFlow {
  readonly #options: TcpFlowOptions;
  readonly #receiver: TcpReceiver;
  readonly #gauge = new RoundTripGauge();
  readonly #pending: Buffer[] = [];
  /** Sent and not yet acknowledged in order, by index. */
  readonly #sent = new Map<number, Segment>();
  #pendingBytes = 0;
  #sentBytes = 0;
  #nextIndex = 0;
  #firstUnacknowledged = 0;
  #inFlight = 0;
  #lost: Segment[] = [];
  #transmissions = 0;
  #latestArrived = -1;
  /** Transmissions in their order; those before `#orderAt` have been judged. */
  readonly #order: { readonly segment: Segment; readonly transmission: number }[] = [];
  #orderAt = 0;
  /** In recovery until all before this index has arrived. */
  #recoveryUntil = 0;
  #delivered = 0;
  #deliveredAtMs = 0;
  #firstSentMs = 0;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #round = 0;
  #roundEnd = 0;
  #paceAtMs = 0;
  #paceTimer: ScheduledAction | undefined;
  #lossTimer: ScheduledAction | undefined;
  #probed = false;
  #closed = false;
  #counts = { segmentsSent: 0, retransmissions: 0, timeouts: 0 };

  constructor(options: TcpFlowOptions) {
    this.#options = options;
    this.#receiver = new TcpReceiver(options.deliver);
    if (options.handshakeMs !== undefined) this.#gauge.measure(options.handshakeMs);
  }

  get statistics(): FlowStatistics {
    return { deliveredBytes: this.#receiver.deliveredBytes, ...this.#counts };
  }

  /** Written and not yet acknowledged, bytes. */
  get unsentBytes(): number {
    return this.#pendingBytes + this.#sentBytes;
  }

  write(content: Buffer): void {
    if (this.#closed || content.length === 0) return;
    this.#pending.push(content);
    this.#pendingBytes += content.length;
    this.#pump();
  }

  /** Sends on after the receiving application has taken something. */
  resume(): void {
    this.#pump();
  }

  /** Nothing is sent or delivered any more. */
  close(): void {
    this.#closed = true;
    this.#paceTimer?.cancel();
    this.#lossTimer?.cancel();
  }

  get #nowMs(): number {
    return this.#options.schedule.nowMs;
  }

  get #inRecovery(): boolean {
    return this.#firstUnacknowledged < this.#recoveryUntil;
  }

  /** True where the receiver offers room for one segment more. */
  get #hasReceiveRoom(): boolean {
    const { unreadBytes, receiveBufferBytes = RECEIVE_BUFFER_BYTES } = this.#options;
    const held = (unreadBytes?.() ?? 0) + this.#inFlight * SEGMENT_BYTES + this.#receiver.waitingBytes;
    return held + SEGMENT_BYTES <= receiveBufferBytes;
  }

  #pump(): void {
    if (this.#closed) return;
    const { congestion } = this.#options;
    if (this.#inFlight === 0 && this.#nowMs - this.#lastSentMs > this.#gauge.timeoutMs) congestion.onIdle();
    while (this.#inFlight < Math.max(1, Math.floor(congestion.window))) {
      const isNew = this.#lost.length === 0;
      if (isNew && (this.#pendingBytes === 0 || !this.#hasReceiveRoom)) return;
      const rate = congestion.pacingRate;
      if (rate !== undefined && this.#paceAtMs > this.#nowMs) {
        this.#paceTimer?.cancel();
        this.#paceTimer = this.#options.schedule.at(this.#paceAtMs, () => this.#pump());
        return;
      }
      if (rate !== undefined) this.#paceAtMs = Math.max(this.#paceAtMs, this.#nowMs) + 1 / rate;
      this.#transmit(this.#lost.shift() ?? this.#cutSegment());
    }
  }

  #cutSegment(): Segment {
    const parts: Buffer[] = [];
    let room = SEGMENT_BYTES;
    while (room > 0) {
      const first = this.#pending.shift();
      if (first === undefined) break;
      const part = first.subarray(0, room);
      if (part.length < first.length) this.#pending.unshift(first.subarray(room));
      parts.push(part);
      room -= part.length;
    }
    const [only] = parts;
    const content = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    this.#pendingBytes -= content.length;
    this.#sentBytes += content.length;
    const segment: Segment = {
      index: this.#nextIndex++,
      content,
      sentMs: 0,
      transmission: 0,
      retransmitted: false,
      state: 'flying',
      deliveredBefore: 0,
      deliveredAtMs: 0,
      firstSentMs: 0,
      applicationLimited: false,
    };
    this.#sent.set(segment.index, segment);
    return segment;
  }

  #transmit(segment: Segment): void {
    const now = this.#nowMs;
    if (this.#inFlight === 0) {
      this.#firstSentMs = now;
      this.#deliveredAtMs = now;
    }
    segment.retransmitted ||= segment.transmission > 0;
    if (segment.transmission > 0) this.#counts.retransmissions++;
    segment.transmission = ++this.#transmissions;
    this.#order.push({ segment, transmission: segment.transmission });
    segment.sentMs = now;
    segment.state = 'flying';
    segment.deliveredBefore = this.#delivered;
    segment.deliveredAtMs = this.#deliveredAtMs;
    segment.firstSentMs = this.#firstSentMs;
    segment.applicationLimited = this.#pendingBytes === 0 && this.#lost.length === 0;
    this.#inFlight++;
    this.#lastSentMs = now;
    this.#counts.segmentsSent++;
    const { index, content, transmission } = segment;
    this.#options.forward.send({
      sizeBytes: content.length + HEADER_BYTES,
      arrive: () => this.#arrive(index, content, transmission),
    });
    this.#armLossTimer();
  }

  /** At the receiver. */
  #arrive(index: number, content: Buffer, transmission: number): void {
    if (this.#closed) return;
    const acknowledgement = this.#receiver.take(index, content);
    this.#options.backward.send({
      sizeBytes: HEADER_BYTES,
      arrive: () => this.#takeAcknowledgement(acknowledgement, transmission),
    });
  }

  #takeAcknowledgement({ next, selected }: Acknowledgement, transmission: number): void {
    if (this.#closed) return;
    const arrived: Segment[] = [];
    const note = (index: number): void => {
      const segment = this.#sent.get(index);
      if (segment === undefined || segment.state === 'arrived') return;
      if (segment.state === 'flying') this.#inFlight--;
      else this.#lost = this.#lost.filter((lost) => lost !== segment);
      segment.state = 'arrived';
      arrived.push(segment);
    };
    for (let index = this.#firstUnacknowledged; index < next; index++) {
      note(index);
      this.#sentBytes -= this.#sent.get(index)?.content.length ?? 0;
      this.#sent.delete(index);
    }
    this.#firstUnacknowledged = Math.max(this.#firstUnacknowledged, next);
    for (const index of selected) note(index);
    this.#latestArrived = Math.max(this.#latestArrived, transmission);
    if (arrived.length > 0) this.#noteArrivals(arrived);
    this.#pump();
    if (arrived.length > 0) this.#options.onProgress?.();
  }

  #noteArrivals(arrived: readonly Segment[]): void {
    const { congestion } = this.#options;
    const now = this.#nowMs;
    const wasLimited = this.#inFlight + arrived.length >= Math.floor(congestion.window);
    this.#delivered += arrived.length;
    this.#deliveredAtMs = now;
    this.#gauge.noteProgress();
    this.#probed = false;
    const newest = arrived.reduce((latest, one) => (one.transmission > latest.transmission ? one : latest));
    this.#firstSentMs = newest.sentMs;
    if (newest.deliveredBefore >= this.#roundEnd) {
      this.#round++;
      this.#roundEnd = this.#delivered;
    }
    // Karn: what was sent twice tells no round trip time.
    const roundTripMs = newest.retransmitted ? undefined : now - newest.sentMs;
    if (roundTripMs !== undefined) this.#gauge.measure(roundTripMs);
    this.#findLost();
    const intervalMs = Math.max(now - newest.deliveredAtMs, newest.sentMs - newest.firstSentMs);
    congestion.onAck({
      nowMs: now,
      deliveredSegments: arrived.length,
      roundTripMs,
      inFlight: this.#inFlight,
      isWindowLimited: wasLimited,
      inRecovery: this.#inRecovery,
      deliveryRate: intervalMs > 0 ? (this.#delivered - newest.deliveredBefore) / intervalMs : undefined,
      isApplicationLimited: newest.applicationLimited,
      round: this.#round,
    });
    this.#armLossTimer();
  }

  #findLost(): void {
    const before = this.#inFlight;
    const found: Segment[] = [];
    const order = this.#order;
    while (order.length > this.#orderAt) {
      const { segment, transmission } = order[this.#orderAt] ?? {};
      if (segment === undefined || transmission === undefined) break;
      if (this.#latestArrived - transmission < DUPLICATE_THRESHOLD) break;
      this.#orderAt++;
      if (segment.state === 'flying' && segment.transmission === transmission) found.push(segment);
    }
    if (this.#orderAt > JUDGED_KEPT) {
      order.splice(0, this.#orderAt);
      this.#orderAt = 0;
    }
    this.#declareLost(found);
    if (found.length === 0 || this.#inRecovery) return;
    this.#recoveryUntil = this.#nextIndex;
    this.#options.congestion.onLoss(this.#nowMs, before);
  }

  #declareLost(segments: readonly Segment[]): void {
    for (const segment of segments) {
      segment.state = 'lost';
      this.#inFlight--;
    }
    if (segments.length > 0)
      this.#lost = [...this.#lost, ...segments].sort((left, right) => left.index - right.index);
  }

  #armLossTimer(): void {
    this.#lossTimer?.cancel();
    if (this.#inFlight === 0 && this.#lost.length === 0) return;
    const smoothed = this.#gauge.smoothedMs;
    const canProbe = !this.#probed && !this.#inRecovery && smoothed !== undefined;
    const waitMs = canProbe ? Math.min(2 * smoothed + 2, this.#gauge.timeoutMs) : this.#gauge.timeoutMs;
    this.#lossTimer = this.#options.schedule.at(this.#nowMs + waitMs, () => {
      if (canProbe) this.#probe();
      else this.#timeOut();
    });
  }

  /** Tail loss probe (RFC 8985 section 7): the last segment once more, so that the loss before it is seen. */
  #probe(): void {
    this.#probed = true;
    const flying = [...this.#sent.values()].filter(({ state }) => state === 'flying');
    const last = flying.at(-1);
    if (last === undefined) {
      this.#armLossTimer();
      return;
    }
    this.#inFlight--;
    // The answer to the probe, sent last of all, shows each earlier one as lost.
    this.#transmissions += DUPLICATE_THRESHOLD - 1;
    this.#transmit(last);
  }

  #timeOut(): void {
    this.#counts.timeouts++;
    this.#gauge.noteTimeout();
    const before = this.#inFlight;
    this.#declareLost([...this.#sent.values()].filter(({ state }) => state === 'flying'));
    this.#recoveryUntil = this.#nextIndex;
    this.#options.congestion.onTimeout(this.#nowMs, before);
    this.#paceAtMs = this.#nowMs;
    this.#pump();
    if (this.#inFlight === 0) this.#armLossTimer();
  }
}
