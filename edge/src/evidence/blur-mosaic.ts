import type { Box } from '../geometry/box.ts';

/** A picture in memory. Rows follow one another; `channels` bytes a pixel, 1 for a plane. */
export interface PixelPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** No cell is smaller, px: below it a JPEG keeps what was meant to go. */
const MIN_CELL_PX = 6;

/**
 * Replaces every cell of a box by its mean colour. What is left are as many numbers as there are cells: nothing finer can be
 * won back. Cells begin at the box's corner; the last of a row or column may be smaller.
 * @param cells how many cells the longer side has
 */
export function pixelate(picture: PixelPicture, box: Box, cells: number): void {
  const { width, height } = picture;
  const x1 = Math.max(0, Math.floor(box[0]));
  const y1 = Math.max(0, Math.floor(box[1]));
  const x2 = Math.min(width, Math.ceil(box[2]));
  const y2 = Math.min(height, Math.ceil(box[3]));
  if (x2 <= x1 || y2 <= y1) return;
  const longer = Math.max(x2 - x1, y2 - y1);
  const cell = Math.max(MIN_CELL_PX, Math.ceil(longer / cells));
  for (let y = y1; y < y2; y += cell) {
    for (let x = x1; x < x2; x += cell)
      levelCell(picture, x, y, Math.min(cell, x2 - x), Math.min(cell, y2 - y));
  }
}

function levelCell(picture: PixelPicture, x: number, y: number, cellWidth: number, cellHeight: number): void {
  const { data, width, channels } = picture;
  const count = cellWidth * cellHeight;
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (let row = y; row < y + cellHeight; row++) {
      let at = (row * width + x) * channels + channel;
      for (let column = 0; column < cellWidth; column++, at += channels) sum += data[at] as number;
    }
    const mean = Math.round(sum / count);
    for (let row = y; row < y + cellHeight; row++) {
      let at = (row * width + x) * channels + channel;
      for (let column = 0; column < cellWidth; column++, at += channels) data[at] = mean;
    }
  }
}

/** A copy of what lies in a box, to be put back by the returned function. */
export function keepPixels(picture: PixelPicture, box: Box): () => void {
  const { data, width, height, channels } = picture;
  const x1 = Math.max(0, Math.floor(box[0]));
  const y1 = Math.max(0, Math.floor(box[1]));
  const x2 = Math.min(width, Math.ceil(box[2]));
  const y2 = Math.min(height, Math.ceil(box[3]));
  const rows: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  for (let y = y1; y < y2 && x2 > x1; y++) {
    const at = (y * width + x1) * channels;
    rows.push({ at, bytes: data.slice(at, at + (x2 - x1) * channels) });
  }
  return () => {
    for (const { at, bytes } of rows) data.set(bytes, at);
  };
}
