import { NgatuError } from '@ngatu/contract';
import type { LampCrop } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';

/** A lamp head whose picture is wanted at source resolution. */
export interface LampRegion {
  readonly signal: string;
  /** xyxy, source pixels; may be fractional and may stick out of the picture. */
  readonly box: Box;
}

/** A whole-pixel rectangle. */
export interface PixelRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the picture of one lamp comes from and where it lies in the raw picture. */
export interface LampPlacement {
  readonly signal: string;
  /** What ffmpeg cuts from the source picture: even offset, so that no chroma sample is shared with the outside. */
  readonly cut: PixelRectangle;
  /** Where that cut lies in the raw picture; smaller than `cut` where the lamp is scaled down. */
  readonly placed: PixelRectangle;
  /** The lamp's own box in the raw picture, without the widening to even offsets. */
  readonly crop: PixelRectangle;
}

/**
 * What one raw picture on the pipe holds: the analysis picture on top and, below it, a strip with the lamps at source
 * resolution. Where the analysis picture has source size the lamps are cut from it and there is no strip.
 */
export interface PictureLayout {
  readonly source: { readonly width: number; readonly height: number };
  /** Size of the analysis picture; `width` is also that of the raw picture. */
  readonly width: number;
  readonly height: number;
  /** Height of the raw picture: analysis picture and strip. */
  readonly rawHeight: number;
  /** Rows of the strip from top to bottom, each with its lamps from left to right; empty without a strip. */
  readonly rows: readonly { readonly height: number; readonly lamps: readonly LampPlacement[] }[];
  readonly lamps: readonly LampPlacement[];
}

export const BYTES_PER_PIXEL = 3;

/** A lamp longer than this is scaled down: the reader of lamps needs no more, px. */
const LAMP_MAX_SIDE = 256;

/**
 * Lays out the raw picture.
 * @throws NgatuError SCENE_INVALID where a lamp lies outside the picture
 */
export function computePictureLayout(options: {
  readonly picture: { readonly width: number; readonly height: number };
  readonly maxWidth: number;
  readonly lamps: readonly LampRegion[];
}): PictureLayout {
  const { picture, lamps } = options;
  const width = Math.min(picture.width, Math.floor(options.maxWidth));
  const height = Math.max(1, Math.round((picture.height * width) / picture.width));
  const source = { width: picture.width, height: picture.height };
  if (width === picture.width) {
    const placements = lamps.map((lamp) => {
      const crop = computeCrop(lamp, source);
      return { signal: lamp.signal, cut: crop, placed: crop, crop };
    });
    return { source, width, height, rawHeight: height, rows: [], lamps: placements };
  }
  const rows = computeRows(lamps, source, { width, top: height });
  const rawHeight = rows.reduce((sum, row) => sum + row.height, height);
  return { source, width, height, rawHeight, rows, lamps: rows.flatMap((row) => row.lamps) };
}

/** The lamp's box in whole source pixels, inside the picture. */
function computeCrop(lamp: LampRegion, picture: { width: number; height: number }): PixelRectangle {
  const x = Math.max(0, Math.floor(lamp.box[0]));
  const y = Math.max(0, Math.floor(lamp.box[1]));
  const width = Math.min(picture.width, Math.ceil(lamp.box[2])) - x;
  const height = Math.min(picture.height, Math.ceil(lamp.box[3])) - y;
  if (!(width > 0 && height > 0)) {
    throw new NgatuError(
      'SCENE_INVALID',
      `Cannot cut the lamp "${lamp.signal}": its box [${lamp.box.join(', ')}] lies outside the picture of ${picture.width}×${picture.height}`,
    );
  }
  return { x, y, width, height };
}

function computeRows(
  lamps: readonly LampRegion[],
  picture: { width: number; height: number },
  strip: { width: number; top: number },
): { height: number; lamps: LampPlacement[] }[] {
  const rows: { height: number; lamps: LampPlacement[] }[] = [];
  let row: { height: number; lamps: LampPlacement[] } = { height: 0, lamps: [] };
  let x = 0;
  let y = strip.top;
  for (const lamp of lamps) {
    const crop = computeCrop(lamp, picture);
    const cut = widenToEven(crop, picture);
    const scale = Math.min(1, Math.min(LAMP_MAX_SIDE, strip.width) / Math.max(cut.width, cut.height));
    const placedWidth = Math.max(1, Math.floor(cut.width * scale));
    const placedHeight = Math.max(1, Math.floor(cut.height * scale));
    if (row.lamps.length > 0 && x + placedWidth > strip.width) {
      rows.push(row);
      y += row.height;
      x = 0;
      row = { height: 0, lamps: [] };
    }
    const placed = { x, y, width: placedWidth, height: placedHeight };
    row.lamps.push({
      signal: lamp.signal,
      cut,
      placed,
      crop: scale === 1 ? shift(crop, cut, placed) : placed,
    });
    row.height = Math.max(row.height, placedHeight);
    x += placedWidth;
  }
  if (row.lamps.length > 0) rows.push(row);
  return rows;
}

function widenToEven(crop: PixelRectangle, picture: { width: number; height: number }): PixelRectangle {
  const x = crop.x - (crop.x % 2);
  const y = crop.y - (crop.y % 2);
  const right = Math.min(picture.width, crop.x + crop.width + ((crop.x + crop.width) % 2));
  const bottom = Math.min(picture.height, crop.y + crop.height + ((crop.y + crop.height) % 2));
  return { x, y, width: right - x, height: bottom - y };
}

function shift(crop: PixelRectangle, cut: PixelRectangle, placed: PixelRectangle): PixelRectangle {
  return { ...crop, x: placed.x + crop.x - cut.x, y: placed.y + crop.y - cut.y };
}

/**
 * Splits one raw picture (BGR24, `width * rawHeight * 3` bytes). `pixels` is a view on the raw picture; the lamps are
 * copies of a few kilobytes. The caller hands over the raw picture.
 */
export function splitRawPicture(
  layout: PictureLayout,
  raw: Uint8Array,
): { readonly pixels: Uint8Array; readonly lamps: readonly LampCrop[] } {
  const pixels = raw.subarray(0, layout.width * layout.height * BYTES_PER_PIXEL);
  const lamps = layout.lamps.map(({ signal, crop }) => {
    const rowBytes = crop.width * BYTES_PER_PIXEL;
    const lamp = new Uint8Array(rowBytes * crop.height);
    for (let row = 0; row < crop.height; row++) {
      const start = ((crop.y + row) * layout.width + crop.x) * BYTES_PER_PIXEL;
      lamp.set(raw.subarray(start, start + rowBytes), row * rowBytes);
    }
    return { signal, width: crop.width, height: crop.height, pixels: lamp };
  });
  return { pixels, lamps };
}
