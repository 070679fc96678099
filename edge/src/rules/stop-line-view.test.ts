import type { RoadUserLabel } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { playScenario, type ScriptedSignal } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** From the rear contact to the foremost point of the scripted bodies, m. */
const LENGTHS = { bicycle: 1.4, motorbike: 1.5, car: 4.4, truck: 6.5, bus: 10 } as const;
type Vehicle = keyof typeof LENGTHS;
const VEHICLES = Object.keys(LENGTHS) as Vehicle[];
const RED: ScriptedSignal = [
  { state: 'green', sinceMs: -20_000 },
  { state: 'red', sinceMs: -5000 },
];
const MIDDLE: Point = [640, 400];

interface Camera {
  readonly depressionDeg: number;
  readonly pxPerMetre: number;
  /** Direction of travel on the ground, degrees: 0 away from the camera, 90 to the right, 180 towards it. */
  readonly headingDeg: number;
}

/** Point of the picture that lies so many metres beyond the stop line, and so many to the right of the way. */
function pictureOf({ depressionDeg, pxPerMetre, headingDeg }: Camera, beyond: number, right = 0): Point {
  const [sin, cos] = [Math.sin((headingDeg * Math.PI) / 180), Math.cos((headingDeg * Math.PI) / 180)];
  const x = beyond * sin + right * cos;
  const depth = beyond * cos - right * sin;
  const flat = Math.sin((depressionDeg * Math.PI) / 180);
  return [MIDDLE[0] + pxPerMetre * x, MIDDLE[1] - pxPerMetre * depth * flat];
}

function sceneOf(camera: Camera) {
  const common = { stopLine: 'stop-line', signal: 'main' };
  const approach = { from: pictureOf(camera, -8), to: pictureOf(camera, 8) };
  return aScene({
    picture: { width: 1280, height: 800 },
    view: { depressionDeg: camera.depressionDeg },
    tripwires: [
      {
        name: 'stop-line',
        points: [pictureOf(camera, 0, -6), pictureOf(camera, 0, 6)],
        forwardTowards: pictureOf(camera, 10),
      },
    ],
    rules: [
      { name: 'red-light', kind: 'RED_LIGHT', ...common, approach },
      { name: 'stop-line', kind: 'STOP_LINE', ...common, approach },
    ],
  });
}

interface Ride {
  readonly camera: Camera;
  readonly label: Vehicle;
  /** Metres of the rear beyond the line over time. */
  readonly way: readonly (readonly [atMs: number, beyond: number])[];
  readonly fps: number;
  readonly signal?: ScriptedSignal;
  readonly jitterPx?: () => number;
}

function play({ camera, label, way, fps, signal = RED, jitterPx = () => 0 }: Ride) {
  const [ox, oy] = pictureOf(camera, 0);
  const [ax, ay] = pictureOf(camera, 1);
  const user: ScriptedRoadUser = {
    trackId: 3,
    label: label satisfies RoadUserLabel,
    view: camera,
    heading: [ax - ox, ay - oy],
    path: way.map(([atMs, beyond]) => ({ atMs, rear: pictureOf(camera, beyond) })),
    distort: ([x1, y1, x2, y2]) => [x1 + jitterPx(), y1 + jitterPx(), x2 + jitterPx(), y2 + jitterPx()],
  };
  const untilMs = way.at(-1)?.[0] ?? 0;
  return playScenario({ scene: sceneOf(camera), users: [user], signal, fps, untilMs }).matches.filter(
    ({ letPass }) => letPass === undefined,
  );
}

/** Stops with its front so many metres beyond the line. */
const stopWith = (label: Vehicle, frontBeyond: number): Ride['way'] => {
  const rest = frontBeyond - LENGTHS[label];
  return [
    [0, rest - 12],
    [3000, rest],
    [9000, rest],
  ];
};
const passWith = (label: Vehicle, metresPerSecond: number): Ride['way'] => {
  const from = -LENGTHS[label] - 8;
  return [
    [0, from],
    [((10 - from) / metresPerSecond) * 1000, 10],
  ];
};

