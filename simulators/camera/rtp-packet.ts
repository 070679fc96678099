import type { VideoCodec } from './nal-unit.ts';

const RTP_HEADER_BYTES = 12;
/** `$`, channel, 16-bit length (RFC 2326, 10.12). */
const INTERLEAVED_HEADER_BYTES = 4;
/** RTP packet with header, as cameras on Ethernet keep it. */
const RTP_PACKET_MAX_BYTES = 1_400;
const PAYLOAD_MAX_BYTES = RTP_PACKET_MAX_BYTES - RTP_HEADER_BYTES;
/** FU-A of RFC 6184 5.8, FU of RFC 7798 4.4.3. */
const FRAGMENT_NAL_TYPE = { h264: 28, hevc: 49 } as const;
const NAL_HEADER_BYTES = { h264: 1, hevc: 2 } as const;

/** First dynamic payload type; the SDP names it. */
export const RTP_PAYLOAD_TYPE = 96;

/** How the packets of one access unit look on the wire. */
export interface RtpPacketFields {
  readonly codec: VideoCodec;
  /** Interleaved channel, 0–255. */
  readonly channel: number;
  /** Sequence number of the first packet; taken modulo 2¹⁶. */
  readonly sequence: number;
  /** RTP time, 0 to 2³² − 1. */
  readonly timestamp: number;
  readonly ssrc: number;
}

/** How many packets a NAL unit takes. */
function countNalPackets(codec: VideoCodec, nalUnit: Buffer): number {
  if (nalUnit.length <= PAYLOAD_MAX_BYTES) return 1;
  const headerBytes = NAL_HEADER_BYTES[codec];
  return Math.ceil((nalUnit.length - headerBytes) / (PAYLOAD_MAX_BYTES - headerBytes - 1));
}

/** How many RTP packets an access unit takes. */
export function countRtpPackets(codec: VideoCodec, nalUnits: readonly Buffer[]): number {
  return nalUnits.reduce((count, nalUnit) => count + countNalPackets(codec, nalUnit), 0);
}

/**
 * The RTP packets of one access unit, each behind its interleaved header, in one new buffer that the caller owns.
 * Single NAL unit packets and fragmentation units (RFC 6184 5.6 and 5.8; RFC 7798 4.4.1 and 4.4.3); the marker bit is
 * set on the last packet.
 */
export function packetizeAccessUnit(nalUnits: readonly Buffer[], fields: RtpPacketFields): Buffer {
  const { codec } = fields;
  const nalHeaderBytes = NAL_HEADER_BYTES[codec];
  const fragmentHeaderBytes = nalHeaderBytes + 1;
  const packetCount = countRtpPackets(codec, nalUnits);
  let sizeBytes = packetCount * (INTERLEAVED_HEADER_BYTES + RTP_HEADER_BYTES);
  for (const nalUnit of nalUnits) {
    const packets = countNalPackets(codec, nalUnit);
    sizeBytes +=
      packets === 1 ? nalUnit.length : nalUnit.length - nalHeaderBytes + packets * fragmentHeaderBytes;
  }
  const wire = Buffer.allocUnsafe(sizeBytes);
  let offset = 0;
  let written = 0;
  const writeHeaders = (payloadBytes: number) => {
    const marker = written === packetCount - 1 ? 0x80 : 0;
    wire[offset] = 0x24;
    wire[offset + 1] = fields.channel;
    wire.writeUInt16BE(RTP_HEADER_BYTES + payloadBytes, offset + 2);
    wire[offset + 4] = 0x80;
    wire[offset + 5] = marker | RTP_PAYLOAD_TYPE;
    wire.writeUInt16BE((fields.sequence + written) & 0xffff, offset + 6);
    wire.writeUInt32BE(fields.timestamp, offset + 8);
    wire.writeUInt32BE(fields.ssrc, offset + 12);
    offset += INTERLEAVED_HEADER_BYTES + RTP_HEADER_BYTES;
    written += 1;
  };
  for (const nalUnit of nalUnits) {
    if (nalUnit.length <= PAYLOAD_MAX_BYTES) {
      writeHeaders(nalUnit.length);
      offset += nalUnit.copy(wire, offset);
      continue;
    }
    const stepBytes = PAYLOAD_MAX_BYTES - fragmentHeaderBytes;
    for (let start = nalHeaderBytes; start < nalUnit.length; start += stepBytes) {
      const end = Math.min(start + stepBytes, nalUnit.length);
      writeHeaders(fragmentHeaderBytes + end - start);
      offset += writeFragmentHeader(wire, offset, {
        codec,
        nalUnit,
        isFirst: start === nalHeaderBytes,
        isLast: end === nalUnit.length,
      });
      offset += nalUnit.copy(wire, offset, start, end);
    }
  }
  return wire;
}

