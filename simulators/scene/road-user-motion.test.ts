import { describe, expect, it } from 'vitest';
import { GroundPath } from './ground-path.ts';
import { type DriverScript, driveAlong } from './road-user-motion.ts';

const script: DriverScript = {
  startMs: 0,
  endMs: 20_000,
  startM: 0,
  startSpeedMps: 8,
  desiredSpeedMps: 8,
  acceleration: 1.8,
  wheelBaseM: 2.6,
  frontOverhangM: 0.8,
};

describe('driveAlong', () => {
  it('keeps an even speed', () => {
    expect(driveAlong(script).alongAt(10_000)).toBeCloseTo(80, 3);
  });

  it.each([12, 30.4, 55])(
    'stands with its front wheel exactly at an obstacle %d m away, and goes on after it',
    (atM) => {
      const motion = driveAlong({ ...script, obstacles: [{ atM, fromMs: 0, untilMs: 15_000 }] });
      expect((motion.alongAt(14_900) ?? 0) + script.wheelBaseM).toBeCloseTo(atM, 1);
      expect(motion.speedAt(14_900)).toBeLessThan(0.05);
      expect(motion.alongAt(19_000) ?? 0).toBeGreaterThan(atM);
    },
  );

  it('passes an obstacle that comes too late to brake', () => {
    const motion = driveAlong({ ...script, obstacles: [{ atM: 50, fromMs: 5_800, untilMs: 20_000 }] });
    expect(motion.alongAt(10_000)).toBeCloseTo(80, 0);
  });

  it('never runs into whoever stands before it', () => {
    const leader = driveAlong({
      ...script,
      startM: 20,
      obstacles: [{ atM: 60, fromMs: 0, untilMs: 30_000 }],
    });
    const follower = driveAlong({ ...script, leader: { motion: leader, rearOverhangM: 0.9 } });
    for (let atMs = 0; atMs <= 20_000; atMs += 100) {
      const front = (follower.alongAt(atMs) ?? 0) + script.wheelBaseM + script.frontOverhangM;
      expect(front).toBeLessThan((leader.alongAt(atMs) ?? 0) - 0.9);
    }
  });
});

describe('GroundPath', () => {
  it('turns by its angle at an even distance from the middle of the arc, and goes on straight', () => {
    const path = new GroundPath({ point: [0, 0], headingRad: 0 }, [
      { lengthM: 10 },
      { radiusM: 5, angleDeg: 90 },
    ]);
    const end = path.poseAt(path.lengthM + 4);
    expect(end.headingRad).toBeCloseTo(Math.PI / 2, 9);
    expect(end.point[0]).toBeCloseTo(15, 9);
    expect(end.point[1]).toBeCloseTo(9, 9);
    const [x, y] = path.poseAt(13).point;
    expect(Math.hypot(x - 10, y - 5)).toBeCloseTo(5, 9);
  });
});
