import type { Clip } from './clip.ts';
import { type ClipPosition, ClipTimeline } from './clip-timeline.ts';
import { buildSenderReport, countRtpPackets, packetizeAccessUnit } from './rtp-packet.ts';
import type { StreamViewer } from './stream-viewer.ts';

/** Time as the camera knows it: ms since 1970, with fractions, never running backwards. */
export interface CameraClock {
  epochMs(): number;
}

/** What a mount did since it was opened. */
export interface MountStatistics {
  readonly viewers: number;
  /** Access units handed to viewers, counted once per viewer. */
  readonly accessUnitsSent: number;
  /** Access units withheld from viewers that read too slowly, counted once per viewer. */
  readonly accessUnitsDropped: number;
}

export interface CameraMountOptions {
  readonly path: string;
  readonly clip: Clip;
  readonly clock: CameraClock;
  /** 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  /** Place in the clip, ms of the file's presentation time, at which the camera is switched on. */
  readonly startAtMs: number;
}

/** The access unit (counted over all loops) that a new viewer gets first, and how it looks on the wire. */
export interface JoinPoint {
  readonly accessUnit: number;
  readonly sequence: number;
  readonly timestamp: number;
}

/** Sender reports are as far apart as RFC 3550 6.2 wants them for small sessions. */
const REPORT_INTERVAL_MS = 5_000;
/** Sent later than this (the process was held up), the camera goes on with its latest group of pictures. */
const LATE_MAX_MS = 1_000;

/**
 * One live camera: a looping clip under a media clock that goes on whether anybody looks or not. Timers run only while
 * there are viewers.
 */
export class CameraMount {
  readonly path: string;
  readonly timeline: ClipTimeline;
  readonly ssrc: number;
  readonly #options: CameraMountOptions;
  readonly #rtpBase: number;
  readonly #sequenceBase: number;
  /** RTP packets in a loop before each access unit; the last entry is the whole loop's count. */
  readonly #packetsBefore: readonly number[];
  readonly #viewers = new Set<StreamViewer>();
  #loopZeroEpochMs: number | undefined;
  /** The next access unit to be sent. */
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #isFrozen = false;
  /** Access units in this half-open range carry random payload. */
  #corrupted = { from: 0, to: 0 };
  #sent = 0;
  #droppedByLeavers = 0;

  constructor(options: CameraMountOptions) {
    const { clip, random } = options;
    this.#options = options;
    this.path = options.path;
    this.timeline = new ClipTimeline(clip);
    this.ssrc = Math.floor(random() * 2 ** 32);
    this.#rtpBase = Math.floor(random() * 2 ** 32);
    this.#sequenceBase = Math.floor(random() * 2 ** 16);
    const packetsBefore = [0];
    for (const unit of clip.accessUnits) {
      packetsBefore.push((packetsBefore.at(-1) ?? 0) + countRtpPackets(clip.codec, unit.nalUnits));
    }
    this.#packetsBefore = packetsBefore;
  }

