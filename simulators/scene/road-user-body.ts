import type { RoadUserLabel } from '@ngatu/contract';
import type { SceneRandom } from './scene-random.ts';

/** A point of a body: metres forward of the rear wheel contact, to the right of the middle, above the road. */
export type BodyPoint = readonly [forward: number, right: number, up: number];

/** The size and the outline of one road user, m. */
export interface RoadUserBody {
  readonly label: RoadUserLabel;
  /** From the rear to the front ground contact; 0 for a pedestrian. */
  readonly wheelBaseM: number;
  readonly rearOverhangM: number;
  readonly frontOverhangM: number;
  readonly widthM: number;
  readonly heightM: number;
  /** What its convex hull covers in the picture: the vehicle, or the pedestrian. */
  readonly outline: readonly BodyPoint[];
  /** Who sits on it, in sight; empty for closed vehicles and pedestrians. */
  readonly riders: readonly (readonly BodyPoint[])[];
}

interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

interface Dimensions {
  readonly length: Spread;
  readonly width: Spread;
  readonly height: Spread;
  /** Shares of the length before the front and behind the rear wheel contact. */
  readonly frontShare: number;
  readonly rearShare: number;
}

/**
 * Sizes of what is seen in Vietnamese streets, m. Cars: B to C segment and pick-ups; trucks: light and medium rigid ones; buses: 9 to 12 m
 * city buses; two-wheelers: 110–150 cm³ underbones and scooters, wheel base 1.2–1.3. Spreads are judgement, not statistics.
 */
const DIMENSIONS: Readonly<Record<RoadUserLabel, Dimensions>> = {
  person: size([0.3, 0], [0.5, 0.04], [1.62, 0.08], 0.5, 0.5),
  bicycle: size([1.65, 0.06], [0.58, 0.04], [1.62, 0.07], 0.19, 0.19),
  motorbike: size([1.88, 0.06], [0.7, 0.03], [1.62, 0.07], 0.165, 0.165),
  car: size([4.4, 0.25], [1.76, 0.06], [1.53, 0.08], 0.19, 0.21),
  truck: size([6.4, 0.9], [2.1, 0.12], [2.7, 0.25], 0.17, 0.25),
  bus: size([10.2, 0.9], [2.48, 0.05], [3.1, 0.1], 0.23, 0.29),
};

type Pair = readonly [mean: number, deviation: number];

function size(length: Pair, width: Pair, height: Pair, frontShare: number, rearShare: number): Dimensions {
  const spread = ([mean, deviation]: Pair): Spread => ({ mean, deviation });
  return { length: spread(length), width: spread(width), height: spread(height), frontShare, rearShare };
}

/** Who sits behind another sits this much further back, m. */
const SEAT_SPACING_M = 0.32;

/** Draws a road user of a class; `riders` people sit on a two-wheeler. */
export function drawBody(label: RoadUserLabel, random: SceneRandom, riders = 1): RoadUserBody {
  const { length, width, height, frontShare, rearShare } = DIMENSIONS[label];
  const lengthM = random.around(length.mean, length.deviation);
  const widthM = random.around(width.mean, width.deviation);
  const heightM = random.around(height.mean, height.deviation);
  const [frontOverhangM, rearOverhangM] = [frontShare * lengthM, rearShare * lengthM];
  const wheelBaseM = label === 'person' ? 0 : lengthM - frontOverhangM - rearOverhangM;
  const sizes = { label, wheelBaseM, rearOverhangM, frontOverhangM, widthM, heightM };
  if (label === 'person') return { ...sizes, outline: outlinePerson(0, 0, widthM, heightM), riders: [] };
  if (label !== 'motorbike' && label !== 'bicycle')
    return { ...sizes, outline: outlineBox(sizes), riders: [] };
  const seats = Array.from({ length: riders }, (_, seat) => {
    const top = seat === 0 ? heightM : heightM + random.between(-0.12, 0.05);
    return outlinePerson(0.36 * wheelBaseM + 0.1 - seat * SEAT_SPACING_M, 0.28, 0.5, top);
  });
  return { ...sizes, outline: outlineTwoWheeler(sizes), riders: seats };
}

type Sizes = Omit<RoadUserBody, 'outline' | 'riders'>;

function mirror(points: readonly BodyPoint[]): BodyPoint[] {
  return points.flatMap(([forward, right, up]): BodyPoint[] => [
    [forward, right, up],
    [forward, -right, up],
  ]);
}

function outlinePerson(forward: number, footM: number, widthM: number, topM: number): BodyPoint[] {
  const half = widthM / 2;
  return mirror([
    [forward + 0.12, 0.6 * half, footM],
    [forward - 0.12, 0.6 * half, footM],
    [forward, half, 0.6 * topM],
    [forward, half, 0.82 * topM],
    [forward, 0.1, topM],
  ]);
}

function outlineTwoWheeler({ wheelBaseM, rearOverhangM, frontOverhangM, widthM }: Sizes): BodyPoint[] {
  return mirror([
    [0, 0.06, 0],
    [wheelBaseM, 0.06, 0],
    [-rearOverhangM, 0.1, 0.35],
    [wheelBaseM + frontOverhangM, 0.06, 0.3],
    [wheelBaseM - 0.2, widthM / 2, 1.02],
    [0.1, 0.18, 0.85],
  ]);
}

/** Wheels on the road, bumpers above it, a cabin that is narrower where the class has a bonnet. */
function outlineBox({
  label,
  wheelBaseM,
  rearOverhangM,
  frontOverhangM,
  widthM,
  heightM,
}: Sizes): BodyPoint[] {
  const half = widthM / 2;
  const [rear, front] = [-rearOverhangM, wheelBaseM + frontOverhangM];
  const wheels: BodyPoint[] = [
    [0, half - 0.08, 0],
    [wheelBaseM, half - 0.08, 0],
    [rear, half - 0.05, 0.3],
    [front, half - 0.1, 0.28],
  ];
  if (label !== 'car') {
    return mirror([...wheels, [rear, half, heightM], [front - 0.3, half, heightM], [front, half, 1.1]]);
  }
  return mirror([
    ...wheels,
    [rear, half - 0.05, 0.95],
    [front, half - 0.1, 0.75],
    [rear + 0.9, half - 0.22, heightM],
    [front - 1.7, half - 0.22, heightM],
  ]);
}
