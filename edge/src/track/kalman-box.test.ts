import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { forAll, SeededRandom } from '../testing/seeded-random.ts';
import { KalmanBox } from './kalman-box.ts';

const START: Box = [300, 200, 340, 300];
type Motion = (atMs: number) => Box;

function moveEvenly(vx: number, vy: number): Motion {
  return (atMs) => {
    const [dx, dy] = [(vx * atMs) / 1000, (vy * atMs) / 1000];
    return [START[0] + dx, START[1] + dy, START[2] + dx, START[3] + dy];
  };
}

/** Follows a motion for `untilMs` and predicts `aheadMs` further. */
function follow(motion: Motion, instantsMs: readonly number[], aheadMs: number): KalmanBox {
  const filter = new KalmanBox(motion(instantsMs[0] ?? 0));
  for (let i = 1; i < instantsMs.length; i++) {
    filter.predict((instantsMs[i] ?? 0) - (instantsMs[i - 1] ?? 0));
    filter.update(motion(instantsMs[i] ?? 0));
  }
  filter.predict(aheadMs);
  return filter;
}

function sampleEvenly(fps: number, untilMs: number): number[] {
  const count = Math.round((untilMs * fps) / 1000);
  return Array.from({ length: count + 1 }, (_, i) => (i * 1000) / fps);
}

const largestGap = (a: Box, b: Box): number =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? 0))));

describe('KalmanBox', () => {
  it('predicts the same place for one motion sampled at 6, 12 and 25 frames a second', () => {
    const motion = moveEvenly(90, -140);
    for (const fps of [6, 12, 25]) {
      const filter = follow(motion, sampleEvenly(fps, 2000), 500);
      expect(largestGap(filter.box, motion(2500)), `${fps} fps`).toBeLessThan(3);
      expect(filter.velocity[0], `${fps} fps`).toBeCloseTo(90, -1);
      expect(filter.velocity[1], `${fps} fps`).toBeCloseTo(-140, -1);
    }
  });

  it('predicts the same place at every rate for who brakes too', () => {
    // from 200 px/s to standing within 2 s
    const motion: Motion = (atMs) => {
      const t = Math.min(2, atMs / 1000);
      const dy = -(200 * t - 50 * t * t);
      return [START[0], START[1] + dy, START[2], START[3] + dy];
    };
    const bottoms = [6, 12, 25].map((fps) => follow(motion, sampleEvenly(fps, 2000), 300).box[3]);
    expect(Math.max(...bottoms) - Math.min(...bottoms)).toBeLessThan(8);
  });

  it('follows even motion over time steps of any length', () => {
    forAll(100, (random) => {
      const motion = moveEvenly(random.between(-200, 200), random.between(-200, 200));
      const instants = [0];
      while ((instants.at(-1) ?? 0) < 2000) instants.push((instants.at(-1) ?? 0) + random.between(15, 300));
      const end = (instants.at(-1) ?? 0) + 400;
      expect(largestGap(follow(motion, instants, 400).box, motion(end))).toBeLessThan(5);
    });
  });

  it('predicts as far in many small steps as in one', () => {
    const instants = sampleEvenly(12, 1000);
    const once = follow(moveEvenly(100, 50), instants, 600);
    const often = follow(moveEvenly(100, 50), instants, 0);
    for (let i = 0; i < 60; i++) often.predict(10);
    expect(largestGap(often.box, once.box)).toBeLessThan(2);
  });

  it('grows less sure while nothing is seen, and surer with every sight', () => {
    const filter = new KalmanBox(START);
    const begun = filter.positionSigma;
    filter.predict(300);
    const blind = filter.positionSigma;
    filter.update(START);
    expect(blind).toBeGreaterThan(begun);
    expect(filter.positionSigma).toBeLessThan(blind);
  });

  it('lies nearer to the truth than noisy boxes do', () => {
    const random = new SeededRandom(7);
    const motion = moveEvenly(80, -60);
    const instants = sampleEvenly(12.5, 8000);
    const filter = new KalmanBox(motion(0));
    let [filtered, measured] = [0, 0];
    for (let i = 1; i < instants.length; i++) {
      const truth = motion(instants[i] ?? 0);
      const noisy = truth.map((value) => value + 6 * random.gaussian()) as unknown as Box;
      filter.predict((instants[i] ?? 0) - (instants[i - 1] ?? 0));
      filter.update(noisy);
      if (i < 20) continue;
      filtered += (filter.box[3] - truth[3]) ** 2;
      measured += (noisy[3] - truth[3]) ** 2;
    }
    expect(filtered).toBeLessThan(0.8 * measured);
  });

  it('believes an inferred box less than a seen one', () => {
    const moved: Box = [300, 240, 340, 340];
    const [seen, inferred] = [new KalmanBox(START), new KalmanBox(START)];
    for (const filter of [seen, inferred]) filter.predict(80);
    seen.update(moved);
    inferred.update(moved, 3);
    expect(seen.box[3]).toBeGreaterThan(inferred.box[3]);
    expect(inferred.box[3]).toBeGreaterThan(START[3]);
  });

  it('does not go back in time and keeps a box of at least 2 px', () => {
    const filter = follow(moveEvenly(100, 0), sampleEvenly(12, 1000), 0);
    const before = filter.box;
    filter.predict(-500);
    expect(filter.box).toEqual(before);
    const shrinking = new KalmanBox([0, 0, 40, 40]);
    for (const size of [30, 20, 10, 3]) {
      shrinking.predict(80);
      shrinking.update([0, 0, size, size]);
    }
    shrinking.predict(5000);
    const [x1, y1, x2, y2] = shrinking.box;
    expect(x2 - x1).toBeGreaterThanOrEqual(2);
    expect(y2 - y1).toBeGreaterThanOrEqual(2);
  });
});
