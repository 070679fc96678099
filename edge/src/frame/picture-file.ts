import { errorMessage, NgatuError } from '@ngatu/contract';
import sharp from 'sharp';
import type { Frame } from './frame.ts';

/** Larger pictures are refused: nothing that a camera sends is as large, px. */
const MAX_PIXELS = 64_000_000;

/**
 * Reads a picture file (JPEG, PNG, WebP) as a frame, as a detector takes it. Time and session are those of a lone picture.
 * @param maxWidth scaled down to this width where it is wider, px
 * @throws NgatuError PICTURE_UNREADABLE
 */
export async function readPictureFile(file: string, maxWidth = Number.POSITIVE_INFINITY): Promise<Frame> {
  try {
    const source = sharp(file, { limitInputPixels: MAX_PIXELS }).rotate().removeAlpha().toColourspace('srgb');
    const { width: sourceWidth, height: sourceHeight } = (
      await source.clone().raw().toBuffer({ resolveWithObject: true })
    ).info;
    const scaled = sourceWidth > maxWidth ? source.resize(maxWidth) : source;
    const { data, info } = await scaled.raw().toBuffer({ resolveWithObject: true });
    return {
      ...{ session: 'picture', index: 0, mediaTimeMs: 0, capturedAtMs: 0, clockErrorMs: 0 },
      ...{ width: info.width, height: info.height, pixels: swapRedAndBlue(data, info.channels) },
      ...{ sourceWidth, sourceHeight, lamps: [] },
    };
  } catch (cause) {
    const reason = errorMessage(cause).split('\n')[0];
    throw new NgatuError('PICTURE_UNREADABLE', `Cannot read picture ${file}: ${reason}`, { cause });
  }
}

function swapRedAndBlue(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) {
    for (let i = 0; i < data.length; i += 3) {
      const red = data[i] ?? 0;
      data[i] = data[i + 2] ?? 0;
      data[i + 2] = red;
    }
    return data;
  }
  const pixels = new Uint8Array((data.length / channels) * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = data[Math.floor(i / 3) * channels] ?? 0;
  return pixels;
}
