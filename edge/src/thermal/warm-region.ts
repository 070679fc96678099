/** Region of a picture, px; the right and lower edges lie outside. */
export interface PixelRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One connected region of warm pixels, with the first and last pixel of each of its rows. */
export interface WarmRegion {
  readonly area: number;
  readonly top: number;
  /** One entry a row from `top`. `right` lies inside. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly maxC: number;
}

export interface WarmRegionOptions {
  readonly width: number;
  readonly height: number;
  /** Pixels from this on are warm, °C. */
  readonly fromC: number;
  readonly minArea: number;
  /** What is not looked at: the blackbody with its housing. */
  readonly without: readonly PixelRegion[];
}

/** The regions of a picture in which all neighbours (by edge) are warm, largest first. */
export function findWarmRegions(celsius: Float32Array, options: WarmRegionOptions): WarmRegion[] {
  const { width, height, fromC, minArea } = options;
  const open = new Uint8Array(width * height);
  for (let i = 0; i < open.length; i++) open[i] = (celsius[i] ?? Number.NaN) >= fromC ? 1 : 0;
  for (const { x, y, width: w, height: h } of options.without) {
    for (let row = Math.max(0, y); row < Math.min(height, y + h); row++)
      open.fill(0, row * width + Math.max(0, x), row * width + Math.max(0, Math.min(width, x + w)));
  }
  const stack = new Int32Array(width * height);
  const regions: WarmRegion[] = [];
  for (let start = 0; start < open.length; start++) {
    if (open[start] !== 1) continue;
    const count = flood(open, { start, width, stack });
    if (count < minArea) continue;
    regions.push(outline(celsius, stack.subarray(0, count), width));
  }
  return regions.sort((a, b) => b.area - a.area);
}

/** Takes the region of `start` out of `open` and leaves its pixels in the first entries of `stack`. */
function flood(
  open: Uint8Array,
  { start, width, stack }: { readonly start: number; readonly width: number; readonly stack: Int32Array },
): number {
  let count = 0;
  const take = (i: number): void => {
    if (open[i] !== 1) return;
    open[i] = 0;
    stack[count++] = i;
  };
  take(start);
  for (let done = 0; done < count; done++) {
    const i = stack[done] ?? 0;
    const x = i % width;
    if (x > 0) take(i - 1);
    if (x < width - 1) take(i + 1);
    if (i >= width) take(i - width);
    take(i + width);
  }
  return count;
}

function outline(celsius: Float32Array, pixels: Int32Array, width: number): WarmRegion {
  let top = Number.POSITIVE_INFINITY;
  let bottom = 0;
  let maxC = Number.NEGATIVE_INFINITY;
  for (const i of pixels) {
    const y = Math.floor(i / width);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
    maxC = Math.max(maxC, celsius[i] ?? maxC);
  }
  const left = new Int32Array(bottom - top + 1).fill(width);
  const right = new Int32Array(bottom - top + 1).fill(-1);
  for (const i of pixels) {
    const row = Math.floor(i / width) - top;
    const x = i % width;
    left[row] = Math.min(left[row] ?? x, x);
    right[row] = Math.max(right[row] ?? x, x);
  }
  return { area: pixels.length, top, left, right, maxC };
}

/** Right of every pixel, for the least of a row. */
const NO_PIXEL = 2 ** 31 - 1;

/** Two regions as one, row by row: a face that glasses cut into two. */
export function joinRegions(a: WarmRegion, b: WarmRegion): WarmRegion {
  const top = Math.min(a.top, b.top);
  const rows = Math.max(a.top + a.left.length, b.top + b.left.length) - top;
  const left = new Int32Array(rows).fill(NO_PIXEL);
  const right = new Int32Array(rows).fill(-1);
  for (const part of [a, b]) {
    for (const [row, x] of part.left.entries()) {
      const at = row + part.top - top;
      left[at] = Math.min(left[at] ?? x, x);
      right[at] = Math.max(right[at] ?? x, part.right[row] ?? x);
    }
  }
  fillGaps(left, right);
  return { area: a.area + b.area, top, left, right, maxC: Math.max(a.maxC, b.maxC) };
}

/** Rows between two parts take the extent of the row above them. */
function fillGaps(left: Int32Array, right: Int32Array): void {
  for (let row = 1; row < left.length; row++) {
    if ((right[row] ?? -1) >= 0) continue;
    left[row] = left[row - 1] ?? 0;
    right[row] = right[row - 1] ?? 0;
  }
}
