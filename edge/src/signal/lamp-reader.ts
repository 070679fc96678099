import type { SignalHead, SignalState } from '@ngatu/contract';
import type { LampCrop } from '../frame/frame.ts';

type Lens = SignalHead['lenses'][number];

/** What one picture of a signal head shows. */
export interface LampReading {
  readonly state: SignalState;
  /** 0–1: how clearly the lit lens stands out. */
  readonly confidence: number;
}

/** Of each cell only the middle is read: the corners hold the housing, a visor, or what is behind. */
const CELL_INSET = 0.12;
/** Colour of the brightest fifth of the cell: a lens fills at least that much of it, a headlight behind does not. */
const LIT_QUANTILE = 0.8;
/** Colour strength (0–255) above the rest of the head from which a lens is lit; unlit coloured glass stays below. */
const LIT_STRENGTH = 32;
/** The lit lens must be this much stronger than the next one. */
const LIT_RATIO = 1.5;
/** A head that is dark or washed out all over says nothing. */
const MIN_CONTRAST = 6;

/**
 * Reads a signal head by the colour strength of each lens relative to the head itself, so that a colour cast of the
 * camera cancels out. Strengths (0–255 scale): red R − max(G, B·0.8) …, amber min(R, G) − B, green max(G, (G+B)/2) − R: Vietnamese LED
 * greens are bluish.
 */
export function readLamp(crop: LampCrop, lenses: readonly Lens[]): LampReading {
  const strengths = computeLensStrengths(crop, lenses);
  if (strengths === undefined) return { state: 'unknown', confidence: 0 };
  let best = 0;
  let second = 0;
  let state: SignalState = 'off';
  for (const { lens, strength } of strengths) {
    if (strength > best) {
      second = best;
      best = strength;
      state = lens;
    } else second = Math.max(second, strength);
  }
  if (best < LIT_STRENGTH)
    return { state: 'off', confidence: Math.min(1, (LIT_STRENGTH - best) / LIT_STRENGTH + 0.5) };
  if (best < LIT_RATIO * second) return { state: 'unknown', confidence: 0 };
  return { state, confidence: Math.min(1, (best - LIT_STRENGTH) / LIT_STRENGTH / 2 + 0.5) };
}

function computeLensStrengths(
  crop: LampCrop,
  lenses: readonly Lens[],
): { lens: Lens; strength: number }[] | undefined {
  if (crop.width < 3 || crop.height < 3) return undefined;
  const upright = crop.height >= crop.width;
  const cells = lenses.map((lens, index) => {
    const from = index / lenses.length;
    const to = (index + 1) / lenses.length;
    return { lens, area: upright ? ([0, from, 1, to] as const) : ([from, 0, to, 1] as const) };
  });
  const { low, high } = computeBrightnessRange(crop);
  if (high - low < MIN_CONTRAST) return undefined;
  return cells.map(({ lens, area }) => {
    const inCell = collectStrengths(crop, lens, area, CELL_INSET);
    const inHead = collectStrengths(crop, lens, [0, 0, 1, 1], 0);
    // the cast of the whole head, at most: a lit lens is itself part of the head, so the middle value is taken
    const cast = Math.max(0, quantile(inHead, 0.5));
    return { lens, strength: quantile(inCell, LIT_QUANTILE) - cast };
  });
}

function collectStrengths(
  crop: LampCrop,
  lens: Lens,
  [left, top, right, bottom]: readonly [number, number, number, number],
  inset: number,
): Float32Array {
  const dx = (right - left) * inset;
  const dy = (bottom - top) * inset;
  const x1 = Math.floor((left + dx) * crop.width);
  const x2 = Math.max(x1 + 1, Math.ceil((right - dx) * crop.width));
  const y1 = Math.floor((top + dy) * crop.height);
  const y2 = Math.max(y1 + 1, Math.ceil((bottom - dy) * crop.height));
  const columns = Math.min(x2, crop.width) - x1;
  const rows = Math.min(y2, crop.height) - y1;
  const values = new Float32Array(Math.max(0, columns * rows));
  let count = 0;
  for (let y = y1; y < Math.min(y2, crop.height); y++) {
    for (let x = x1; x < Math.min(x2, crop.width); x++) {
      const at = (y * crop.width + x) * 3;
      const b = crop.pixels[at] ?? 0;
      const g = crop.pixels[at + 1] ?? 0;
      const r = crop.pixels[at + 2] ?? 0;
      values[count++] = computeStrength(lens, r, g, b);
    }
  }
  return values;
}

function computeStrength(lens: Lens, r: number, g: number, b: number): number {
  if (lens === 'red') return r - Math.max(b, 0.85 * g);
  if (lens === 'amber') return Math.min(r, 1.6 * g) - b;
  return Math.max(g, (g + b) / 2) - r;
}

function computeBrightnessRange(crop: LampCrop): { low: number; high: number } {
  let low = 255;
  let high = 0;
  for (const value of crop.pixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

function quantile(values: Float32Array, share: number): number {
  values.sort();
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}
