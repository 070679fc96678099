import { computeDeviation, computeMean, computeMedian } from './order-statistics.ts';
import { computeApparent, type RoomConditions } from './radiometry.ts';
import type { ThermalFrame } from './thermal-frame.ts';
import type { PixelRegion } from './warm-region.ts';

/** The reference source in the picture. */
export interface BlackbodyOptions {
  /** Its radiating face, px. */
  readonly region: PixelRegion;
  /** What it is set to, °C. 35–37 °C is best for this use (FDA Science Forum 2023, abstract; S). */
  readonly setC: number;
  readonly emissivity: number;
  /** The camera may be off by no more than this before it needs service, °C. */
  readonly toleranceC: number;
}

export const DEFAULT_BLACKBODY_TOLERANCE_C = 2;

export interface BlackbodyReading {
  /** Middle of its face, apparent, °C. */
  readonly celsius: number;
  /** Camera minus expected, °C: subtract it from every pixel. */
  readonly offsetC: number;
  /** Standard deviation between its pixels, °C. */
  readonly spreadC: number;
}

/** The outer rim is blurred by the lens. */
const INNER_SHARE = 0.6;
const MIN_PIXELS = 9;
/** Something else stands before it, or it is off, where its pixels differ by more than this, °C. */
const MAX_SPREAD_C = 0.6;
/** Further off than this it is not the blackbody that is seen, °C. */
const MISSING_FROM_C = 9;

/** What the camera makes of the blackbody; undefined where no evenly warm source is there. */
export function readBlackbody(
  frame: ThermalFrame,
  options: BlackbodyOptions,
  room: Omit<RoomConditions, 'emissivity'>,
  band: number,
): BlackbodyReading | undefined {
  const values = takeInner(frame, options.region);
  const celsius = computeMedian(values);
  const spreadC = computeDeviation(values);
  if (celsius === undefined || spreadC === undefined || values.length < MIN_PIXELS) return undefined;
  const expectedC = computeApparent(options.setC, { ...room, emissivity: options.emissivity }, band);
  const offsetC = celsius - expectedC;
  if (spreadC > MAX_SPREAD_C || Math.abs(offsetC) > MISSING_FROM_C) return undefined;
  return { celsius, offsetC, spreadC };
}

function takeInner(frame: ThermalFrame, region: PixelRegion): number[] {
  const rim = (1 - INNER_SHARE) / 2;
  const values: number[] = [];
  const bottom = Math.min(frame.height, Math.floor(region.y + region.height * (1 - rim)));
  const right = Math.min(frame.width, Math.floor(region.x + region.width * (1 - rim)));
  for (let y = Math.max(0, Math.ceil(region.y + region.height * rim)); y < bottom; y++) {
    for (let x = Math.max(0, Math.ceil(region.x + region.width * rim)); x < right; x++) {
      const value = frame.celsius[y * frame.width + x];
      if (value !== undefined && !Number.isNaN(value)) values.push(value);
    }
  }
  return values;
}

/** The blackbody's region with its housing: not to be taken for a person. */
export function growRegion({ x, y, width, height }: PixelRegion, share: number): PixelRegion {
  const dx = Math.ceil(width * share);
  const dy = Math.ceil(height * share);
  return { x: x - dx, y: y - dy, width: width + 2 * dx, height: height + 2 * dy };
}

export interface DriftEstimate {
  /** Middle of the offsets in the window, °C. */
  readonly offsetC: number;
  /** How fast the camera runs away, °C an hour; absent before the window spans ten minutes. */
  readonly perHourC?: number;
}

const DRIFT_WINDOW = 240;
const MIN_SPAN_MS = 600_000;
const HOUR_MS = 3_600_000;

/** Follows the camera's offset over hours, for the log and for service. Times rise. */
export class DriftTrend {
  #points: { atMs: number; offsetC: number }[] = [];

  observe(atMs: number, offsetC: number): void {
    this.#points = [...this.#points, { atMs, offsetC }].slice(-DRIFT_WINDOW);
  }

  /** Undefined before the first reading. */
  get estimate(): DriftEstimate | undefined {
    const offsetC = computeMedian(this.#points.map((point) => point.offsetC));
    const [first] = this.#points;
    const last = this.#points.at(-1);
    if (offsetC === undefined || first === undefined || last === undefined) return undefined;
    if (last.atMs - first.atMs < MIN_SPAN_MS) return { offsetC };
    const slope = this.#fitSlope();
    return slope === undefined ? { offsetC } : { offsetC, perHourC: slope * HOUR_MS };
  }

  #fitSlope(): number | undefined {
    const t = computeMean(this.#points.map(({ atMs }) => atMs)) ?? 0;
    const c = computeMean(this.#points.map(({ offsetC }) => offsetC)) ?? 0;
    const square = this.#points.reduce((sum, { atMs }) => sum + (atMs - t) ** 2, 0);
    const product = this.#points.reduce((sum, { atMs, offsetC }) => sum + (atMs - t) * (offsetC - c), 0);
    return square === 0 ? undefined : product / square;
  }
}