interface Fragment {
  readonly codec: VideoCodec;
  readonly nalUnit: Buffer;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Returns the bytes written: the payload header with the fragment type in the NAL unit's place, then the FU header. */
function writeFragmentHeader(wire: Buffer, offset: number, fragment: Fragment): number {
  const { codec, nalUnit } = fragment;
  const first = nalUnit[0] ?? 0;
  const ends = (fragment.isFirst ? 0x80 : 0) | (fragment.isLast ? 0x40 : 0);
  if (codec === 'h264') {
    wire[offset] = (first & 0xe0) | FRAGMENT_NAL_TYPE.h264;
    wire[offset + 1] = ends | (first & 0x1f);
    return 2;
  }
  wire[offset] = (first & 0x81) | (FRAGMENT_NAL_TYPE.hevc << 1);
  wire[offset + 1] = nalUnit[1] ?? 0;
  wire[offset + 2] = ends | ((first >> 1) & 0x3f);
  return 3;
}

/** Seconds from 1900 (NTP) to 1970. */
const NTP_EPOCH_OFFSET_SECONDS = 2_208_988_800;
const SENDER_REPORT_BYTES = 28;

export interface SenderReport {
  readonly channel: number;
  readonly ssrc: number;
  /** The instant that `timestamp` stands for, ms since 1970. */
  readonly epochMs: number;
  readonly timestamp: number;
  readonly packetsSent: number;
  /** Payload bytes sent, without RTP headers; both counters are taken modulo 2³². */
  readonly payloadBytesSent: number;
}

/** An RTCP sender report (RFC 3550 6.4.1) with a CNAME (6.5.1) behind its interleaved header. */
export function buildSenderReport(report: SenderReport): Buffer {
  const name = Buffer.from('camera@ngatu', 'ascii');
  const descriptionBytes = (8 + 2 + name.length + 1 + 3) & ~3;
  const wire = Buffer.alloc(INTERLEAVED_HEADER_BYTES + SENDER_REPORT_BYTES + descriptionBytes);
  wire[0] = 0x24;
  wire[1] = report.channel;
  wire.writeUInt16BE(SENDER_REPORT_BYTES + descriptionBytes, 2);
  const sender = wire.subarray(INTERLEAVED_HEADER_BYTES);
  sender[0] = 0x80;
  sender[1] = 200;
  sender.writeUInt16BE(SENDER_REPORT_BYTES / 4 - 1, 2);
  sender.writeUInt32BE(report.ssrc, 4);
  const seconds = Math.floor(report.epochMs / 1_000);
  sender.writeUInt32BE((seconds + NTP_EPOCH_OFFSET_SECONDS) % 2 ** 32, 8);
  sender.writeUInt32BE(Math.floor(((report.epochMs - seconds * 1_000) / 1_000) * 2 ** 32), 12);
  sender.writeUInt32BE(report.timestamp, 16);
  sender.writeUInt32BE(report.packetsSent % 2 ** 32, 20);
  sender.writeUInt32BE(report.payloadBytesSent % 2 ** 32, 24);
  const description = sender.subarray(SENDER_REPORT_BYTES);
  description[0] = 0x81;
  description[1] = 202;
  description.writeUInt16BE(descriptionBytes / 4 - 1, 2);
  description.writeUInt32BE(report.ssrc, 4);
  description[8] = 1;
  description[9] = name.length;
  name.copy(description, 10);
  return wire;
}
