import type { Calibration } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { forAll, SeededRandom } from '../testing/seeded-random.ts';
import { projectPlace, type SimulatedCamera } from '../testing/simulated-camera.ts';
import type { Point } from './box.ts';
import { GroundPlane } from './ground-plane.ts';
import type { GroundPoint } from './homography.ts';

const CAMERA: SimulatedCamera = { width: 1280, height: 720, focalPx: 1000, depressionDeg: 22, heightM: 8 };
const PLACES: readonly GroundPoint[] = [
  [-5, 14],
  [5, 14],
  [5, 45],
  [-5, 45],
  [0, 25],
  [3, 33],
  [-4, 20],
];

function aCalibration(
  places: readonly GroundPoint[],
  parts: Partial<Calibration> = {},
  camera = CAMERA,
): Calibration {
  return {
    pairs: places.map((ground) => ({ image: [...projectPlace(camera, ground)], ground: [...ground] })),
    lengths: [],
    imageErrorPx: 1.5,
    groundErrorM: 0.05,
    ...parts,
  };
}

function lengthsBetween(spans: readonly (readonly [GroundPoint, GroundPoint])[], camera = CAMERA) {
  return spans.map(([from, to]) => ({
    from: [...projectPlace(camera, from)] as [number, number],
    to: [...projectPlace(camera, to)] as [number, number],
    metres: Math.hypot(from[0] - to[0], from[1] - to[1]),
  }));
}