const CAMERAS: readonly (readonly [string, Camera])[] = [0, 40, 90, 180, 215, 290].flatMap((headingDeg) =>
  [18, 40].map(
    (depressionDeg) =>
      [`${headingDeg}° from ${depressionDeg}° above`, { headingDeg, depressionDeg, pxPerMetre: 45 }] as const,
  ),
);

describe('red light and stop line from any side', () => {
  it.each(CAMERAS)('%s: passing is a red light, once, within its bounds of time', (_, camera) => {
    for (const label of VEHICLES) {
      for (const fps of [5, 25]) {
        const speed = 6;
        const matches = play({ camera, label, way: passWith(label, speed), fps });
        expect(
          matches.map(({ kind }) => kind),
          `${label} ${fps}`,
        ).toEqual(['RED_LIGHT']);
        const rearMs = ((LENGTHS[label] + 8) / speed) * 1000;
        const { crossedAtMediaMs: at = 0 } = matches[0]?.measures ?? {};
        // usual lengths of the class, seen from a flat angle: at most a third of the body
        expect(Math.abs(at - rearMs), `${label} ${fps}`).toBeLessThan(80 + (LENGTHS[label] / speed) * 330);
      }
    }
  });

  it.each(CAMERAS)(
    '%s: who stops over the line is a stop-line case, who stops before it is none',
    (_, camera) => {
      for (const label of VEHICLES) {
        const far = LENGTHS[label] * 0.6;
        const over = play({ camera, label, way: stopWith(label, far), fps: 10 });
        expect(
          over.map(({ kind }) => kind),
          label,
        ).toEqual(['STOP_LINE']);
        const before = play({ camera, label, way: stopWith(label, -0.35 * LENGTHS[label]), fps: 10 });
        expect(before, label).toEqual([]);
      }
    },
  );

  it.each(CAMERAS)('%s: on green nothing is flagged', (_, camera) => {
    const signal: ScriptedSignal = [{ state: 'green', sinceMs: -9000 }];
    for (const label of ['motorbike', 'bus'] as const) {
      expect(play({ camera, label, way: passWith(label, 7), fps: 8, signal })).toEqual([]);
      expect(play({ camera, label, way: stopWith(label, 1), fps: 8, signal })).toEqual([]);
    }
  });

  it('does not depend on the frame rate, nor on where the frames fall', () => {
    forAll(10, (random) => {
      const camera = {
        headingDeg: random.between(0, 360),
        depressionDeg: random.between(14, 50),
        pxPerMetre: random.between(25, 90),
      };
      const label = VEHICLES[random.integer(0, VEHICLES.length - 1)] ?? 'car';
      const jitterPx = () => 0.6 * random.gaussian();
      const way =
        random.next() < 0.5 ? passWith(label, random.between(3, 12)) : stopWith(label, 0.6 * LENGTHS[label]);
      const told = [5, 10, 25].map((fps) => play({ camera, label, way, fps, jitterPx }));
      for (const matches of told) {
        expect(matches.map(({ kind }) => kind)).toEqual(told[0]?.map(({ kind }) => kind));
        const [a, b] = [matches[0], told[0]?.[0]].map((match) => match?.measures);
        const key = a !== undefined && 'crossedAtMediaMs' in a ? 'crossedAtMediaMs' : 'frontPassedAtMediaMs';
        // within the slowest frame interval of each other
        expect(Math.abs((a?.[key] ?? 0) - (b?.[key] ?? 0))).toBeLessThan(200);
      }
      expect(told[0]).toHaveLength(1);
    });
  });

  it('lets who is first seen past the decisive moment go, from any side', () => {
    forAll(15, (random) => {
      const camera = {
        headingDeg: random.between(0, 360),
        depressionDeg: random.between(14, 50),
        pxPerMetre: 45,
      };
      const label = VEHICLES[random.integer(0, VEHICLES.length - 1)] ?? 'car';
      const fps = random.between(5, 30);
      const begin = random.between(0.4, 3);
      expect(
        play({
          camera,
          label,
          way: [
            [0, begin],
            [3000, begin + 12],
          ],
          fps,
        }),
      ).toEqual([]);
      const rest = -random.between(0.2, 0.6) * LENGTHS[label];
      expect(
        play({
          camera,
          label,
          way: [
            [0, rest - 0.1],
            [8000, rest],
          ],
          fps,
        }),
      ).toEqual([]);
    });
  });
});
