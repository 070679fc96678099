import type { Point } from '../geometry/box.ts';
import { takeQuantile } from './quantile.ts';
import { computeTravel, listSteps, type Step, type Trajectory } from './trajectory.ts';

/** A stream of road users that take the same way. Points in source pixels. */
export interface Flow {
  /** Middle of the way where they come from and where they go. */
  readonly from: Point;
  readonly to: Point;
  /** The ground they drive over, corners in order. */
  readonly polygon: readonly Point[];
  /** Unit vector from `from` to `to`. */
  readonly direction: Point;
  /** Spread of the way across its direction, px. */
  readonly widthPx: number;
  /** Road users that took it. */
  readonly count: number;
}

/** A road user shows a way only where it travelled this share of the picture's diagonal … */
const MIN_TRAVEL_SHARE = 0.06;
/** … and a way is proposed where this share of all travellers took it, two at least. */
const MIN_SHARE = 0.04;
const MIN_COUNT = 2;
/** Road users belong together while the mean directions where they drove over the same ground differ by less, degrees. */
const MAX_ANGLE_DEG = 35;
const COLUMNS = 20;
/** A newcomer is compared with the longest of a group only, so that a chain of neighbours does not bend round a corner. */
const FOUNDERS = 3;
/** Cells of a row of the grid, with room for ground points outside the picture. */
const ROW = 1_000;
/** Of a way's spread this share on each side is left to outliers. */
const TRIM = 0.08;
/** Parts of a way along its direction, each with its own edges. */
const SLICES = 4;

const NEIGHBOURS = [0, 1, -1, ROW, -ROW, ROW + 1, ROW - 1, 1 - ROW, -ROW - 1];

interface Traveller {
  readonly steps: readonly Step[];
  /** Straight way from beginning to end, px. */
  readonly travelPx: number;
  readonly direction: Point;
  readonly cells: ReadonlySet<number>;
}

/**
 * Finds the ways that traffic takes. Travellers of like direction that drove over the same cells of a grid are joined,
 * the longest first; each group becomes a flow with an outline that follows its edges.
 * @returns flows by count, the busiest first
 */
export function findFlows(
  trajectories: readonly Trajectory[],
  picture: { readonly width: number; readonly height: number },
): Flow[] {
  const diagonal = Math.hypot(picture.width, picture.height);
  const cell = picture.width / COLUMNS;
  const travellers = trajectories
    .filter((trajectory) => computeTravel(trajectory) >= MIN_TRAVEL_SHARE * diagonal)
    .map((trajectory) => toTraveller(trajectory, cell))
    .filter((traveller) => traveller !== undefined)
    .sort((a, b) => b.travelPx - a.travelPx);
  const groups: Traveller[][] = [];
  for (const traveller of travellers) {
    const group = groups.find((members) =>
      members.slice(0, FOUNDERS).some((member) => isSameWay(member, traveller)),
    );
    if (group === undefined) groups.push([traveller]);
    else group.push(traveller);
  }
  const least = Math.max(MIN_COUNT, MIN_SHARE * travellers.length);
  return groups
    .filter((group) => group.length >= least)
    .map(toFlow)
    .filter((flow) => flow !== undefined)
    .sort((a, b) => b.count - a.count);
}

function toTraveller(trajectory: Trajectory, cell: number): Traveller | undefined {
  const steps = listSteps(trajectory);
  const [first, last] = [trajectory.sights[0], trajectory.sights.at(-1)];
  if (first === undefined || last === undefined || steps.length < 2) return undefined;
  const travelPx = computeTravel(trajectory);
  return {
    steps,
    travelPx,
    direction: [(last.ground[0] - first.ground[0]) / travelPx, (last.ground[1] - first.ground[1]) / travelPx],
    cells: new Set(steps.map(({ at }) => Math.floor(at[1] / cell) * ROW + Math.floor(at[0] / cell))),
  };
}

function isSameWay(a: Traveller, b: Traveller): boolean {
  const cos = a.direction[0] * b.direction[0] + a.direction[1] * b.direction[1];
  if (cos < Math.cos((MAX_ANGLE_DEG * Math.PI) / 180)) return false;
  let shared = 0;
  for (const cell of b.cells) if (NEIGHBOURS.some((offset) => a.cells.has(cell + offset))) shared += 1;
  return shared >= 0.5 * Math.min(a.cells.size, b.cells.size);
}

function toFlow(group: readonly Traveller[]): Flow | undefined {
  const sum = group.reduce<Point>(
    ([x, y], { direction, travelPx }) => [x + direction[0] * travelPx, y + direction[1] * travelPx],
    [0, 0],
  );
  const norm = Math.hypot(sum[0], sum[1]);
  if (norm === 0) return undefined;
  const direction: Point = [sum[0] / norm, sum[1] / norm];
  const across: Point = [-direction[1], direction[0]];
  const places = group
    .flatMap(({ steps }) => steps)
    .map(({ at }) => ({ along: dot(at, direction), across: dot(at, across) }))
    .sort((a, b) => a.along - b.along);
  const alongs = places.map(({ along }) => along);
  const [start, end] = [takeQuantile(alongs, TRIM / 2), takeQuantile(alongs, 1 - TRIM / 2)];
  const edges = Array.from({ length: SLICES }, (_, slice) => {
    const [from, to] = [slice, slice + 1].map((k) => start + ((end - start) * k) / SLICES) as [
      number,
      number,
    ];
    const inside = places.filter(({ along }) => along >= from && along <= to).map((place) => place.across);
    inside.sort((a, b) => a - b);
    return inside.length < 3
      ? []
      : [{ along: (from + to) / 2, low: takeQuantile(inside, TRIM), high: takeQuantile(inside, 1 - TRIM) }];
  }).flat();
  const [first, last] = [edges[0], edges.at(-1)];
  if (first === undefined || last === undefined || edges.length < 2) return undefined;
  // the outer slices reach to the ends of the way
  const outline = [{ ...first, along: start }, ...edges.slice(1, -1), { ...last, along: end }];
  const place = (along: number, side: number): Point => [
    along * direction[0] + side * across[0],
    along * direction[1] + side * across[1],
  ];
  const polygon = [
    ...outline.map(({ along, low }) => place(along, low)),
    ...outline.toReversed().map(({ along, high }) => place(along, high)),
  ];
  const middle = ({ along, low, high }: (typeof outline)[number]): Point => place(along, (low + high) / 2);
  const widths = edges.map(({ low, high }) => high - low).sort((a, b) => a - b);
  return {
    from: middle(outline[0] as (typeof outline)[number]),
    to: middle(outline.at(-1) as (typeof outline)[number]),
    polygon,
    direction,
    widthPx: takeQuantile(widths, 0.5),
    count: group.length,
  };
}

function dot(a: Point, b: Point): number {
  return a[0] * b[0] + a[1] * b[1];
}
