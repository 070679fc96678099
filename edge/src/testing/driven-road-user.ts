import type { RoadUserLabel } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';
import {
  projectBody,
  type ScriptedRoadUser,
  type ScriptedView,
  type Waypoint,
} from './scripted-road-user.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A camera further off than that of the street: 32 m × 57 m of road in a picture of 640 × 480 px. */
const CROSSROADS_VIEW: ScriptedView = { depressionDeg: 25, pxPerMetre: 20 };

/** A part of a way; lengths on the ground, m; `back` drives backwards, `turnDeg` is to the right where positive. */
export type Leg =
  | { readonly straightM: number }
  | { readonly turnDeg: number; readonly radiusM: number }
  | { readonly backM: number }
  | { readonly standMs: number }
  | { readonly speedMps: number };

export interface DrivenWay {
  readonly trackId?: number;
  readonly label: RoadUserLabel;
  /** Where the rear touches the ground at first, px. */
  readonly from: Point;
  /** Compass on the picture's ground: 0 is up (away from the camera), 90 to the right. */
  readonly headingDeg: number;
  readonly speedMps: number;
  readonly legs: readonly Leg[];
  readonly startMs?: number;
  readonly view?: ScriptedView;
}

interface Place {
  readonly atMs: number;
  readonly rear: Point;
  readonly headingDeg: number;
}

const STEP_MS = 20;

/** A road user whose rear drives straight parts and arcs on the ground; its box turns with it. */
export interface DrivenRoadUser extends ScriptedRoadUser {
  readonly endMs: number;
}

export function driveWay(way: DrivenWay): DrivenRoadUser {
  const view = way.view ?? CROSSROADS_VIEW;
  const places = layOut(way, view);
  const path: Waypoint[] = places.map(({ atMs, rear }) => ({ atMs, rear }));
  let cursor = 1;
  const boxAt = (atMs: number): Box => {
    // asked in order of time, as frames come
    if ((places[cursor - 1] as Place).atMs > atMs) cursor = 1;
    while (cursor < places.length - 1 && (places[cursor] as Place).atMs < atMs) cursor += 1;
    const [a, b] = [places[cursor - 1] as Place, places[cursor] as Place];
    const share = (atMs - a.atMs) / Math.max(1, b.atMs - a.atMs);
    const between = (from: number, to: number): number => from + share * (to - from);
    const rear: Point = [between(a.rear[0], b.rear[0]), between(a.rear[1], b.rear[1])];
    const heading = toPicture(between(a.headingDeg, b.headingDeg), view);
    return projectBody(way.label, { rear, heading }, view).box;
  };
  return {
    trackId: way.trackId ?? 7,
    label: way.label,
    path,
    view,
    distort: (_, atMs) => boxAt(atMs),
    endMs: (places.at(-1) as Place).atMs,
  };
}

function toPicture(headingDeg: number, { depressionDeg }: ScriptedView): Point {
  const angle = (headingDeg * Math.PI) / 180;
  return [Math.sin(angle), -Math.cos(angle) * Math.sin((depressionDeg * Math.PI) / 180)];
}

function layOut({ from, headingDeg, speedMps, legs, startMs = 0 }: DrivenWay, view: ScriptedView): Place[] {
  const places: Place[] = [{ atMs: startMs, rear: from, headingDeg }];
  let speed = speedMps;
  const go = (durationMs: number, metresPerMs: number, degPerMs: number): void => {
    const steps = Math.max(1, Math.round(durationMs / STEP_MS));
    const stepMs = durationMs / steps;
    for (let i = 0; i < steps; i++) {
      const last = places.at(-1) as Place;
      const heading = last.headingDeg + degPerMs * stepMs;
      const [dx, dy] = toPicture((last.headingDeg + heading) / 2, view);
      const length = metresPerMs * stepMs * view.pxPerMetre;
      places.push({
        atMs: last.atMs + stepMs,
        rear: [last.rear[0] + dx * length, last.rear[1] + dy * length],
        headingDeg: heading,
      });
    }
  };
  for (const leg of legs) {
    if ('speedMps' in leg) speed = leg.speedMps;
    else if ('standMs' in leg) go(leg.standMs, 0, 0);
    else if ('straightM' in leg) go((leg.straightM / speed) * 1000, speed / 1000, 0);
    else if ('backM' in leg) go((leg.backM / speed) * 1000, -speed / 1000, 0);
    else {
      const durationMs = ((Math.abs(leg.turnDeg) * Math.PI * leg.radiusM) / 180 / speed) * 1000;
      go(durationMs, speed / 1000, leg.turnDeg / durationMs);
    }
  }
  return places;
}

/**
 * The same road user as a middling detector sees it: every edge of the box off by 3 % of its side (standard deviation), 15 % of the
 * sights missing.
 */
export function seeNoisily<T extends ScriptedRoadUser>(user: T, random: SeededRandom): T {
  return {
    ...user,
    distort: (box: Box, atMs: number): Box => {
      const [x1, y1, x2, y2] = user.distort?.(box, atMs) ?? box;
      const [dx, dy] = [0.03 * (x2 - x1), 0.03 * (y2 - y1)];
      return [
        x1 + dx * random.gaussian(),
        y1 + dy * random.gaussian(),
        x2 + dx * random.gaussian(),
        y2 + dy * random.gaussian(),
      ];
    },
    seen: (atMs: number) => random.next() >= 0.15 && (user.seen?.(atMs) ?? true),
  };
}
