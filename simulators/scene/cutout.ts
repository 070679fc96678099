import type { RoadUserLabel } from '@ngatu/contract';
import type { PictureBox } from './ground-camera.ts';
import type { Picture } from './picture-stream.ts';

/** A road user cut out of a real picture; lives in memory only. */
export interface Cutout {
  readonly label: RoadUserLabel;
  /** Where it was heading in its picture, degrees from the x axis, clockwise as the picture sees it. */
  readonly headingDeg: number;
  /** Whose pictures it comes from: cutouts of one road user share it. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
  /** RGB, `width * height * 3`. */
  readonly pixels: Uint8Array;
  /** How much of each pixel belongs to the road user, 0–255. */
  readonly alpha: Uint8Array;
}

/** A pixel that differs from the background by less is background, by more is the road user; between it is both. */
const BACKGROUND_BELOW = 14;
const OBJECT_ABOVE = 38;
/** A box is cut with this share of itself around it, because boxes are not exact. */
const MARGIN = 0.08;
/** Of its box a road user fills between these shares; another figure says that the background is not what stands behind it. */
const LEAST_FILLED = 0.32;
const MOST_FILLED = 0.93;

/** The picture without traffic: the middle value of each pixel over time. @throws RangeError without pictures */
export function computeBackground(pictures: readonly Picture[]): Picture {
  const first = pictures[0];
  if (first === undefined) throw new RangeError('A background needs at least one picture');
  const pixels = new Uint8Array(first.pixels.length);
  const values = new Uint8Array(pictures.length);
  const middle = pictures.length >> 1;
  for (let i = 0; i < pixels.length; i++) {
    for (let n = 0; n < pictures.length; n++) values[n] = pictures[n]?.pixels[i] ?? 0;
    values.sort();
    pixels[i] = values[middle] ?? 0;
  }
  return { width: first.width, height: first.height, pixels };
}

/**
 * Cuts a road user out by its difference from the background, with soft edges. Undefined where the difference does not show a whole
 * road user: it stands still (and is part of the background), is covered, or its colour is that of the road.
 */
export function cutRoadUser(
  picture: Picture,
  background: Picture,
  about: {
    readonly box: PictureBox;
    readonly label: RoadUserLabel;
    readonly headingDeg: number;
    readonly source: string;
  },
): Cutout | undefined {
  const [x1, y1, x2, y2] = about.box;
  const [dx, dy] = [(x2 - x1) * MARGIN, (y2 - y1) * MARGIN];
  const left = Math.max(0, Math.floor(x1 - dx));
  const top = Math.max(0, Math.floor(y1 - dy));
  const width = Math.min(picture.width, Math.ceil(x2 + dx)) - left;
  const height = Math.min(picture.height, Math.ceil(y2 + dy)) - top;
  if (width < 8 || height < 8) return undefined;
  const mask = fillMask(measureDifference(picture, background, { left, top, width, height }), width, height);
  const soft = soften(keepLargest(mask, width, height), width, height);
  const inner = boundMask(soft, width, height);
  if (inner === undefined) return undefined;
  const isLikeBox =
    Math.abs(inner.left + left - x1) < 0.2 * (x2 - x1) &&
    Math.abs(inner.top + top - y1) < 0.2 * (y2 - y1) &&
    Math.abs(inner.left + inner.width + left - x2) < 0.2 * (x2 - x1) &&
    Math.abs(inner.top + inner.height + top - y2) < 0.15 * (y2 - y1);
  const filled = soft.reduce((sum, value) => sum + value, 0) / 255 / (inner.width * inner.height);
  if (!isLikeBox || filled < LEAST_FILLED || filled > MOST_FILLED) return undefined;
  const pixels = new Uint8Array(inner.width * inner.height * 3);
  const alpha = new Uint8Array(inner.width * inner.height);
  for (let y = 0; y < inner.height; y++) {
    for (let x = 0; x < inner.width; x++) {
      const to = y * inner.width + x;
      const from = ((top + inner.top + y) * picture.width + left + inner.left + x) * 3;
      alpha[to] = soft[(inner.top + y) * width + inner.left + x] ?? 0;
      pixels.set(picture.pixels.subarray(from, from + 3), to * 3);
    }
  }
  const { label, headingDeg, source } = about;
  return { label, headingDeg, source, width: inner.width, height: inner.height, pixels, alpha };
}

