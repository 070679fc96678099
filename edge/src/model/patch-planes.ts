import type { Box } from '../geometry/box.ts';

/** BGR24, row-major. */
interface BgrPixels {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** What a patch becomes. */
export interface PatchForm {
  readonly columns: number;
  readonly rows: number;
  readonly colourOrder: 'rgb' | 'bgr';
  /** Taken from each value 0–255, in the order of the channels. */
  readonly mean: readonly [number, number, number];
  /** What is left is divided by it. */
  readonly std: readonly [number, number, number];
}

/** Which picture pixels make one output pixel, along one axis. */
interface Taps {
  readonly from: Int32Array;
  readonly count: number;
  readonly weights: Float32Array;
}

/**
 * Cuts a region out of a picture and stretches it to planes `[3, rows, columns]`, float32. Shrinking averages (triangle filter as wide as the
 * step), growing is bilinear; what lies outside the picture is its nearest edge.
 */
export function samplePatch(picture: BgrPixels, region: Box, form: PatchForm): Float32Array {
  const { columns, rows, colourOrder, mean, std } = form;
  const across = computeTaps(region[0], region[2], columns);
  const down = computeTaps(region[1], region[3], rows);
  const first = Math.min(...down.from);
  const last = Math.max(...down.from) + down.count;
  const narrowed = narrowRows(picture, across, first, last, columns);
  const planes = new Float32Array(3 * rows * columns);
  for (let channel = 0; channel < 3; channel++) {
    const source = colourOrder === 'bgr' ? channel : 2 - channel;
    const offset = mean[channel as 0 | 1 | 2];
    const scale = 1 / std[channel as 0 | 1 | 2];
    for (let y = 0; y < rows; y++) {
      const top = (down.from[y] as number) - first;
      for (let x = 0; x < columns; x++) {
        let sum = 0;
        for (let tap = 0; tap < down.count; tap++) {
          const weight = down.weights[y * down.count + tap] as number;
          sum += weight * (narrowed[((top + tap) * columns + x) * 3 + source] as number);
        }
        planes[(channel * rows + y) * columns + x] = (sum - offset) * scale;
      }
    }
  }
  return planes;
}

/** The rows `first` to `last` of the picture, each brought to the columns of the patch; `[last - first, columns, 3]`. */
function narrowRows(
  { width, height, pixels }: BgrPixels,
  across: Taps,
  first: number,
  last: number,
  columns: number,
): Float32Array {
  const narrowed = new Float32Array((last - first) * columns * 3);
  for (let row = first; row < last; row++) {
    const line = Math.min(height - 1, Math.max(0, row)) * width;
    for (let x = 0; x < columns; x++) {
      const at = ((row - first) * columns + x) * 3;
      for (let tap = 0; tap < across.count; tap++) {
        const weight = across.weights[x * across.count + tap] as number;
        const column = Math.min(width - 1, Math.max(0, (across.from[x] as number) + tap));
        const from = (line + column) * 3;
        narrowed[at] = (narrowed[at] as number) + weight * (pixels[from] as number);
        narrowed[at + 1] = (narrowed[at + 1] as number) + weight * (pixels[from + 1] as number);
        narrowed[at + 2] = (narrowed[at + 2] as number) + weight * (pixels[from + 2] as number);
      }
    }
  }
  return narrowed;
}

function computeTaps(low: number, high: number, length: number): Taps {
  const step = (high - low) / length;
  const reach = Math.max(1, step);
  const count = Math.ceil(2 * reach) + 1;
  const from = new Int32Array(length);
  const weights = new Float32Array(length * count);
  for (let at = 0; at < length; at++) {
    const centre = low + (at + 0.5) * step;
    const begin = Math.floor(centre - reach);
    from[at] = begin;
    let total = 0;
    for (let tap = 0; tap < count; tap++) {
      const weight = Math.max(0, 1 - Math.abs(begin + tap + 0.5 - centre) / reach);
      weights[at * count + tap] = weight;
      total += weight;
    }
    for (let tap = 0; tap < count; tap++) {
      weights[at * count + tap] = (weights[at * count + tap] as number) / total;
    }
  }
  return { from, count, weights };
}
