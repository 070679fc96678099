import type { Socket } from 'node:net';

/** One access unit on its way to a viewer; `wire` is shared between viewers and must not be written to. */
export interface OutgoingAccessUnit {
  readonly wire: Buffer;
  readonly packetCount: number;
  readonly isKeyframe: boolean;
}

/** `$`, channel and length, then the RTP header. */
const PACKET_OVERHEAD_BYTES = 16;

/**
 * A client that plays. What it does not read in time is bounded: beyond `bufferMaxBytes` in its socket, access units are
 * dropped until a keyframe fits again, and counted.
 */
export class StreamViewer {
  /** RTP goes to this interleaved channel, RTCP to the next. */
  readonly rtpChannel: number;
  /** When the next sender report is due, ms since 1970; 0 asks for one after the first access unit. */
  nextReportEpochMs = 0;
  packetsSent = 0;
  payloadBytesSent = 0;
  accessUnitsDropped = 0;
  readonly #socket: Socket;
  readonly #bufferMaxBytes: number;
  #awaitsKeyframe = true;

  constructor(socket: Socket, options: { readonly rtpChannel: number; readonly bufferMaxBytes: number }) {
    this.#socket = socket;
    this.rtpChannel = options.rtpChannel;
    this.#bufferMaxBytes = options.bufferMaxBytes;
  }

  /** True where the access unit was queued for the client, false where it was dropped. */
  sendAccessUnit(unit: OutgoingAccessUnit): boolean {
    if (!unit.isKeyframe && this.#awaitsKeyframe) {
      this.accessUnitsDropped += 1;
      return false;
    }
    if (!this.#hasRoom(unit.wire.length)) {
      this.#awaitsKeyframe = true;
      this.accessUnitsDropped += 1;
      return false;
    }
    this.#awaitsKeyframe = false;
    this.packetsSent += unit.packetCount;
    this.payloadBytesSent += unit.wire.length - unit.packetCount * PACKET_OVERHEAD_BYTES;
    this.#socket.write(unit.wire);
    return true;
  }

  /** Sends bytes that are not video; dropped where the client has no room for them. */
  sendControl(bytes: Buffer): void {
    if (this.#hasRoom(bytes.length)) this.#socket.write(bytes);
  }

  #hasRoom(sizeBytes: number): boolean {
    return this.#socket.writable && this.#socket.writableLength + sizeBytes <= this.#bufferMaxBytes;
  }
}
