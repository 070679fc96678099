import type { Point } from '../geometry/box.ts';
import type { StillPicture } from './background.ts';
import type { Flow } from './flow-search.ts';
import { traceLine } from './line-trace.ts';
import { MIN_PAINT_CONTRAST, measureContrast, PAINT_WIDTHS } from './paint.ts';
import { listSteps, type Trajectory } from './trajectory.ts';

/** A line across a flow that may be its stop line. */
export interface StopLineCandidate {
  readonly points: readonly Point[];
  /** A point well beyond it, in the direction of the flow. */
  readonly forwardTowards: Point;
  /** Share of the line along which paint stands out from the road before and behind it, 0–1. */
  readonly paint: number;
  /** Share of those who stopped in this flow that stopped just before it, 0–1; absent where nobody stopped. */
  readonly stops?: number;
}

const SAMPLES = 48;
const ANGLES_DEG = [-20, -15, -10, -6, -3, 0, 3, 6, 10, 15, 20];
/** Two candidates nearer to one another than this share of the flow's length are the same line. */
const MIN_DISTANCE_SHARE = 0.08;
const MAX_CANDIDATES = 3;
/** Paint says more than stops: who waits at the back of a queue stops elsewhere. */
const PAINT_WEIGHT = 0.75;
/**
 * Of lines alike the one that goes on as paint beyond the way comes first: over the width of a narrow way many angles are painted
 * all along. So many widths of the way are looked at.
 */
const WIDER = 3;
const WIDE_WEIGHT = 0.2;
/** Under this paint share a line is not proposed unless many stop there. */
const MIN_SCORE = 0.35;
/** Standing still for this long is a stop, ms. */
const STOP_MS = 2_000;
/** A stop belongs to a line when its wheels stand at most this share of the flow's length before it, or a little beyond. */
const STOP_BEFORE_SHARE = 0.14;
const STOP_BEYOND_SHARE = 0.04;

/**
 * Looks for the stop line of a flow: a bright band across it in the picture without traffic, and where road users come to
 * stand.
 */
export function findStopLines(
  flow: Flow,
  background: StillPicture,
  trajectories: readonly Trajectory[],
): StopLineCandidate[] {
  const lengthPx = Math.hypot(flow.to[0] - flow.from[0], flow.to[1] - flow.from[1]);
  const stops = listStops(flow, trajectories);
  const found: Found[] = [];
  const stepPx = Math.max(1, background.scale);
  for (let along = 0.04 * lengthPx; along < 0.96 * lengthPx; along += stepPx) {
    const share = shareOfStops(stops, along, lengthPx);
    for (const angle of ANGLES_DEG) {
      const ends = lineAcross(flow, along, angle);
      const paint = measurePaint(background, ends, flow.direction);
      const score = share === undefined ? paint : PAINT_WEIGHT * paint + (1 - PAINT_WEIGHT) * share;
      if (score < MIN_SCORE) continue;
      const wide = measurePaint(background, lineAcross(flow, along, angle, WIDER), flow.direction);
      found.push({ ends, paint, share, along, rank: score + WIDE_WEIGHT * wide });
    }
  }
  found.sort((x, y) => y.rank - x.rank);
  const kept: Found[] = [];
  for (const entry of found) {
    if (kept.length === MAX_CANDIDATES) break;
    if (kept.every(({ along }) => Math.abs(along - entry.along) >= MIN_DISTANCE_SHARE * lengthPx))
      kept.push(entry);
  }
  return kept.map(({ ends: [a, b], paint, share }) => ({
    points: traceLine(background, [a, b], flow.direction),
    forwardTowards: [
      (a[0] + b[0]) / 2 + 0.3 * lengthPx * flow.direction[0],
      (a[1] + b[1]) / 2 + 0.3 * lengthPx * flow.direction[1],
    ],
    paint,
    ...(share === undefined ? {} : { stops: share }),
  }));
}

interface Found {
  /** Of the straight line, as wide as the way. */
  readonly ends: readonly [Point, Point];
  readonly paint: number;
  readonly share: number | undefined;
  /** Px from the beginning of the way. */
  readonly along: number;
  readonly rank: number;
}

