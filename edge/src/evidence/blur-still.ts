import { errorMessage, NgatuError } from '@ngatu/contract';
import sharp from 'sharp';
import type { Box } from '../geometry/box.ts';
import { keepPixels, type PixelPicture, pixelate } from './blur-mosaic.ts';
import type { BlurPlan } from './blur-zone.ts';

/** Quality of the JPEGs that are shown, 1–100; the original packets stay in the clip. */
const STILL_QUALITY = 78;
const CROP_QUALITY = 90;
/** The cut-out shows this much around the subject where nothing else is said, shares of its size. */
const CROP_MARGIN = 0.12;
/** Larger pictures are refused: nothing that a camera sends is as large, px. */
const MAX_PIXELS = 64_000_000;

/**
 * Reads a picture as RGB.
 * @throws NgatuError PICTURE_UNREADABLE
 */
export async function readPixels(file: string): Promise<PixelPicture> {
  try {
    const { data, info } = await sharp(file, { limitInputPixels: MAX_PIXELS })
      .rotate()
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`);
    return { data, width: info.width, height: info.height, channels: 3 };
  } catch (cause) {
    const reason = errorMessage(cause).split('\n')[0];
    throw new NgatuError('PICTURE_UNREADABLE', `Cannot read picture ${file}: ${reason}`, { cause });
  }
}

/** Blurs a picture in place; boxes of the plan in its pixels. */
export function applyBlur(picture: PixelPicture, { behind, kept, front }: BlurPlan): void {
  const restores = kept.map((box) => keepPixels(picture, box));
  for (const { box, cells } of behind) pixelate(picture, box, cells);
  for (const restore of restores) restore();
  for (const { box, cells } of front) pixelate(picture, box, cells);
}

/** The JPEG by which a whole picture is shown. */
export function encodeStill({ data, width, height }: PixelPicture): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: STILL_QUALITY, chromaSubsampling: '4:2:0' })
    .toBuffer();
}

/**
 * Writes a picture as JPEG, scaled down where it is wider than `maxWidth`, or the part of it that shows `around` at full
 * resolution.
 * @throws NgatuError DISK_FULL
 */
export async function writeJpeg(
  picture: PixelPicture,
  outFile: string,
  { maxWidth, around, margin = CROP_MARGIN }: { maxWidth?: number; around?: Box; margin?: number },
): Promise<{ width: number; height: number }> {
  let image = sharp(picture.data, {
    raw: { width: picture.width, height: picture.height, channels: 3 },
  });
  if (around !== undefined) image = image.extract(computeCrop(picture, around, margin));
  else if (maxWidth !== undefined && picture.width > maxWidth) image = image.resize(maxWidth);
  const quality = around === undefined ? STILL_QUALITY : CROP_QUALITY;
  try {
    const info = await image.jpeg({ quality, chromaSubsampling: '4:2:0' }).toFile(outFile);
    return { width: info.width, height: info.height };
  } catch (cause) {
    const reason = errorMessage(cause);
    const isFull = /no space|ENOSPC|wbuffer_write|write error|unable to write/i.test(reason);
    if (!isFull) throw cause;
    throw new NgatuError('DISK_FULL', `Cannot write picture ${outFile}: ${reason.split('\n')[0]}`, {
      retryable: true,
      cause,
    });
  }
}

function computeCrop({ width, height }: PixelPicture, [x1, y1, x2, y2]: Box, margin: number) {
  const dx = margin * (x2 - x1);
  const dy = margin * (y2 - y1);
  const left = Math.min(width - 1, Math.max(0, Math.floor(x1 - dx)));
  const top = Math.min(height - 1, Math.max(0, Math.floor(y1 - dy)));
  const right = Math.max(left + 1, Math.min(width, Math.ceil(x2 + dx)));
  const bottom = Math.max(top + 1, Math.min(height, Math.ceil(y2 + dy)));
  return { left, top, width: right - left, height: bottom - top };
}
