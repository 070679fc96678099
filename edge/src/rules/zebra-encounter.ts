import type { RoadUserLabel } from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { computeFootprint } from '../geometry/footprint.ts';
import type { Observation } from './rule.ts';
import { computeEdgeError } from './walk-gauge.ts';

/** Usual lengths and widths of vehicles, m. */
const LENGTH_M: Readonly<Record<RoadUserLabel, number>> = {
  person: 0.5,
  bicycle: 1.4,
  motorbike: 1.5,
  car: 4.4,
  truck: 6.5,
  bus: 10,
};
const WIDTH_M: Readonly<Record<RoadUserLabel, number>> = {
  person: 0.5,
  bicycle: 0.6,
  motorbike: 0.75,
  car: 1.8,
  truck: 2.3,
  bus: 2.5,
};
/** Spread of the width within a class and of the scale. */
const WIDTH_ERROR = 0.25;
/** Ways that run together at less than this angle do not cross, sine. */
const MIN_CROSSING_SINE = 0.4;

/** How a vehicle lies to the line on which a pedestrian walks. All px; `along` is along the vehicle's way. */
export interface Encounter {
  /** Front and rear of the vehicle beyond the pedestrian's line (negative: not there yet), with their errors. */
  readonly front: number;
  readonly frontError: number;
  readonly rear: number;
  readonly rearError: number;
  /** From the pedestrian to the nearer side of the vehicle's way, along the pedestrian's way; negative: it is on it or past. */
  readonly gap: number;
  readonly gapError: number;
  /** Where the two ways cross. */
  readonly crossing: Point;
  /** Length of a metre along the vehicle's way, px. */
  readonly pxPerMetre: number;
}

interface EncounterView {
  readonly depressionDeg: number;
  /** Direction of travel of the vehicle, unit vector in the picture. */
  readonly heading: Point;
  /** Direction in which the pedestrian walks, unit vector in the picture. */
  readonly walking: Point;
}

/**
 * Lays vehicle and pedestrian into the oblique axes of their two ways.
 *
 * ```
 *          walking
 *    P ────gap──▶┊        ┊
 *    ┄┄┄┄┄┄┄┄┄┄┄┄┊┄┄┄┄┄┄┄┄┊┄┄  the pedestrian's line
 *                ┊ ┌────┐ ┊
 *                ┊ │ V  │ ┊  ▲ heading; front < 0: not there yet
 *                ┊ └────┘ ┊
 * ```
 * @returns undefined where the ways do not cross
 */
export function computeEncounter(
  vehicle: { readonly label: RoadUserLabel; readonly sight: Observation },
  pedestrian: Observation,
  { depressionDeg, heading, walking }: EncounterView,
): Encounter | undefined {
  const sine = cross(heading, walking);
  if (Math.abs(sine) < MIN_CROSSING_SINE) return undefined;
  const { label, sight } = vehicle;
  const footprint = computeFootprint(label, sight.box, { depressionDeg, heading });
  const from = computeGroundPoint(pedestrian.box);
  // p − from = along · heading + aside · walking
  const lay = ([x, y]: Point): { along: number; aside: number } => {
    const delta: Point = [x - from[0], y - from[1]];
    return { along: cross(delta, walking) / sine, aside: cross(heading, delta) / sine };
  };
  const front = lay(footprint.front);
  const rear = lay(footprint.rear);
  const length = Math.hypot(footprint.front[0] - footprint.rear[0], footprint.front[1] - footprint.rear[1]);
  const pxPerMetre = length / LENGTH_M[label];
  const half = computeHalfWidth(WIDTH_M[label] * pxPerMetre, { depressionDeg, heading, walking });
  const edge = computeEdgeError(pedestrian) / Math.abs(sine);
  const aside = (front.aside + rear.aside) / 2;
  return {
    front: front.along,
    frontError: footprint.frontError + edge,
    rear: rear.along,
    rearError: footprint.rearError + edge,
    gap: aside - half,
    gapError: edge + WIDTH_ERROR * half + 0.05 * (sight.box[2] - sight.box[0]),
    crossing: [from[0] + aside * walking[0], from[1] + aside * walking[1]],
    pxPerMetre,
  };
}

/** Half of a width that is `widthPx` at the scale along the heading, measured along the pedestrian's way, px. */
function computeHalfWidth(widthPx: number, { depressionDeg, heading, walking }: EncounterView): number {
  const sin = Math.sin((depressionDeg * Math.PI) / 180);
  // the heading on the ground, of which the picture shortens the depth
  const norm = Math.hypot(heading[0], heading[1] / sin);
  const [gx, gy] = [heading[0] / norm, heading[1] / sin / norm];
  const scale = widthPx * norm;
  const sideways: Point = [-gy * scale, gx * sin * scale];
  return Math.abs(cross(heading, sideways) / cross(heading, walking)) / 2;
}

function cross([ax, ay]: Point, [bx, by]: Point): number {
  return ax * by - ay * bx;
}
