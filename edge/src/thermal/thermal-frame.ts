/** One picture of temperatures. Whoever holds it owns its buffer; nothing writes to it again. */
export interface ThermalFrame {
  readonly width: number;
  readonly height: number;
  /** Row-major, °C, `width * height`. NaN is a pixel that cannot be read (dead, or outside the range of the mapping). */
  readonly celsius: Float32Array;
  /** Presentation time within its file or stream, ms; absent for a single picture. */
  readonly mediaTimeMs?: number;
  /** When the picture was taken, ms since 1970; absent where the source does not say. */
  readonly capturedAtMs?: number;
}

/** Nothing that screens faces has more pixels; a larger size in a header is damage or an attack. */
export const MAX_THERMAL_PIXELS = 4_194_304;

/** Sensors have at least this many pixels a side. */
const MIN_SIDE = 8;

/** True where a header's size can be a thermal picture. */
export function isThermalSize(width: number, height: number): boolean {
  return (
    Number.isInteger(width) &&
    Number.isInteger(height) &&
    width >= MIN_SIDE &&
    height >= MIN_SIDE &&
    width * height <= MAX_THERMAL_PIXELS
  );
}

/** Lowest, middle and highest of the readable pixels, °C; undefined where none is readable. */
export function summarizeTemperatures(
  frame: ThermalFrame,
):
  | { readonly min: number; readonly median: number; readonly max: number; readonly readable: number }
  | undefined {
  const values = frame.celsius.filter((value) => !Number.isNaN(value)).sort();
  const [min] = values;
  const max = values.at(-1);
  const median = values[Math.floor(values.length / 2)];
  if (min === undefined || max === undefined || median === undefined) return undefined;
  return { min, median, max, readable: values.length };
}
