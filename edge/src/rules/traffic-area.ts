import type { RoadUserLabel } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';
import { isInside } from '../geometry/polygon.ts';

/** What lays the picture on the ground, m. */
export interface GroundMap {
  /** Undefined at and above the horizon. */
  toGround(point: Point): readonly [number, number] | undefined;
}

interface Body {
  readonly length: number;
  readonly width: number;
  readonly height: number;
}

/** Usual sizes with riders, m (lengths and heights as in `footprint.ts`). */
const BODIES: Readonly<Record<RoadUserLabel, Body>> = {
  person: { length: 0.4, width: 0.5, height: 1.6 },
  bicycle: { length: 1.4, width: 0.6, height: 1.65 },
  motorbike: { length: 1.5, width: 0.75, height: 1.65 },
  car: { length: 4.4, width: 1.8, height: 1.5 },
  truck: { length: 6.5, width: 2.3, height: 2.8 },
  bus: { length: 10, width: 2.5, height: 3.1 },
};
/** Headings that are tried, evenly from across the view to along it. */
const HEADINGS = 16;
/** The zone is sampled with about so many points. */
const SAMPLES = 1_600;

/** Samples in rows and columns over the bounding box of a zone. */
interface Grid {
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly columns: number;
  readonly rows: number;
  /** Row by row; 0 outside the zone. */
  readonly weights: Float64Array;
}

/**
 * How much of a zone vehicles cover. The zone is sampled; a sample is covered where it lies in the lower part of a box that
 * is as large as the vehicle's ground. That part follows from the usual size of the class: of a body of L × W × H that is turned by φ
 * and seen from θ above, the box is k·(L·cosφ + W·sinφ) wide and k·(H·cosθ + (L·sinφ + W·cosφ)·sinθ) high, and its
 * ground k²·L·W·sinθ; the shape of the box tells φ, its size k. With a ground map samples weigh what they are in square metres.
 */
export class ZoneArea {
  readonly #grid: Grid;
  readonly #total: number;
  readonly #depressionRad: number;
  /** Number of the look in which a sample was last found covered. */
  readonly #coveredIn: Uint32Array;
  #look = 0;

  constructor(polygon: readonly Point[], depressionDeg: number, ground: GroundMap | undefined) {
    this.#depressionRad = (depressionDeg * Math.PI) / 180;
    this.#grid = layGrid(polygon, ground);
    this.#total = this.#grid.weights.reduce((sum, weight) => sum + weight, 0);
    this.#coveredIn = new Uint32Array(this.#grid.weights.length);
  }

  /** Share of the zone under the road users, 0–1. */
  computeShare(users: readonly { readonly box: Box; readonly label: RoadUserLabel }[]): number {
    if (this.#total === 0) return 0;
    this.#look = (this.#look % 0xffff_fffe) + 1;
    let covered = 0;
    for (const { box, label } of users) covered += this.#cover(this.#patchOf(box, label));
    return covered / this.#total;
  }

  /** Marks the samples in a patch; returns the weight of those that were not marked yet. */
  #cover([x1, y1, x2, y2]: Box): number {
    const { left, top, cellWidth, cellHeight, columns, rows, weights } = this.#grid;
    const fromColumn = Math.max(0, Math.ceil((x1 - left) / cellWidth - 0.5));
    const toColumn = Math.min(columns - 1, Math.floor((x2 - left) / cellWidth - 0.5));
    const toRow = Math.min(rows - 1, Math.floor((y2 - top) / cellHeight - 0.5));
    let covered = 0;
    for (let row = Math.max(0, Math.ceil((y1 - top) / cellHeight - 0.5)); row <= toRow; row++) {
      for (let column = fromColumn; column <= toColumn; column++) {
        const at = row * columns + column;
        if (this.#coveredIn[at] === this.#look) continue;
        this.#coveredIn[at] = this.#look;
        covered += weights[at] ?? 0;
      }
    }
    return covered;
  }

  #patchOf([x1, y1, x2, y2]: Box, label: RoadUserLabel): Box {
    const height = y2 - y1;
    const share = height > 0 ? computeGroundShare(BODIES[label], (x2 - x1) / height, this.#depressionRad) : 0;
    return [x1, y2 - share * height, x2, y2];
  }
}

/** Share of its box that the ground of a body takes, 0–1. @param aspect width over height of the box */
function computeGroundShare({ length, width, height }: Body, aspect: number, depressionRad: number): number {
  const [sin, cos] = [Math.sin(depressionRad), Math.cos(depressionRad)];
  let best = { error: Number.POSITIVE_INFINITY, share: 0 };
  for (let i = 0; i <= HEADINGS; i++) {
    const turn = (i / HEADINGS) * (Math.PI / 2);
    const wide = length * Math.cos(turn) + width * Math.sin(turn);
    const high = height * cos + (length * Math.sin(turn) + width * Math.cos(turn)) * sin;
    const error = Math.abs(Math.log(wide / high / aspect));
    if (error < best.error) best = { error, share: (length * width * sin) / (wide * high) };
  }
  return Math.min(1, best.share);
}

function layGrid(polygon: readonly Point[], ground: GroundMap | undefined): Grid {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const cell = Math.sqrt((width * height) / SAMPLES);
  const [columns, rows] = [Math.max(1, Math.round(width / cell)), Math.max(1, Math.round(height / cell))];
  const [cellWidth, cellHeight] = [width / columns, height / rows];
  const weights = new Float64Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const point: Point = [left + (column + 0.5) * cellWidth, top + (row + 0.5) * cellHeight];
      if (!isInside(polygon, point)) continue;
      weights[row * columns + column] = ground === undefined ? 1 : computeSquareMetres(ground, point);
    }
  }
  return { left, top, cellWidth, cellHeight, columns, rows, weights };
}

/** Ground under one square pixel, m²; 0 above the horizon. */
function computeSquareMetres(ground: GroundMap, [x, y]: Point): number {
  const [at, right, below] = [
    ground.toGround([x, y]),
    ground.toGround([x + 1, y]),
    ground.toGround([x, y + 1]),
  ];
  if (at === undefined || right === undefined || below === undefined) return 0;
  return Math.abs((right[0] - at[0]) * (below[1] - at[1]) - (right[1] - at[1]) * (below[0] - at[0]));
}
