import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import { keepPixels, type PixelPicture, pixelate } from './blur-mosaic.ts';
import type { BlurPlan } from './blur-zone.ts';
import { runMediaCommand } from './media-command.ts';
import type { PreviewWork } from './picture-job.ts';

/** A preview may take this much, bytes (DESIGN: about 400 kB). */
const MAX_BYTES = 400_000;
/** What H.264 at this constant quality gives is usually half of that. */
const QUALITY = 29;

/** Blurs a planar YUV 4:2:0 picture in place. Boxes of the plan in source pixels, `scale` preview pixels each. */
export function applyPlanarBlur(
  i420: Uint8Array,
  size: { readonly width: number; readonly height: number },
  plan: BlurPlan,
  scale: { readonly x: number; readonly y: number },
): void {
  for (const { picture, divisor } of listPlanes(i420, size)) {
    const toPlane = ([x1, y1, x2, y2]: Box): Box => {
      const fx = scale.x / divisor;
      const fy = scale.y / divisor;
      return [x1 * fx, y1 * fy, x2 * fx, y2 * fy];
    };
    const restores = plan.kept.map((box) => keepPixels(picture, toPlane(box)));
    for (const { box, cells } of plan.behind) pixelate(picture, toPlane(box), cells);
    for (const restore of restores) restore();
    for (const { box, cells } of plan.front) pixelate(picture, toPlane(box), cells);
  }
}

function listPlanes(
  i420: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): { picture: PixelPicture; divisor: number }[] {
  const area = width * height;
  const half = { width: width / 2, height: height / 2, channels: 1 };
  const plane = (from: number, to: number): Uint8Array => i420.subarray(from, to);
  return [
    { picture: { data: plane(0, area), width, height, channels: 1 }, divisor: 1 },
    { picture: { data: plane(area, (area * 5) / 4), ...half }, divisor: 2 },
    { picture: { data: plane((area * 5) / 4, (area * 3) / 2), ...half }, divisor: 2 },
  ];
}

/**
 * Blurs the pictures of a preview and makes an H.264 MP4 of them that browsers play, whatever the camera sends.
 * @param planAt where to blur the picture of a time, in source pixels
 * @returns how many pictures it has
 * @throws NgatuError VIDEO_UNREADABLE where no picture could be decoded; DISK_FULL, SETUP_PACKAGE_MISSING
 */
export async function makePreview(
  work: PreviewWork,
  options: {
    readonly scale: { readonly x: number; readonly y: number };
    readonly planAt: (mediaTimeMs: number, i420: Uint8Array) => Promise<BlurPlan>;
  },
  signal: AbortSignal,
): Promise<number> {
  const { width, height, fps, outFile, workDir } = work;
  const rawFile = join(workDir, 'preview-blurred.yuv');
  const sizeBytes = (width * height * 3) / 2;
  const out = await open(rawFile, 'w');
  let count = 0;
  try {
    for (const { mediaTimeMs, file } of work.frames) {
      signal.throwIfAborted();
      const i420 = await readFrame(file);
      if (i420?.length !== sizeBytes) continue;
      applyPlanarBlur(i420, { width, height }, await options.planAt(mediaTimeMs, i420), options.scale);
      await out.writeFile(i420);
      count += 1;
    }
  } catch (error) {
    throw asDiskError(error, rawFile);
  } finally {
    await out.close();
  }
  if (count === 0) throw new NgatuError('VIDEO_UNREADABLE', 'Cannot make a preview: no picture was decoded');
  const bitsPerSecond = Math.floor((MAX_BYTES * 8 * 0.9 * fps) / count);
  const args = [
    ...['-y', '-nostdin', '-v', 'error', '-f', 'rawvideo', '-pix_fmt', 'yuv420p'],
    ...['-s', `${width}x${height}`, '-r', String(fps), '-i', `file:${rawFile}`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-crf', String(QUALITY)],
    ...['-maxrate', String(bitsPerSecond), '-bufsize', String(bitsPerSecond), '-threads', '1'],
    ...['-movflags', '+faststart', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'mp4'],
    `file:${outFile}`,
  ];
  await runMediaCommand('ffmpeg', args, { purpose: 'Cannot make a preview', signal });
  return count;
}

async function readFrame(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function asDiskError(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOSPC') return error;
  const message = `Cannot write ${file}: ${errorMessage(error)}`;
  return new NgatuError('DISK_FULL', message, { retryable: true, cause: error });
}
