import type { Schedule } from './event-schedule.ts';

/** One IP packet on the link. */
export interface Packet {
  /** With its headers. */
  readonly sizeBytes: number;
  /** Called in the instant of its arrival, unless it is lost. */
  readonly arrive: () => void;
}

/** How one direction of a link behaves. */
export interface DirectionConditions {
  /** Absent: sending takes no time. */
  readonly bitsPerSecond?: number;
  /** From the end of sending to the arrival, ms. */
  readonly delayMs: number;
  /** Share of the packets that are lost on the way, independent of one another, 0–1. */
  readonly lossFraction: number;
  /** What waits to be sent; a packet that finds no room is dropped (tail drop). */
  readonly bufferBytes: number;
}

export interface DirectionStatistics {
  /** Offered to this direction, with headers. */
  readonly packets: number;
  readonly bytes: number;
  /** Lost at random on the way. */
  readonly lostPackets: number;
  /** Found the buffer full. */
  readonly droppedPackets: number;
  /** Passed while the link was frozen, and are gone. */
  readonly frozenPackets: number;
  /** The most that ever waited. */
  readonly queueMaxBytes: number;
  /** How long the line was busy sending, ms. */
  readonly busyMs: number;
}

/**
 * One direction of a link that all its flows share: a queue with a bounded buffer, a line of one rate, then a delay in which a packet
 * may be lost. What is lost has taken its time on the line.
 */
export class Bottleneck {
  readonly #schedule: Schedule;
  /** Uniform in [0, 1). */
  readonly #random: () => number;
  readonly #queue: Packet[] = [];
  #conditions: DirectionConditions;
  #queuedBytes = 0;
  #sending = false;
  #frozen = false;
  #lastArrivalMs = 0;
  #counts = {
    packets: 0,
    bytes: 0,
    lostPackets: 0,
    droppedPackets: 0,
    frozenPackets: 0,
    queueMaxBytes: 0,
    busyMs: 0,
  };

  constructor(schedule: Schedule, random: () => number, conditions: DirectionConditions) {
    this.#schedule = schedule;
    this.#random = random;
    this.#conditions = conditions;
  }

  get statistics(): DirectionStatistics {
    return { ...this.#counts };
  }

  /** Holds for the packets that begin to be sent from now on. */
  setConditions(conditions: DirectionConditions): void {
    this.#conditions = conditions;
  }

  /** A frozen direction swallows every packet. */
  setFrozen(frozen: boolean): void {
    this.#frozen = frozen;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  send(packet: Packet): void {
    this.#counts.packets++;
    this.#counts.bytes += packet.sizeBytes;
    if (this.#sending && this.#queuedBytes + packet.sizeBytes > this.#conditions.bufferBytes) {
      this.#counts.droppedPackets++;
      return;
    }
    this.#queue.push(packet);
    this.#queuedBytes += packet.sizeBytes;
    this.#counts.queueMaxBytes = Math.max(this.#counts.queueMaxBytes, this.#queuedBytes);
    if (!this.#sending) this.#sendNext();
  }

  #sendNext(): void {
    const packet = this.#queue.shift();
    this.#sending = packet !== undefined;
    if (packet === undefined) return;
    this.#queuedBytes -= packet.sizeBytes;
    const { bitsPerSecond } = this.#conditions;
    if (bitsPerSecond === undefined) {
      this.#leave(packet);
      this.#sendNext();
      return;
    }
    const takesMs = (packet.sizeBytes * 8_000) / bitsPerSecond;
    this.#counts.busyMs += takesMs;
    this.#schedule.at(this.#schedule.nowMs + takesMs, () => {
      this.#leave(packet);
      this.#sendNext();
    });
  }

  #leave(packet: Packet): void {
    if (this.#frozen) {
      this.#counts.frozenPackets++;
      return;
    }
    if (this.#random() < this.#conditions.lossFraction) {
      this.#counts.lostPackets++;
      return;
    }
    // A shorter delay from now on does not let packets overtake.
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, this.#schedule.nowMs + this.#conditions.delayMs);
    this.#schedule.at(this.#lastArrivalMs, () => {
      if (this.#frozen) this.#counts.frozenPackets++;
      else packet.arrive();
    });
  }
}
