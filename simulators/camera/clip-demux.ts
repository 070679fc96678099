import { NgatuError } from '@ngatu/contract';
import { runMediaProcess } from './media-process.ts';
import type { VideoCodec } from './nal-unit.ts';

/** A clip is held in memory whole. */
const CLIP_MAX_BYTES = 1024 * 1024 * 1024;
const PROBE_MAX_BYTES = 1024 * 1024;
/** Ticks per second of every time in a clip: the RTP clock of H.264 and H.265 (RFC 6184, RFC 7798). */
export const TICKS_PER_SECOND = 90_000;
/** AV_PKT_FLAG_KEY and AV_PKT_FLAG_DISCARD of libavcodec's packet.h. */
const PACKET_FLAG_KEY = 0x1;
const PACKET_FLAG_DISCARD = 0x4;

export interface VideoProbe {
  /** ffmpeg's name of the codec. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
}

/** One packet of the first video stream, Annex B; times are 90 kHz ticks as in the file, NaN where the file has none. */
export interface DemuxedPacket {
  readonly data: Buffer;
  readonly ptsTicks: number;
  readonly dtsTicks: number;
  readonly isKeyframe: boolean;
  /** The file's edit list takes the picture out: players decode it and do not show it. */
  readonly isHidden: boolean;
}

/** Codec and picture size of the first video stream. Errors: VIDEO_UNREADABLE, SETUP_PACKAGE_MISSING. */
export async function probeVideo(path: string, signal: AbortSignal): Promise<VideoProbe> {
  const args = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=codec_name,width,height'];
  const purpose = `Cannot read video "${path}"`;
  const output = await runMediaProcess(
    { program: 'ffprobe', args: [...args, '-of', 'json', '-i', path], purpose, maxBytes: PROBE_MAX_BYTES },
    signal,
  );
  const probe: unknown = JSON.parse(output.stdout.toString('utf8'));
  const streams = isRecord(probe) && Array.isArray(probe['streams']) ? probe['streams'] : [];
  const stream: unknown = streams[0];
  if (!isRecord(stream)) throw new NgatuError('VIDEO_UNREADABLE', `${purpose}: it has no video stream`);
  const { codec_name: codec, width, height } = stream;
  if (typeof codec !== 'string' || typeof width !== 'number' || typeof height !== 'number') {
    throw new NgatuError('VIDEO_UNREADABLE', `${purpose}: its codec or its picture size is not known`);
  }
  return { codec, width, height };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * Takes the packets of the first video stream out of the file untouched, in decoding order. ffmpeg writes the bytes to
 * one pipe and, through the same bitstream filter, a line with times, size and flags of each packet to another
 * (`framecrc`), so both agree packet by packet.
 *
 * Errors: VIDEO_UNREADABLE, SETUP_PACKAGE_MISSING.
 */
export async function demuxPackets(
  path: string,
  codec: VideoCodec,
  signal: AbortSignal,
): Promise<DemuxedPacket[]> {
  const copy = ['-map', '0:v:0', '-c', 'copy', '-copyinkf', '-bsf:v', `${codec}_mp4toannexb`];
  const output = await runMediaProcess(
    {
      program: 'ffmpeg',
      args: [
        ...['-nostdin', '-v', 'error', '-copyts', '-i', path],
        ...[...copy, '-f', 'rawvideo', 'pipe:1'],
        ...[...copy, '-f', 'framecrc', 'pipe:3'],
      ],
      purpose: `Cannot read video "${path}"`,
      maxBytes: CLIP_MAX_BYTES,
      withSideOutput: true,
    },
    signal,
  );
  return decodePacketList(path, output.side.toString('latin1'), output.stdout);
}

/** The packets that a `framecrc` list cuts out of the bytes; views of `data`. Errors: VIDEO_UNREADABLE. */
export function decodePacketList(path: string, list: string, data: Buffer): DemuxedPacket[] {
  const packets: DemuxedPacket[] = [];
  let ticksPerUnit = Number.NaN;
  let offset = 0;
  for (const line of list.split('\n')) {
    const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line);
    if (timeBase) ticksPerUnit = (Number(timeBase[1]) * TICKS_PER_SECOND) / Number(timeBase[2]);
    // stream, dts, pts, duration, size, checksum, then F=<flags> unless the packet is a keyframe and nothing else
    const fields = /^0,\s*(-?\w+),\s*(-?\w+),\s*-?\w+,\s*(\d+),\s*0x\w+(?:.*, F=0x([0-9A-Fa-f]+))?/.exec(
      line,
    );
    if (!fields) continue;
    const end = offset + Number(fields[3]);
    const flags = fields[4] === undefined ? PACKET_FLAG_KEY : Number.parseInt(fields[4], 16);
    packets.push({
      data: data.subarray(offset, end),
      dtsTicks: decodeTicks(fields[1], ticksPerUnit),
      ptsTicks: decodeTicks(fields[2], ticksPerUnit),
      isKeyframe: (flags & PACKET_FLAG_KEY) !== 0,
      isHidden: (flags & PACKET_FLAG_DISCARD) !== 0,
    });
    offset = end;
  }
  if (offset !== data.length) {
    throw new NgatuError(
      'VIDEO_UNREADABLE',
      `Cannot read video "${path}": ${data.length} bytes for packets of ${offset}`,
    );
  }
  return packets;
}

/** ffmpeg writes a missing time as NOPTS or as the least 64-bit integer. */
function decodeTicks(text: string | undefined, ticksPerUnit: number): number {
  const value = Number(text);
  return Math.abs(value) > Number.MAX_SAFE_INTEGER ? Number.NaN : Math.round(value * ticksPerUnit);
}
