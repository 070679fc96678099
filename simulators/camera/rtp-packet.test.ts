import { describe, expect, it } from 'vitest';
import { splitAnnexB, type VideoCodec } from './nal-unit.ts';
import { buildSenderReport, countRtpPackets, packetizeAccessUnit } from './rtp-packet.ts';

interface Packet {
  readonly marker: boolean;
  readonly sequence: number;
  readonly payload: Buffer;
}

function cutPackets(wire: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let offset = 0; offset < wire.length; ) {
    const length = wire.readUInt16BE(offset + 2);
    const packet = wire.subarray(offset + 4, offset + 4 + length);
    expect(wire[offset]).toBe(0x24);
    expect(packet[0]).toBe(0x80);
    expect(length).toBeLessThanOrEqual(1_400);
    const sequence = packet.readUInt16BE(2);
    packets.push({ marker: ((packet[1] ?? 0) & 0x80) !== 0, sequence, payload: packet.subarray(12) });
    offset += 4 + length;
  }
  return packets;
}

/** Puts fragments together by the rules of RFC 6184 5.8 and RFC 7798 4.4.3. */
function joinNalUnits(codec: VideoCodec, payloads: readonly Buffer[]): Buffer[] {
  const nalUnits: Buffer[] = [];
  let parts: Buffer[] = [];
  for (const payload of payloads) {
    const [a = 0, b = 0, c = 0] = payload;
    const isFragment = codec === 'h264' ? (a & 0x1f) === 28 : ((a >> 1) & 0x3f) === 49;
    if (!isFragment) {
      expect(parts).toHaveLength(0);
      nalUnits.push(payload);
      continue;
    }
    const fu = codec === 'h264' ? b : c;
    expect((fu & 0x80) !== 0).toBe(parts.length === 0);
    if (parts.length === 0) {
      parts.push(
        codec === 'h264'
          ? Buffer.from([(a & 0xe0) | (fu & 0x1f)])
          : Buffer.from([(a & 0x81) | ((fu & 0x3f) << 1), b]),
      );
    }
    parts.push(payload.subarray(codec === 'h264' ? 2 : 3));
    if ((fu & 0x40) !== 0) {
      nalUnits.push(Buffer.concat(parts));
      parts = [];
    }
  }
  expect(parts).toHaveLength(0);
  return nalUnits;
}

describe.each(['h264', 'hevc'] as const)('RTP packets of %s', (codec) => {
  const header = codec === 'h264' ? [0x65] : [0x26, 0x01];
  const aNalUnit = (length: number) =>
    Buffer.from(Array.from({ length }, (_, index) => header[index] ?? ((index * 31) % 251) + 1));
  const fields = { codec, channel: 2, sequence: 65_530, timestamp: 2 ** 32 - 1, ssrc: 0xdeadbeef };

  it.each([2, 3, 1_387, 1_388, 1_389, 1_390, 2_772, 2_773, 2_774, 2_775, 100_000])(
    'carry a NAL unit of %i bytes unchanged',
    (length) => {
      const nalUnits = [aNalUnit(9), aNalUnit(length)];
      const packets = cutPackets(packetizeAccessUnit(nalUnits, fields));
      expect(
        joinNalUnits(
          codec,
          packets.map((packet) => packet.payload),
        ),
      ).toEqual(nalUnits);
      expect(packets).toHaveLength(countRtpPackets(codec, nalUnits));
      expect(packets.map((packet) => packet.marker)).toEqual(
        packets.map((_, index) => index === packets.length - 1),
      );
      expect(packets.map((packet) => packet.sequence)).toEqual(
        packets.map((_, index) => (65_530 + index) % 65_536),
      );
    },
  );
});

describe('splitAnnexB', () => {
  it('takes 3- and 4-byte start codes, padding and emulated ones apart', () => {
    const stream = Buffer.from([
      0, 0, 0, 1, 0x67, 1, 0, 0, 3, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 1, 0x65, 3, 0, 0,
    ]);
    expect(splitAnnexB(stream)).toEqual(
      [
        [0x67, 1, 0, 0, 3, 1],
        [0x68, 2],
        [0x65, 3],
      ].map((bytes) => Buffer.from(bytes)),
    );
    expect(splitAnnexB(Buffer.from([1, 2, 3]))).toEqual([]);
  });
});

describe('buildSenderReport', () => {
  it('writes NTP time with its fraction, and sound lengths', () => {
    const report = {
      channel: 1,
      ssrc: 7,
      timestamp: 90_000,
      packetsSent: 2 ** 32 + 5,
      payloadBytesSent: 1_000,
    };
    const wire = buildSenderReport({ ...report, epochMs: 1_500 });
    expect(wire.length).toBe(4 + wire.readUInt16BE(2));
    const data = wire.subarray(4);
    expect(data.readUInt32BE(8)).toBe(2_208_988_801);
    expect(data.readUInt32BE(12)).toBe(2 ** 31);
    expect([16, 20, 24].map((offset) => data.readUInt32BE(offset))).toEqual([90_000, 5, 1_000]);
    // the second packet of the compound begins where the first says that it ends
    const second = (data.readUInt16BE(2) + 1) * 4;
    expect(data[second + 1]).toBe(202);
    expect(second + (data.readUInt16BE(second + 2) + 1) * 4).toBe(data.length);
  });
});
