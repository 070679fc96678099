import sharp from 'sharp';
import type { Box } from '../geometry/box.ts';
import type { PixelPicture } from './blur-mosaic.ts';

/** How a network takes its picture: `[1, 3, rows, size]` float32 NCHW. */
export interface TensorForm {
  readonly size: number;
  /** Rows where they are not `size`, px. */
  readonly rows?: number;
  readonly order: 'rgb' | 'bgr';
  /** Factor on 0–255. */
  readonly scale: number;
  /** Added after the factor; default 0. */
  readonly offset?: number;
  /** Value of the border, already scaled. */
  readonly pad: number;
  readonly place: 'top-left' | 'centre';
}

/** A part of a picture as a network takes it, and the way back. */
export interface TensorPicture {
  readonly planes: Float32Array;
  /** From network pixels to picture pixels. */
  toPicture(box: Box): Box;
}

/** Tiles that a picture is cut into at most, besides the whole. */
const MAX_TILES = 8;
/** Neighbouring tiles share this much, so that nothing is cut through in both, px of the tile. */
const OVERLAP_SHARE = 0.12;

/**
 * The whole picture, and where it is larger than `size` the square tiles that cover it, so that what is small in a large picture
 * is found too. At most eight tiles: those of a very large picture are larger.
 */
export function listTiles({ width, height }: PixelPicture, size: number): Box[] {
  const whole: Box = [0, 0, width, height];
  if (Math.max(width, height) <= size * 1.15) return [whole];
  for (let side = size; ; side = Math.ceil(side * 1.15)) {
    const columns = countTiles(width, side);
    const rows = countTiles(height, side);
    if (columns * rows > MAX_TILES) continue;
    if (columns * rows === 1) return [whole];
    const tiles: Box[] = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const x = placeTile(width, { side, count: columns, index: column });
        const y = placeTile(height, { side, count: rows, index: row });
        tiles.push([x, y, Math.min(width, x + side), Math.min(height, y + side)]);
      }
    }
    return [whole, ...tiles];
  }
}

function countTiles(length: number, side: number): number {
  if (length <= side) return 1;
  return Math.ceil((length - side) / (side * (1 - OVERLAP_SHARE))) + 1;
}

function placeTile(length: number, tile: { side: number; count: number; index: number }): number {
  return tile.count === 1 ? 0 : Math.round(((length - tile.side) * tile.index) / (tile.count - 1));
}

/** Scales a part of an RGB picture into the network's square. Nothing is enlarged. */
export async function fillTensor(
  picture: PixelPicture,
  region: Box,
  form: TensorForm,
): Promise<TensorPicture> {
  const { size, rows = size, scale, offset = 0 } = form;
  const [left, top] = region;
  const regionWidth = region[2] - left;
  const regionHeight = region[3] - top;
  const shrink = Math.min(1, size / regionWidth, rows / regionHeight);
  const width = Math.max(1, Math.round(regionWidth * shrink));
  const height = Math.max(1, Math.round(regionHeight * shrink));
  const pixels = await sharp(picture.data, {
    raw: { width: picture.width, height: picture.height, channels: 3 },
  })
    .extract({ left, top, width: regionWidth, height: regionHeight })
    .resize(width, height, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer();
  const offsetX = form.place === 'centre' ? Math.floor((size - width) / 2) : 0;
  const offsetY = form.place === 'centre' ? Math.floor((rows - height) / 2) : 0;
  const planes = new Float32Array(3 * rows * size).fill(form.pad);
  const area = rows * size;
  const first = form.order === 'rgb' ? 0 : 2 * area;
  const third = form.order === 'rgb' ? 2 * area : 0;
  let from = 0;
  for (let y = 0; y < height; y++) {
    let to = (y + offsetY) * size + offsetX;
    for (const end = to + width; to < end; to++, from += 3) {
      planes[to + first] = (pixels[from] as number) * scale + offset;
      planes[to + area] = (pixels[from + 1] as number) * scale + offset;
      planes[to + third] = (pixels[from + 2] as number) * scale + offset;
    }
  }
  const scaleX = regionWidth / width;
  const scaleY = regionHeight / height;
  return {
    planes,
    toPicture: ([x1, y1, x2, y2]) => [
      left + (x1 - offsetX) * scaleX,
      top + (y1 - offsetY) * scaleY,
      left + (x2 - offsetX) * scaleX,
      top + (y2 - offsetY) * scaleY,
    ],
  };
}