/** The line across the flow at a way from its beginning, turned by an angle from the picture's square, so many of its widths long. */
function lineAcross(flow: Flow, alongPx: number, angleDeg: number, widths = 1.1): [Point, Point] {
  const angle = (angleDeg * Math.PI) / 180;
  const [dx, dy] = flow.direction;
  // on the ground a line square to the way looks level in most views: between both, turned by the angle
  const across: Point = normalize([-dy + Math.sign(-dy || 1), dx]);
  const turned: Point = [
    across[0] * Math.cos(angle) - across[1] * Math.sin(angle),
    across[0] * Math.sin(angle) + across[1] * Math.cos(angle),
  ];
  const lengthPx = Math.hypot(flow.to[0] - flow.from[0], flow.to[1] - flow.from[1]);
  const share = alongPx / lengthPx;
  const middle: Point = [
    flow.from[0] + share * (flow.to[0] - flow.from[0]),
    flow.from[1] + share * (flow.to[1] - flow.from[1]),
  ];
  const half = (widths * flow.widthPx) / 2;
  return [
    [middle[0] - half * turned[0], middle[1] - half * turned[1]],
    [middle[0] + half * turned[0], middle[1] + half * turned[1]],
  ];
}

/** Share of points along the line at which a band of some width is brighter than what lies before and behind it. */
function measurePaint(picture: StillPicture, [a, b]: readonly [Point, Point], direction: Point): number {
  let best = 0;
  for (const width of PAINT_WIDTHS) {
    let lit = 0;
    let inside = 0;
    for (let k = 0; k < SAMPLES; k++) {
      const t = (k + 0.5) / SAMPLES;
      const [x, y] = [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
      const contrast = measureContrast(picture, [x, y], width, direction);
      if (contrast === undefined) continue;
      inside += 1;
      if (contrast >= MIN_PAINT_CONTRAST) lit += 1;
    }
    if (inside >= SAMPLES / 2) best = Math.max(best, lit / inside);
  }
  return best;
}

/** Ways from the beginning of the flow at which road users of the flow stood, px. */
function listStops(flow: Flow, trajectories: readonly Trajectory[]): number[] {
  return trajectories.flatMap((trajectory) => {
    const steps = listSteps(trajectory);
    const along = steps.filter(
      ({ direction }) => direction[0] * flow.direction[0] + direction[1] * flow.direction[1] > 0.7,
    );
    if (steps.length > 0 && along.length * 2 < steps.length) return [];
    const place = findStand(trajectory);
    if (place === undefined) return [];
    return [(place[0] - flow.from[0]) * flow.direction[0] + (place[1] - flow.from[1]) * flow.direction[1]];
  });
}

/** Where it stood longest, STOP_MS at least. */
function findStand({ sights }: Trajectory): Point | undefined {
  let best: { point: Point; durationMs: number } | undefined;
  let from = 0;
  for (let i = 1; i < sights.length; i++) {
    const [start, now] = [sights[from], sights[i]];
    if (start === undefined || now === undefined) continue;
    const moved = Math.hypot(now.ground[0] - start.ground[0], now.ground[1] - start.ground[1]);
    if (moved > 0.15 * now.height) {
      from = i;
      continue;
    }
    const durationMs = now.atMs - start.atMs;
    if (durationMs >= STOP_MS && durationMs > (best?.durationMs ?? 0))
      best = { point: now.ground, durationMs };
  }
  return best?.point;
}

function shareOfStops(stops: readonly number[], along: number, lengthPx: number): number | undefined {
  if (stops.length === 0) return undefined;
  const near = stops.filter(
    (place) => place >= along - STOP_BEFORE_SHARE * lengthPx && place <= along + STOP_BEYOND_SHARE * lengthPx,
  );
  return near.length / stops.length;
}

function normalize([x, y]: Point): Point {
  const norm = Math.hypot(x, y) || 1;
  return [x / norm, y / norm];
}