/** The same seen in a mirror. */
export function mirrorCutout(cutout: Cutout): Cutout {
  const { width, height } = cutout;
  const pixels = new Uint8Array(cutout.pixels.length);
  const alpha = new Uint8Array(cutout.alpha.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [y * width + x, y * width + width - 1 - x];
      alpha[to] = cutout.alpha[from] ?? 0;
      pixels.set(cutout.pixels.subarray(from * 3, from * 3 + 3), to * 3);
    }
  }
  return { ...cutout, headingDeg: 180 - cutout.headingDeg, pixels, alpha };
}

interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** 0–255 by how far the strongest channel is from the background. */
function measureDifference(picture: Picture, background: Picture, area: Area): Uint8Array {
  const mask = new Uint8Array(area.width * area.height);
  for (let y = 0; y < area.height; y++) {
    for (let x = 0; x < area.width; x++) {
      const at = ((area.top + y) * picture.width + area.left + x) * 3;
      let most = 0;
      for (let c = 0; c < 3; c++)
        most = Math.max(most, Math.abs((picture.pixels[at + c] ?? 0) - (background.pixels[at + c] ?? 0)));
      const share = (most - BACKGROUND_BELOW) / (OBJECT_ABOVE - BACKGROUND_BELOW);
      mask[y * area.width + x] = Math.round(255 * Math.min(1, Math.max(0, share)));
    }
  }
  return mask;
}

/** What lies between strong pixels in its row and in its column belongs to it too: windows and roads have the same grey. */
function fillMask(mask: Uint8Array, width: number, height: number): Uint8Array {
  const isStrong = (x: number, y: number): boolean => (mask[y * width + x] ?? 0) > 150;
  const rows = Array.from({ length: height }, (_, y) => findSpan(width, (x) => isStrong(x, y)));
  const columns = Array.from({ length: width }, (_, x) => findSpan(height, (y) => isStrong(x, y)));
  return mask.map((value, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const [row, column] = [rows[y], columns[x]];
    const isBetween =
      row !== undefined &&
      column !== undefined &&
      x >= row[0] &&
      x <= row[1] &&
      y >= column[0] &&
      y <= column[1];
    return isBetween ? 255 : value;
  });
}

function findSpan(length: number, holds: (at: number) => boolean): readonly [number, number] | undefined {
  let [first, last] = [-1, -1];
  for (let at = 0; at < length; at++) {
    if (!holds(at)) continue;
    if (first < 0) first = at;
    last = at;
  }
  return first < 0 ? undefined : [first, last];
}

/** The largest piece that hangs together; what else differs (another road user, a shadow's end) is dropped. */
function keepLargest(mask: Uint8Array, width: number, height: number): Uint8Array {
  const piece = new Int32Array(mask.length).fill(-1);
  const sizes: number[] = [];
  for (let start = 0; start < mask.length; start++) {
    if ((mask[start] ?? 0) < 100 || piece[start] !== -1) continue;
    const stack = [start];
    piece[start] = sizes.length;
    let size = 0;
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      size += 1;
      const [x, y] = [at % width, Math.floor(at / width)];
      for (const [nx, ny] of [
        [x - 1, y],
        [x + 1, y],
        [x, y - 1],
        [x, y + 1],
      ] as const) {
        const next = ny * width + nx;
        const isOut = nx < 0 || ny < 0 || nx >= width || ny >= height;
        if (isOut || (mask[next] ?? 0) < 100 || piece[next] !== -1) continue;
        piece[next] = sizes.length;
        stack.push(next);
      }
    }
    sizes.push(size);
  }
  const largest = sizes.indexOf(Math.max(0, ...sizes));
  return mask.map((value, at) => (piece[at] === largest ? value : 0));
}

/** Edges over about two pixels, as a lens draws them. */
function soften(mask: Uint8Array, width: number, height: number): Uint8Array {
  return mask.map((_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    let [sum, count] = [0, 0];
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        const [nx, ny] = [x + dx, y + dy];
        if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
        sum += mask[ny * width + nx] ?? 0;
        count += 1;
      }
    }
    return Math.round(sum / count);
  });
}

function boundMask(mask: Uint8Array, width: number, height: number): Area | undefined {
  const columns = findSpan(width, (x) =>
    Array.from({ length: height }).some((_, y) => (mask[y * width + x] ?? 0) > 127),
  );
  const rows = findSpan(height, (y) =>
    Array.from({ length: width }).some((_, x) => (mask[y * width + x] ?? 0) > 127),
  );
  if (columns === undefined || rows === undefined) return undefined;
  return {
    left: columns[0],
    top: rows[0],
    width: columns[1] - columns[0] + 1,
    height: rows[1] - rows[0] + 1,
  };
}
