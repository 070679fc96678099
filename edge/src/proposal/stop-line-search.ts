import type { Point } from '../geometry/box.ts';
import type { StillPicture } from './background.ts';
import type { Flow } from './flow-search.ts';
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

/** Paint is brighter than the road on both sides by this much, 0–255. */
const MIN_PAINT_CONTRAST = 9;
/** Width of the paint looked for, as shares of the picture's height: a stop line of 0.2–0.4 m, near or far. */
const PAINT_WIDTHS = [0.008, 0.014, 0.022];
const SAMPLES = 48;
const ANGLES_DEG = [-20, -15, -10, -6, -3, 0, 3, 6, 10, 15, 20];
/** Two candidates nearer to one another than this share of the flow's length are the same line. */
const MIN_DISTANCE_SHARE = 0.08;
/** Paint is followed over gaps of so many samples, and over bends of so many pixels a sample. */
const MAX_MISSED = 4;
const BENDS_PX = [0, 1, -1, 2, -2];
const MAX_CANDIDATES = 3;
/** Paint says more than stops: who waits at the back of a queue stops elsewhere. */
const PAINT_WEIGHT = 0.75;
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
  const found: { candidate: StopLineCandidate; score: number; along: number }[] = [];
  const stepPx = Math.max(1, background.scale);
  for (let along = 0.04 * lengthPx; along < 0.96 * lengthPx; along += stepPx) {
    for (const angle of ANGLES_DEG) {
      const [a, b] = lineAcross(flow, along, angle);
      const paint = measurePaint(background, a, b, flow.direction);
      const share = shareOfStops(stops, along, lengthPx);
      const score = share === undefined ? paint : PAINT_WEIGHT * paint + (1 - PAINT_WEIGHT) * share;
      if (score < MIN_SCORE) continue;
      const forwardTowards: Point = [
        (a[0] + b[0]) / 2 + 0.3 * lengthPx * flow.direction[0],
        (a[1] + b[1]) / 2 + 0.3 * lengthPx * flow.direction[1],
      ];
      const candidate = {
        points: [a, b] as const,
        forwardTowards,
        paint,
        ...(share === undefined ? {} : { stops: share }),
      };
      found.push({ candidate, score, along });
    }
  }
  found.sort((x, y) => y.score - x.score);
  const kept: typeof found = [];
  for (const entry of found) {
    if (kept.length === MAX_CANDIDATES) break;
    if (kept.every(({ along }) => Math.abs(along - entry.along) >= MIN_DISTANCE_SHARE * lengthPx))
      kept.push(entry);
  }
  return kept.map(({ candidate }) => ({
    ...candidate,
    points: extendLine(background, candidate.points, flow),
  }));
}

/** The line across the flow at a way from its beginning, turned by an angle from the picture's square. */
function lineAcross(flow: Flow, alongPx: number, angleDeg: number): [Point, Point] {
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
  const half = flow.widthPx / 2 + 0.05 * flow.widthPx;
  return [
    [middle[0] - half * turned[0], middle[1] - half * turned[1]],
    [middle[0] + half * turned[0], middle[1] + half * turned[1]],
  ];
}

/**
 * Follows the paint beyond both ends of a line, which was looked for only as wide as the flow: a stop line reaches from kerb to
 * kerb, and the lens bends it a little.
 */
function extendLine(picture: StillPicture, points: readonly Point[], flow: Flow): Point[] {
  const [a, b] = [points[0], points.at(-1)];
  if (a === undefined || b === undefined) return [...points];
  const stepPx = Math.hypot(b[0] - a[0], b[1] - a[1]) / SAMPLES;
  const along = normalize([b[0] - a[0], b[1] - a[1]]);
  const follow = (from: Point, side: 1 | -1): Point => {
    let [end, at] = [from, from];
    for (let missed = 0; missed <= MAX_MISSED; ) {
      const ahead: Point = [at[0] + side * stepPx * along[0], at[1] + side * stepPx * along[1]];
      const painted = BENDS_PX.map(
        (bend): Point => [
          ahead[0] + bend * picture.scale * flow.direction[0],
          ahead[1] + bend * picture.scale * flow.direction[1],
        ],
      ).find((point) => PAINT_WIDTHS.some((width) => isPaint(picture, point, width, flow.direction)));
      at = painted ?? ahead;
      if (painted === undefined) missed += 1;
      else [end, missed] = [painted, 0];
      if (lumaAt(picture, at[0], at[1]) === undefined) break;
    }
    return end;
  };
  const [left, right] = [follow(a, -1), follow(b, 1)];
  return [...(left === a ? [] : [left]), a, b, ...(right === b ? [] : [right])];
}

/** Share of points along the line at which a band of some width is brighter than what lies before and behind it. */
function measurePaint(picture: StillPicture, a: Point, b: Point, direction: Point): number {
  let best = 0;
  for (const width of PAINT_WIDTHS) {
    let lit = 0;
    let inside = 0;
    for (let k = 0; k < SAMPLES; k++) {
      const t = (k + 0.5) / SAMPLES;
      const [x, y] = [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
      const painted = isPaint(picture, [x, y], width, direction);
      if (painted === undefined) continue;
      inside += 1;
      if (painted) lit += 1;
    }
    if (inside >= SAMPLES / 2) best = Math.max(best, lit / inside);
  }
  return best;
}

/** True where a band of the width (share of the picture's height) is brighter than both sides; undefined outside the picture. */
function isPaint(picture: StillPicture, [x, y]: Point, width: number, direction: Point): boolean | undefined {
  const offset = Math.max(2, width * picture.height) * picture.scale;
  const here = lumaAt(picture, x, y);
  const before = lumaAt(picture, x - offset * direction[0], y - offset * direction[1]);
  const behind = lumaAt(picture, x + offset * direction[0], y + offset * direction[1]);
  if (here === undefined || before === undefined || behind === undefined) return undefined;
  return here - before >= MIN_PAINT_CONTRAST && here - behind >= MIN_PAINT_CONTRAST;
}

function lumaAt(picture: StillPicture, x: number, y: number): number | undefined {
  const column = Math.floor(x / picture.scale);
  const row = Math.floor(y / picture.scale);
  if (column < 0 || row < 0 || column >= picture.width || row >= picture.height) return undefined;
  const at = (row * picture.width + column) * 3;
  const [b, g, r] = [picture.pixels[at] ?? 0, picture.pixels[at + 1] ?? 0, picture.pixels[at + 2] ?? 0];
  return 0.114 * b + 0.587 * g + 0.299 * r;
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
