import sharp from 'sharp';
import type { Box } from '../geometry/box.ts';
import type { PlatePicture } from './plate-reading.ts';

/** A part of a picture, stretched to a fixed size; RGB, 3 bytes a pixel. */
export interface PlateCrop {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Cuts a box out of a picture, widened by shares of its size and held inside of the picture, and stretches it. */
export async function cutPlate(
  picture: PlatePicture,
  box: Box,
  size: { readonly width: number; readonly height: number; readonly widen?: number },
): Promise<PlateCrop> {
  const { data, width, height } = picture;
  const widen = size.widen ?? 0;
  const [x1, y1, x2, y2] = box;
  const [growX, growY] = [(x2 - x1) * widen, (y2 - y1) * widen];
  const left = Math.min(width - 1, Math.max(0, Math.floor(x1 - growX)));
  const top = Math.min(height - 1, Math.max(0, Math.floor(y1 - growY)));
  const region = {
    ...{ left, top },
    width: Math.max(1, Math.min(width, Math.ceil(x2 + growX)) - left),
    height: Math.max(1, Math.min(height, Math.ceil(y2 + growY)) - top),
  };
  const pixels = await sharp(data, { raw: { width, height, channels: 3 } })
    .extract(region)
    .resize(size.width, size.height, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer();
  return { data: pixels, width: size.width, height: size.height };
}

/** A straight view of a crop: where its corners lie on the crop, as shares of its sides. Outside of the crop its edge goes on. */
export interface PlateView {
  /** Widened (above 0) or narrowed on all sides, share of the side. */
  readonly widen: number;
  /** How much the right end lies below the left one, share of the height. */
  readonly tilt: number;
  /** How far the upper edge is shifted to the right of the lower one, share of the width. */
  readonly lean: number;
}

/** Renders a view of a crop. Each pixel is the mean of four bilinear samples: the crop is about twice as fine as the view. */
export function renderView(
  crop: PlateCrop,
  view: PlateView,
  size: { readonly width: number; readonly height: number },
): Uint8Array {
  const out = new Uint8Array(size.width * size.height * 3);
  const sample: [number, number, number] = [0, 0, 0];
  let at = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      sample.fill(0);
      for (let part = 0; part < 4; part++) {
        const u = (x + 0.25 + 0.5 * (part & 1)) / size.width - 0.5;
        const v = (y + 0.25 + 0.5 * (part >> 1)) / size.height - 0.5;
        const grown = 1 + 2 * view.widen;
        const sx = (u * grown - v * view.lean + 0.5) * crop.width - 0.5;
        const sy = (v * grown + u * view.tilt + 0.5) * crop.height - 0.5;
        addSample(crop, sx, sy, sample);
      }
      for (const value of sample) out[at++] = Math.round(value / 4);
    }
  }
  return out;
}

function addSample(crop: PlateCrop, x: number, y: number, sum: [number, number, number]): void {
  const { data, width, height } = crop;
  const cx = Math.min(width - 1, Math.max(0, x));
  const cy = Math.min(height - 1, Math.max(0, y));
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)];
  const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)];
  const [fx, fy] = [cx - x0, cy - y0];
  for (let channel = 0; channel < 3; channel++) {
    const value = (px: number, py: number): number => data[(py * width + px) * 3 + channel] as number;
    const above = value(x0, y0) * (1 - fx) + value(x1, y0) * fx;
    const below = value(x0, y1) * (1 - fx) + value(x1, y1) * fx;
    sum[channel as 0 | 1 | 2] += above * (1 - fy) + below * fy;
  }
}

/** The rms of the Laplacian of the luma as a share of its standard deviation: falls with blur, whatever the light. */
export function measureSharpness({ data, width, height }: PlateCrop): number {
  const luma = new Float32Array(width * height);
  for (let at = 0; at < luma.length; at++) {
    const [red, green, blue] = [
      data[at * 3] as number,
      data[at * 3 + 1] as number,
      data[at * 3 + 2] as number,
    ];
    luma[at] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  const variance = luma.reduce((sum, value) => sum + (value - mean) ** 2, 0) / luma.length;
  let total = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const around = (luma[at - 1] as number) + (luma[at + 1] as number) + (luma[at - width] as number);
      total += (around + (luma[at + width] as number) - 4 * (luma[at] as number)) ** 2;
    }
  }
  const inner = Math.max(1, (width - 2) * (height - 2));
  return variance < 1 ? 0 : Math.sqrt(total / inner / variance);
}

/** Where two lines part, as a share of the height: the row in the middle third with the fewest strokes across it. */
export function findLineGap({ data, width, height }: PlateCrop): number {
  const strokes = Array.from({ length: height }, (_, y) => {
    let sum = 0;
    for (let x = Math.round(width * 0.1); x < width * 0.9; x++) {
      const at = (y * width + x) * 3 + 1;
      sum += Math.abs((data[at + 3] ?? 0) - (data[at] as number));
    }
    return sum;
  });
  const reach = Math.max(1, Math.round(height * 0.02));
  let best = Math.round(height * 0.48);
  let least = Number.POSITIVE_INFINITY;
  for (let y = Math.round(height * 0.36); y <= height * 0.6; y++) {
    let sum = 0;
    for (let near = y - reach; near <= y + reach; near++) sum += strokes[near] ?? 0;
    if (sum < least) [least, best] = [sum, y];
  }
  return best / height;
}
