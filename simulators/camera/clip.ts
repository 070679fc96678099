import { access, constants } from 'node:fs/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { type DemuxedPacket, demuxPackets, probeVideo, TICKS_PER_SECOND } from './clip-demux.ts';
import { transcodeClip } from './clip-transcode.ts';
import { findParameterSets, type ParameterSets, splitAnnexB, type VideoCodec } from './nal-unit.ts';

/** One coded picture as it stood in the file. */
export interface AccessUnit {
  /** NAL units without start codes; parameter sets stand before every keyframe. Read-only views, owned by the clip. */
  readonly nalUnits: readonly Buffer[];
  /** Presentation time, 90 kHz ticks from the first shown picture of the clip (0 or more). */
  readonly ptsTicks: number;
  /** Decoding time on the same scale; may be negative, never decreases. */
  readonly dtsTicks: number;
  readonly isKeyframe: boolean;
}

/** A video in memory, in decoding order, starting with a keyframe. */
export interface Clip {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly parameterSets: ParameterSets;
  readonly accessUnits: readonly AccessUnit[];
  /** Length of one loop, ticks: last picture − first picture + the median interval between pictures. */
  readonly durationTicks: number;
  /** Where tick 0 lies in the file, ms from its first shown picture; not 0 where the file begins without a keyframe. */
  readonly originMs: number;
}

export interface LoadClipOptions {
  readonly signal: AbortSignal;
  /** Folder for transcoded copies; needed for anything that is not H.264 or H.265, or where `codec` asks for another. */
  readonly cacheDir?: string;
  /** The codec to stream; by default the file's own, or H.264 where the file has neither. */
  readonly codec?: VideoCodec;
}

/**
 * Loads a video file without re-encoding where it is H.264 or H.265 with complete timestamps, and through one transcode
 * into `cacheDir` (kept, found again by content) where it is not.
 *
 * Errors: FILE_UNREADABLE, VIDEO_UNREADABLE, SETUP_PACKAGE_MISSING, DISK_FULL, PERMISSION_DENIED (the cache folder).
 */
export async function loadClip(path: string, options: LoadClipOptions): Promise<Clip> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read video "${path}": ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const { signal, cacheDir } = options;
  const probe = await probeVideo(path, signal);
  const wanted = options.codec ?? (probe.codec === 'hevc' ? 'hevc' : 'h264');
  if (probe.codec === wanted) {
    const packets = await demuxPackets(path, wanted, signal);
    const clip = buildClip(wanted, probe, packets);
    if (clip) return clip;
  }
  if (cacheDir === undefined) {
    throw new NgatuError(
      'VIDEO_UNREADABLE',
      `Cannot stream video "${path}" as ${wanted}: it holds ${probe.codec}, or ${wanted} without parameter sets or complete times, and no cache folder for a transcoded copy was given`,
    );
  }
  const copy = await transcodeClip({ path, codec: wanted, cacheDir }, signal);
  const clip = buildClip(wanted, probe, await demuxPackets(copy, wanted, signal));
  if (!clip)
    throw new NgatuError(
      'VIDEO_UNREADABLE',
      `Cannot stream video "${path}": its transcoded copy has no pictures`,
    );
  return clip;
}

/**
 * Undefined where the packets cannot be streamed as they are: no keyframe, no parameter sets, or a time is missing or
 * runs backwards. What stands before the first keyframe goes, and so do hidden pictures at the end; hidden ones before
 * shown ones may be needed to decode those, and stay.
 */
function buildClip(
  codec: VideoCodec,
  size: { readonly width: number; readonly height: number },
  packets: readonly DemuxedPacket[],
): Clip | undefined {
  const firstKeyframe = packets.findIndex((packet) => packet.isKeyframe);
  const lastShown = packets.findLastIndex((packet) => !packet.isHidden);
  const kept = firstKeyframe === -1 ? [] : packets.slice(firstKeyframe, lastShown + 1);
  const times = kept.map((packet) => packet.ptsTicks).sort((a, b) => a - b);
  const [origin] = times;
  const last = times.at(-1);
  const units = kept.map((packet) => ({ packet, nalUnits: splitAnnexB(packet.data) }));
  const parameterSets = findFirst(units, ({ nalUnits }) => findParameterSets(codec, nalUnits));
  if (!parameterSets || origin === undefined || last === undefined || !hasCompleteTimes(kept))
    return undefined;
  const fileOrigin = packets
    .filter((packet) => !packet.isHidden && !Number.isNaN(packet.ptsTicks))
    .reduce((least, packet) => Math.min(least, packet.ptsTicks), last);
  return {
    codec,
    width: size.width,
    height: size.height,
    parameterSets,
    accessUnits: units.map(({ packet, nalUnits }) => ({
      nalUnits,
      ptsTicks: packet.ptsTicks - origin,
      dtsTicks: packet.dtsTicks - origin,
      isKeyframe: packet.isKeyframe,
    })),
    durationTicks: last - origin + computeMedianInterval(times),
    originMs: ((origin - fileOrigin) * 1_000) / TICKS_PER_SECOND,
  };
}

function findFirst<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function hasCompleteTimes(packets: readonly DemuxedPacket[]): boolean {
  return packets.every((packet, index) => {
    const previous = packets[index - 1];
    const isTimed = Number.isFinite(packet.ptsTicks) && Number.isFinite(packet.dtsTicks);
    return isTimed && (!previous || packet.dtsTicks >= previous.dtsTicks);
  });
}

/** @param times presentation times in rising order, ticks. One picture alone lasts a 25th of a second. */
function computeMedianInterval(times: readonly number[]): number {
  const intervals = times
    .slice(1)
    .map((time, index) => time - (times[index] ?? time))
    .sort((a, b) => a - b);
  return intervals[intervals.length >> 1] || TICKS_PER_SECOND / 25;
}
