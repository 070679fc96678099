import type { RoadUserLabel } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';
import type { HeadFinding } from '../rules/rule.ts';
import type { Occupant, OccupantShares } from '../track/track.ts';

/** A camera far away: the scale is the same all over the picture. */
export interface ScriptedView {
  /** Angle by which the camera looks down, degrees below the horizon. */
  readonly depressionDeg: number;
  readonly pxPerMetre: number;
}

export const STREET_VIEW: ScriptedView = { depressionDeg: 25, pxPerMetre: 50 };

/** A point of a body: metres forward of the rear contact, to the right of the middle, above the ground. */
type BodyPoint = readonly [forward: number, right: number, up: number];

/** Outlines of real bodies (two-wheelers with their rider), m. Written down apart from the sizes that the estimator assumes. */
const BODIES: Readonly<Record<RoadUserLabel, readonly BodyPoint[]>> = {
  person: mirror([0, 0.22, 0], [0, 0.25, 1.4], [0, 0.1, 1.6]),
  bicycle: mirror(
    [0, 0, 0],
    [1.1, 0, 0],
    [1.4, 0, 0.35],
    [0.95, 0.3, 1],
    [0.5, 0.22, 1.35],
    [0.55, 0.1, 1.65],
  ),
  motorbike: mirror(
    [0, 0, 0],
    [1.25, 0, 0],
    [1.5, 0, 0.3],
    [1.05, 0.35, 1],
    [0.45, 0.25, 1.3],
    [0.5, 0.1, 1.65],
  ),
  car: mirror(
    [0, 0.85, 0],
    [0, 0.87, 1],
    [1.1, 0.6, 1.5],
    [2.9, 0.6, 1.5],
    [4.4, 0.85, 0.75],
    [4.4, 0.85, 0],
  ),
  truck: mirror([0, 1.1, 0], [0, 1.1, 2.8], [6, 1.1, 2.8], [6.5, 1.1, 0]),
  bus: mirror([0, 1.25, 0], [0, 1.25, 3.1], [9.6, 1.25, 3.1], [10, 1.25, 0]),
};

function mirror(...points: BodyPoint[]): BodyPoint[] {
  return points.flatMap(([forward, right, up]): BodyPoint[] => [
    [forward, right, up],
    [forward, -right, up],
  ]);
}

/** What the camera sees of a body: its box, and where its foremost point stands over the ground. */
export interface ProjectedBody {
  readonly box: Box;
  readonly front: Point;
}

/** Projects a body whose rear touches the ground at `rear` (px) and that travels along `heading` (picture vector). */
export function projectBody(
  label: RoadUserLabel,
  { rear, heading }: { rear: Point; heading: Point },
  { depressionDeg, pxPerMetre }: ScriptedView,
): ProjectedBody {
  const sin = Math.sin((depressionDeg * Math.PI) / 180);
  const cos = Math.cos((depressionDeg * Math.PI) / 180);
  // the picture shows the depth of the ground shortened by sin
  const norm = Math.hypot(heading[0], heading[1] / sin);
  const [gx, gy] = [heading[0] / norm, heading[1] / sin / norm];
  const project = ([forward, right, up]: BodyPoint): Point => [
    rear[0] + pxPerMetre * (forward * gx - right * gy),
    rear[1] + pxPerMetre * ((forward * gy + right * gx) * sin - up * cos),
  ];
  const points = BODIES[label].map(project);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const length = Math.max(...BODIES[label].map(([forward]) => forward));
  return {
    box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
    front: project([length, 0, 0]),
  };
}

export interface Waypoint {
  readonly atMs: number;
  /** Where the rear touches the ground, px. */
  readonly rear: Point;
}

/** A road user on a path: between two waypoints it moves evenly; it is in sight from the first to the last. */
export interface ScriptedRoadUser {
  readonly trackId: number;
  readonly label: RoadUserLabel;
  readonly path: readonly Waypoint[];
  /** Picture vector; the direction of the whole path where it is left out. */
  readonly heading?: Point;
  readonly view?: ScriptedView;
  /** Changes the box that the camera would see: what hides a part of it, jitter. */
  readonly distort?: (box: Box, atMs: number) => Box;
  /** False while no detection stands behind the track; always seen where it is left out. */
  readonly seen?: (atMs: number) => boolean;
  readonly groundSeen?: (atMs: number) => boolean;
  /** Who is found on it; nobody where it is left out. */
  readonly occupants?: (box: Box, atMs: number) => readonly Occupant[];
  /** Heads that a head model reads; a scenario in which nobody has them has no head model. */
  readonly heads?: (box: Box, atMs: number) => readonly HeadFinding[];
  /** How many a network counts on it, undefined where it did not look; a scenario in which nobody has it has no such network. */
  readonly counted?: (atMs: number) => OccupantShares | undefined;
}

/** The box at a moment; undefined before the first and after the last waypoint. */
export function computeScriptedBox(user: ScriptedRoadUser, atMs: number): Box | undefined {
  const rear = interpolate(user.path, atMs);
  const first = user.path[0];
  const last = user.path.at(-1);
  if (rear === undefined || first === undefined || last === undefined) return undefined;
  const heading: Point = user.heading ?? [last.rear[0] - first.rear[0], last.rear[1] - first.rear[1]];
  const { box } = projectBody(user.label, { rear, heading }, user.view ?? STREET_VIEW);
  return user.distort?.(box, atMs) ?? box;
}

function interpolate(path: readonly Waypoint[], atMs: number): Point | undefined {
  for (let i = 1; i < path.length; i++) {
    const [from, to] = [path[i - 1], path[i]];
    if (from === undefined || to === undefined || atMs < from.atMs || atMs > to.atMs) continue;
    const share = to.atMs === from.atMs ? 1 : (atMs - from.atMs) / (to.atMs - from.atMs);
    return [
      from.rear[0] + share * (to.rear[0] - from.rear[0]),
      from.rear[1] + share * (to.rear[1] - from.rear[1]),
    ];
  }
  return undefined;
}