describe('GroundPlane', () => {
  it('gives back exact pairs, maps there and back, and knows its horizon', () => {
    forAll(40, (random) => {
      const camera = {
        width: 1280,
        height: 720,
        focalPx: random.between(600, 2000),
        depressionDeg: random.between(8, 60),
        heightM: random.between(4, 15),
      };
      const angle = (camera.depressionDeg * Math.PI) / 180;
      const far = camera.heightM / Math.tan(angle);
      const places = [
        [-4, far],
        [4, far + 1],
        [5, far * 1.6],
        [-5, far * 1.5],
      ] as const;
      const plane = GroundPlane.fromCalibration(aCalibration(places, {}, camera));
      expect(plane.residualPx).toBeLessThan(1e-6);
      const place: GroundPoint = [random.between(-6, 6), far * random.between(0.9, 2)];
      const seen = projectPlace(camera, place);
      const [x, y] = plane.toGround(seen) ?? [Number.NaN, Number.NaN];
      expect(Math.hypot(x - place[0], y - place[1])).toBeLessThan(1e-5);
      const back = plane.toImage(place) ?? [Number.NaN, Number.NaN];
      expect(Math.hypot(back[0] - seen[0], back[1] - seen[1])).toBeLessThan(1e-5);
      const horizon = camera.height / 2 - camera.focalPx * Math.tan(angle);
      expect(plane.horizonAt(400)).toBeCloseTo(horizon, 3);
      expect(plane.toGround([400, horizon - 1])).toBeUndefined();
      expect(plane.locate([400, horizon + 0.01], 2)).toBeUndefined();
      expect(plane.toImage([0, -1000])).toBeUndefined();
    });
  });

  it('holds 93–97 % of true places in its 95 % ellipse, with both errors and its own', () => {
    const random = new SeededRandom(7);
    const errors = { imageErrorPx: 1.5, groundErrorM: 0.05 };
    const pixelError = 3;
    for (const count of [4, 5, 7]) {
      let inside = 0;
      let places = 0;
      const runs = 400;
      for (let run = 0; run < runs; run++) {
        const exact = aCalibration(PLACES.slice(0, count), errors);
        const pairs = exact.pairs.map(({ image, ground }) => ({
          image: jitter(image, errors.imageErrorPx, random),
          ground: jitter(ground, errors.groundErrorM, random),
        }));
        const plane = GroundPlane.fromCalibration({ ...exact, pairs });
        for (let point = 0; point < 4; point++) {
          const place: GroundPoint = [random.between(-5, 5), random.between(14, 45)];
          const found = plane.locate(jitter(projectPlace(CAMERA, place), pixelError, random), pixelError);
          if (found === undefined) throw new Error('no place');
          const { xx, xy, yy } = found.covariance;
          const dx = found.x - place[0];
          const dy = found.y - place[1];
          const square = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy);
          if (square <= 5.991465) inside += 1;
          places += 1;
        }
      }
      // three standard errors of a share of 0.95 over 1,600 places are 0.016
      expect(inside / places, `${count} pairs`).toBeGreaterThan(0.93);
      expect(inside / places, `${count} pairs`).toBeLessThan(0.97);
    }
  }, 30_000);

  it('draws its ellipse along the covariance', () => {
    const plane = GroundPlane.fromCalibration(aCalibration(PLACES));
    const found = plane.locate(projectPlace(CAMERA, [0, 40]), 2);
    expect(found?.ellipse95.semiMajorM).toBeGreaterThan(3 * (found?.ellipse95.semiMinorM ?? 0));
    // far away the error lies along the view
    expect(Math.abs(found?.ellipse95.angleRad ?? 0)).toBeCloseTo(Math.PI / 2, 1);
    const near = plane.locate(projectPlace(CAMERA, [0, 15]), 2);
    expect(near?.ellipse95.semiMajorM).toBeLessThan((found?.ellipse95.semiMajorM ?? 0) / 3);
  });

  it('names the outlier', () => {
    const exact = aCalibration(PLACES);
    const pairs = exact.pairs.map((pair, index) =>
      index === 4 ? { ...pair, ground: [2.5, 25] as [number, number] } : pair,
    );
    expect(() => GroundPlane.fromCalibration({ ...exact, pairs })).toThrow(
      /pair 5 .*contradicts all the others/,
    );
  });

  it('raises its error where the points agree worse than stated, and refuses where they contradict', () => {
    const random = new SeededRandom(3);
    const exact = aCalibration(PLACES, { imageErrorPx: 1, groundErrorM: 0.01 });
    const rough = exact.pairs.map(({ image, ground }) => ({ image: jitter(image, 3, random), ground }));
    const stated = GroundPlane.fromCalibration(exact);
    const raised = GroundPlane.fromCalibration({ ...exact, pairs: rough });
    const seen: Point = [640, 400];
    expect(raised.locate(seen, 0.1)?.ellipse95.semiMajorM).toBeGreaterThan(
      1.5 * (stated.locate(seen, 0.1)?.ellipse95.semiMajorM ?? Number.NaN),
    );
    const wild = exact.pairs.map(({ image, ground }) => ({ image: jitter(image, 30, random), ground }));
    expect(() => GroundPlane.fromCalibration({ ...exact, pairs: wild })).toThrow(/contradict|another order/);
  });

  it.each([
    [
      'one line',
      [
        [0, 15],
        [0, 20],
        [0, 30],
        [0, 45],
      ],
      /one line of the (picture|road)/,
    ],
    [
      'three on one line and one beside it',
      [
        [0, 15],
        [0, 20],
        [0, 30],
        [4, 30],
      ],
      /do not determine/,
    ],
  ] as const)('refuses pairs on %s', (_, places, message) => {
    expect(() => GroundPlane.fromCalibration(aCalibration(places))).toThrow(message);
  });

  it('refuses mirrored ground, swapped pairs and too little', () => {
    const exact = aCalibration(PLACES.slice(0, 5));
    const mirrored = exact.pairs.map(({ image, ground }) => ({
      image,
      ground: [ground[0], -ground[1]] as [number, number],
    }));
    expect(() => GroundPlane.fromCalibration({ ...exact, pairs: mirrored })).toThrow(/mirrored/);
    const [a, b, ...rest] = exact.pairs;
    if (a === undefined || b === undefined) throw new Error('no pairs');
    const swapped = [{ ...a, ground: b.ground }, { ...b, ground: a.ground }, ...rest];
    expect(() => GroundPlane.fromCalibration({ ...exact, pairs: swapped })).toThrow(/another order/);
    expect(() => GroundPlane.fromCalibration({ ...exact, pairs: [] })).toThrow(/at least four pairs/);
  });

  it('finds scale and view from known lengths alone, within the error that it states', () => {
    const random = new SeededRandom(5);
    const picture = { width: 1280, height: 720 };
    let inside = 0;
    let runs = 0;
    for (let run = 0; run < 40; run++) {
      const camera = {
        ...picture,
        focalPx: random.between(800, 1600),
        depressionDeg: random.between(14, 35),
        heightM: random.between(5, 10),
      };
      const middle = camera.heightM / Math.tan((camera.depressionDeg * Math.PI) / 180);
      const lengths = lengthsBetween(
        [
          [
            [-3, middle * 0.85],
            [3, middle * 0.85],
          ],
          [
            [-3, middle * 1.5],
            [3, middle * 1.5],
          ],
          [
            [-3, middle * 0.85],
            [-3, middle * 1.5],
          ],
          [
            [3, middle * 0.85],
            [-3, middle * 1.5],
          ],
          [
            [3, middle],
            [3, middle * 1.3],
          ],
        ],
        camera,
      ).map((length) => ({
        from: jitter(length.from, 1, random),
        to: jitter(length.to, 1, random),
        metres: length.metres + 0.03 * random.gaussian(),
      }));
      const calibration = { pairs: [], lengths, imageErrorPx: 1, groundErrorM: 0.03 };
      const plane = GroundPlane.fromCalibration(calibration, picture);
      const seen = [projectPlace(camera, [0, middle]), projectPlace(camera, [1, middle * 1.4])] as const;
      const spanBy = (map: (point: Point) => GroundPoint | undefined): number => {
        const [p, q] = [map(seen[0]), map(seen[1])];
        return p === undefined || q === undefined ? Number.NaN : Math.hypot(p[0] - q[0], p[1] - q[1]);
      };
      const found = spanBy((point) => plane.toGround(point));
      const variance = plane.variants.reduce((sum, variant) => sum + (spanBy(variant) - found) ** 2, 0);
      const miss = Math.abs(found - Math.hypot(1, middle * 0.4)) / Math.sqrt(variance);
      runs += 1;
      if (miss < 1.96) inside += 1;
      expect(Math.sqrt(variance) / found).toBeLessThan(0.1);
    }
    expect(inside / runs).toBeGreaterThan(0.85);
  }, 30_000);

  it('says plainly where lengths leave the scale under-determined', () => {
    const picture = { width: 1280, height: 720 };
    const across = lengthsBetween([
      [
        [-3, 20],
        [3, 20],
      ],
      [
        [-3, 20.5],
        [3, 20.5],
      ],
    ]);
    const calibration = { pairs: [], lengths: across, imageErrorPx: 1.5, groundErrorM: 0.05 };
    expect(() => GroundPlane.fromCalibration(calibration, picture)).toThrow(/under-determined/);
    expect(() => GroundPlane.fromCalibration(calibration)).toThrow(/size of the picture/);
    const doubled = lengthsBetween([
      [
        [-3, 20],
        [3, 20],
      ],
      [
        [-3, 35],
        [3, 35],
      ],
      [
        [-3, 20],
        [-3, 35],
      ],
      [
        [3, 20],
        [3, 35],
      ],
      [
        [-3, 20],
        [3, 35],
      ],
    ]).map((length, index) => (index === 3 ? { ...length, metres: 2 * length.metres } : length));
    expect(() => GroundPlane.fromCalibration({ ...calibration, lengths: doubled }, picture)).toThrow(
      /contradict/,
    );
  });
});

function jitter(point: readonly [number, number], error: number, random: SeededRandom): [number, number] {
  return [point[0] + error * random.gaussian(), point[1] + error * random.gaussian()];
}
