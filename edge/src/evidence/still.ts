import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { type MediaPlan, runMediaPlans } from './media-plan.ts';
import type { PictureEntry, Recording } from './recording.ts';

/** Wanted still: where it goes, and the presentation time of a picture of the recording, ms. */
export interface StillRequest {
  readonly mediaTimeMs: number;
  readonly outFile: string;
}

/** ffmpeg's quality of JPEG, 1 to 31; at 2 no loss can be seen. */
const JPEG_QUALITY = 2;

/** The picture whose presentation time is nearest; the earlier one of two. */
export function findNearestPicture(
  pictures: readonly PictureEntry[],
  mediaTimeMs: number,
): PictureEntry | undefined {
  let nearest: PictureEntry | undefined;
  for (const picture of pictures) {
    const distance = Math.abs(picture.mediaTimeMs - mediaTimeMs);
    const best =
      nearest === undefined ? Number.POSITIVE_INFINITY : Math.abs(nearest.mediaTimeMs - mediaTimeMs);
    const isEarlier = nearest !== undefined && picture.mediaTimeMs < nearest.mediaTimeMs;
    if (distance < best || (distance === best && isEarlier)) nearest = picture;
  }
  return nearest;
}

/** Pictures of a preview: small, planar YUV 4:2:0 (I420), one file each. */
export interface PreviewFrames {
  /** Presentation times of pictures of the recording, rising, ms. */
  readonly timesMs: readonly number[];
  /** Even, px. */
  readonly width: number;
  readonly height: number;
}

/** Stills that are yet to be made: what ffmpeg must be told, and where its files are found. */
export interface StillPlan {
  readonly command: MediaPlan;
  readonly preview: PreviewFrames | undefined;
  readonly requests: readonly StillRequest[];
  readonly originMs: number;
  readonly workDir: string;
}

/**
 * Plans full-resolution JPEGs of exact pictures and the small pictures of a preview, all in one pass of decoding.
 * @param requests distinct times of pictures of the recording, rising; one at least
 * @param workDir takes temporary files; the caller removes it
 * @throws NgatuError CLIP_UNAVAILABLE
 */
export function planStills(
  recording: Recording,
  requests: readonly StillRequest[],
  workDir: string,
  preview?: PreviewFrames,
): StillPlan {
  const earliestMs = Math.min(
    requests[0]?.mediaTimeMs ?? Number.POSITIVE_INFINITY,
    preview?.timesMs[0] ?? Number.POSITIVE_INFINITY,
  );
  const skipped = recording.segments.findLastIndex((segment) => segment.startMs <= earliestMs);
  const segments = recording.segments.slice(Math.max(0, skipped));
  const [first] = segments;
  if (first === undefined)
    throw new NgatuError('CLIP_UNAVAILABLE', 'Cannot make stills: there is no segment');
  const times = requests.map(({ mediaTimeMs }) => mediaTimeMs);
  const folder = workDir.replaceAll('%', '%%');
  return {
    requests,
    preview,
    originMs: first.startMs,
    workDir,
    command: {
      listFile: join(workDir, 'stills.ffconcat'),
      segments,
      outputs: [
        [
          ...['-vf', selectPictures(times, first.startMs), '-fps_mode', 'passthrough'],
          ...['-frames:v', String(requests.length), '-c:v', 'mjpeg', '-q:v', String(JPEG_QUALITY)],
          ...['-fflags', '+bitexact', '-flags:v', '+bitexact'],
          ...['-f', 'image2', '-frame_pts', '1', '-enc_time_base', '1/1000'],
          `file:${join(folder, 'still-%d.jpg')}`,
        ],
        ...(preview === undefined ? [] : [outputPreview(preview, first.startMs, folder)]),
      ],
    },
  };
}

/** A filter that lets exactly these pictures through; Matroska keeps whole milliseconds. */
function selectPictures(timesMs: readonly number[], originMs: number): string {
  const terms = timesMs.map((timeMs) => {
    const timeS = (timeMs - originMs) / 1000;
    return `between(t\\,${(timeS - 0.0008).toFixed(4)}\\,${(timeS + 0.0008).toFixed(4)})`;
  });
  return `select='${terms.join('+')}'`;
}

function outputPreview(
  { timesMs, width, height }: PreviewFrames,
  originMs: number,
  folder: string,
): string[] {
  const scale = `scale=${width}:${height}:flags=area,format=yuv420p`;
  return [
    ...['-vf', `${selectPictures(timesMs, originMs)},${scale}`, '-fps_mode', 'passthrough'],
    ...['-frames:v', String(timesMs.length), '-c:v', 'rawvideo', '-f', 'image2'],
    ...['-frame_pts', '1', '-enc_time_base', '1/1000', `file:${join(folder, 'preview-%d.yuv')}`],
  ];
}

/** Where the small pictures lie that ffmpeg was told to make; some may be missing. */
export function listPreviewFrames({ preview, originMs, workDir }: StillPlan): {
  readonly mediaTimeMs: number;
  readonly file: string;
}[] {
  return (preview?.timesMs ?? []).map((mediaTimeMs) => ({
    mediaTimeMs,
    file: join(workDir, `preview-${Math.round(mediaTimeMs - originMs)}.yuv`),
  }));
}

/** Takes the stills that ffmpeg has made. @returns for each request whether its picture could be decoded */
export function collectStills({ requests, originMs, workDir }: StillPlan): Promise<boolean[]> {
  return Promise.all(requests.map((request) => takeStill(request, originMs, workDir)));
}

/**
 * Makes stills by themselves, as planned.
 * @returns for each request whether its picture could be decoded
 * @throws NgatuError CLIP_UNAVAILABLE, VIDEO_UNREADABLE, DISK_FULL
 */
export async function extractStills(
  recording: Recording,
  requests: readonly StillRequest[],
  workDir: string,
  signal: AbortSignal,
): Promise<boolean[]> {
  if (requests.length === 0) return [];
  const plan = planStills(recording, requests, workDir);
  await runMediaPlans([plan.command], { purpose: 'Cannot make stills', signal });
  return collectStills(plan);
}

/** ffmpeg names each file after the presentation time of its picture, whole ms. */
async function takeStill(request: StillRequest, originMs: number, workDir: string): Promise<boolean> {
  const path = join(workDir, `still-${Math.round(request.mediaTimeMs - originMs)}.jpg`);
  try {
    await rename(path, request.outFile);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