  /** Switches the camera on; its media clock runs from here. A second call changes nothing. */
  start(): void {
    this.#loopZeroEpochMs ??=
      this.#options.clock.epochMs() -
      this.timeline.elapsedAt({ loop: 0, mediaTimeMs: this.#options.startAtMs });
  }

  /** When loop 0 began, or would have begun where the clip is entered later, ms since 1970; absent before the start. */
  get loopZeroEpochMs(): number | undefined {
    return this.#loopZeroEpochMs;
  }

  /** What the camera saw at an instant; absent before its start. */
  positionAt(epochMs: number): ClipPosition | undefined {
    const elapsedMs = epochMs - (this.#loopZeroEpochMs ?? Number.POSITIVE_INFINITY);
    return elapsedMs < 0 ? undefined : this.timeline.positionAt(elapsedMs);
  }

  /** When the camera sees a position, ms since 1970; absent before its start. */
  epochMsAt(position: ClipPosition): number | undefined {
    const start = this.#loopZeroEpochMs;
    return start === undefined ? undefined : start + this.timeline.elapsedAt(position);
  }

  get statistics(): MountStatistics {
    let dropped = this.#droppedByLeavers;
    for (const viewer of this.#viewers) dropped += viewer.accessUnitsDropped;
    return { viewers: this.#viewers.size, accessUnitsSent: this.#sent, accessUnitsDropped: dropped };
  }

  /** Where a viewer who joins now would begin; undefined while frozen or before the first access unit. */
  findJoinPoint(): JoinPoint | undefined {
    const due = this.#findDue();
    if (this.#isFrozen || due < 0) return undefined;
    const accessUnit = this.timeline.findKeyframe(due);
    return {
      accessUnit,
      sequence: this.#computeSequence(accessUnit),
      timestamp: this.#computeTimestamp(accessUnit),
    };
  }

  /**
   * Adds a viewer, who gets the pictures since the join point's keyframe at once and then every picture as it is taken.
   * Without a join point the viewer begins with the next keyframe.
   */
  join(viewer: StreamViewer, joinPoint: JoinPoint | undefined): void {
    if (this.#viewers.size === 0) this.#next = this.#findDue() + 1;
    else this.#sendDue();
    for (let n = joinPoint?.accessUnit ?? this.#next; n < this.#next; n += 1) this.#send(n, [viewer]);
    this.#viewers.add(viewer);
    this.#schedule();
  }

  leave(viewer: StreamViewer): void {
    if (!this.#viewers.delete(viewer)) return;
    this.#droppedByLeavers += viewer.accessUnitsDropped;
    if (this.#viewers.size === 0) clearTimeout(this.#timer);
  }

  /** Fault: nothing more is sent, the connections stay; what happens before the camera meanwhile is never seen. */
  freeze(): void {
    this.#sendDue();
    this.#isFrozen = true;
    clearTimeout(this.#timer);
  }

  /** Ends `freeze`: the stream goes on in the present, from its latest keyframe. */
  resume(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#sendDue();
    this.#schedule();
  }

  /** Fault: the payload bytes of the next `count` access units are random; packets and headers stay well formed. */
  corruptNext(count: number): void {
    const from = this.#findDue() + 1;
    this.#corrupted = { from, to: from + count };
  }

  /** Fault: random bytes between the packets, so that the RTSP framing itself is lost. */
  sendNoise(sizeBytes: number): void {
    const noise = Buffer.from(
      Array.from({ length: sizeBytes }, () => Math.floor(this.#options.random() * 256)),
    );
    for (const viewer of this.#viewers) viewer.sendControl(noise);
  }

  #findDue(): number {
    const start = this.#loopZeroEpochMs ?? Number.POSITIVE_INFINITY;
    return start === Number.POSITIVE_INFINITY
      ? -1
      : this.timeline.findDue(this.#options.clock.epochMs() - start);
  }

  #computeSequence(n: number): number {
    const { index, loop } = this.timeline.accessUnitAt(n);
    const perLoop = this.#packetsBefore.at(-1) ?? 0;
    return (this.#sequenceBase + loop * perLoop + (this.#packetsBefore[index] ?? 0)) % 2 ** 16;
  }

  #computeTimestamp(n: number): number {
    return (this.#rtpBase + this.timeline.computeRtpTime(n)) % 2 ** 32;
  }

  #sendDue(): void {
    if (this.#isFrozen || this.#viewers.size === 0) return;
    const due = this.#findDue();
    if (due < this.#next) return;
    const elapsedMs = this.#options.clock.epochMs() - (this.#loopZeroEpochMs ?? 0);
    if (elapsedMs - this.timeline.computeSendMs(this.#next) > LATE_MAX_MS) {
      this.#next = Math.max(this.#next, this.timeline.findKeyframe(due));
    }
    for (; this.#next <= due; this.#next += 1) this.#send(this.#next, this.#viewers);
  }

  #send(n: number, viewers: Iterable<StreamViewer>): void {
    const { unit } = this.timeline.accessUnitAt(n);
    const { codec } = this.timeline.clip;
    const timestamp = this.#computeTimestamp(n);
    const isCorrupted = n >= this.#corrupted.from && n < this.#corrupted.to;
    const nalUnits = isCorrupted ? unit.nalUnits.map((nalUnit) => this.#corrupt(nalUnit)) : unit.nalUnits;
    const packetCount = countRtpPackets(codec, nalUnits);
    let wire: Buffer | undefined;
    let wireChannel: number | undefined;
    for (const viewer of viewers) {
      if (!wire || wireChannel !== viewer.rtpChannel) {
        wireChannel = viewer.rtpChannel;
        const sequence = this.#computeSequence(n);
        wire = packetizeAccessUnit(nalUnits, {
          codec,
          channel: wireChannel,
          sequence,
          timestamp,
          ssrc: this.ssrc,
        });
      }
      if (viewer.sendAccessUnit({ wire, packetCount, isKeyframe: unit.isKeyframe })) this.#sent += 1;
      this.#reportTo(viewer);
    }
  }

  #corrupt(nalUnit: Buffer): Buffer {
    const copy = Buffer.from(nalUnit);
    for (let i = 2; i < copy.length; i += 1) copy[i] = Math.floor(this.#options.random() * 256);
    return copy;
  }

  #reportTo(viewer: StreamViewer): void {
    const epochMs = this.#options.clock.epochMs();
    if (epochMs < viewer.nextReportEpochMs) return;
    viewer.nextReportEpochMs = epochMs + REPORT_INTERVAL_MS;
    const elapsedTicks = Math.round((epochMs - (this.#loopZeroEpochMs ?? 0)) * 90);
    viewer.sendControl(
      buildSenderReport({
        channel: viewer.rtpChannel + 1,
        ssrc: this.ssrc,
        epochMs,
        timestamp: (this.#rtpBase + elapsedTicks) % 2 ** 32,
        packetsSent: viewer.packetsSent,
        payloadBytesSent: viewer.payloadBytesSent,
      }),
    );
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isFrozen || this.#viewers.size === 0) return;
    const elapsedMs = this.#options.clock.epochMs() - (this.#loopZeroEpochMs ?? 0);
    this.#timer = setTimeout(
      () => {
        this.#sendDue();
        this.#schedule();
      },
      Math.max(0, this.timeline.computeSendMs(this.#next) - elapsedMs),
    );
  }
}
