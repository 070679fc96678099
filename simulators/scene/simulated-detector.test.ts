import { describe, expect, it } from 'vitest';
import { DETECTION_NOISE } from './detection-noise.ts';
import { computeNormalShare, NoiseProcess } from './noise-process.ts';
import type { NoiseProfile } from './noise-profile.ts';
import { drawCase } from './scene-case.ts';
import { SceneRandom } from './scene-random.ts';
import { listFrames } from './scene-world.ts';
import { detectPerfectly, SimulatedDetector } from './simulated-detector.ts';

describe('NoiseProcess', () => {
  it('has variance 1 and the correlation that it is asked for', () => {
    const random = new SceneRandom(3);
    const correlation = { persistent: 0.3, slow: 0.5, slowMs: 500 };
    let [square, product, count] = [0, 0, 0];
    for (let n = 0; n < 3_000; n++) {
      const process = new NoiseProcess(random.fork(), correlation);
      const first = process.next(0);
      const second = process.next(500);
      square += (first ** 2 + second ** 2) / 2;
      product += first * second;
      count += 1;
    }
    expect(square / count).toBeCloseTo(1, 1);
    expect(product / count).toBeCloseTo(0.3 + 0.5 / Math.E, 1);
  });

  it('reads the normal distribution', () => {
    expect(computeNormalShare(1.959964)).toBeCloseTo(0.975, 5);
  });
});

describe('SimulatedDetector', () => {
  const scene = drawCase('WRONG_WAY', 10);
  const frames = [...listFrames(scene.world)];
  const run = (seed: number) => {
    const detector = new SimulatedDetector(DETECTION_NOISE, { seed, picture: scene.world.camera });
    return frames.map((frame) => detector.detect(frame));
  };

  it('gives the same detections again from the same seed', () => {
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });

  it('misses, and finds what is not there, as the profile says', () => {
    const runs = Array.from({ length: 12 }, (_, seed) => run(seed));
    const near = (seeds: typeof runs): number =>
      seeds.flat(2).filter(({ confidence }) => confidence < DETECTION_NOISE.minConfidence).length;
    expect(near(runs)).toBe(0);
    const found = runs.flat().reduce((sum, list) => sum + list.length, 0) / runs.length / frames.length;
    const there = frames.reduce((sum, frame) => sum + detectPerfectly(frame).length, 0) / frames.length;
    const { perPicture } = DETECTION_NOISE.falseBoxes;
    expect(found).toBeGreaterThan(0.6 * perPicture);
    expect(found).toBeLessThan(1.4 * (perPicture + there));
  });

  it('draws boxes of two-wheelers with their riders where the profile says so', () => {
    const heights = (twoWheelersWithRiders: boolean): number[] => {
      const picture = scene.world.camera;
      const detector = new SimulatedDetector(
        { ...DETECTION_NOISE, twoWheelersWithRiders },
        { seed: 1, picture },
      );
      return frames
        .flatMap((frame) => detector.detect(frame))
        .filter(({ riders }) => riders !== undefined)
        .map(({ box }) => box[3] - box[1]);
    };
    const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
    expect(middle(heights(true))).toBeGreaterThan(1.2 * middle(heights(false)));
  });

  it('finds people on foot by figures of their own', () => {
    const zebra = drawCase('ZEBRA_YIELD', 2);
    const count = (pedestrian: NoiseProfile['groups']['pedestrian']): number => {
      const groups = { ...DETECTION_NOISE.groups, pedestrian };
      const detector = new SimulatedDetector(
        { ...DETECTION_NOISE, groups, falsePeople: { ...DETECTION_NOISE.falsePeople, perPicture: 0 } },
        { seed: 1, picture: zebra.world.camera },
      );
      return [...listFrames(zebra.world)].flatMap((frame) =>
        detector.detect(frame).filter(({ label }) => label === 'person'),
      ).length;
    };
    const measured = DETECTION_NOISE.groups.pedestrian;
    const never = measured.map((bin) => ({ ...bin, confidence: bin.confidence.map(() => 0) }));
    expect(count(never)).toBeLessThan(0.1 * count(measured));
  });

  it('finds everybody in sight, with boxes inside the picture’s reach, where it is perfect', () => {
    for (const frame of frames) {
      const inSight = frame.users.filter(({ visibleShare }) => visibleShare === 1);
      expect(detectPerfectly(frame).length).toBeGreaterThanOrEqual(inSight.length > 0 ? 1 : 0);
    }
  });
});
