import { describe, expect, it } from 'vitest';
import { GroundCamera } from './ground-camera.ts';
import { SceneRandom } from './scene-random.ts';

const camera = new GroundCamera({ heightM: 6, pitchDeg: 15, focalPx: 800, width: 1280, height: 720 });

describe('GroundCamera', () => {
  it('finds the point of the road again that it projected', () => {
    const random = new SceneRandom(1);
    for (let n = 0; n < 200; n++) {
      const [x, y] = [random.between(-15, 15), random.between(4, 60)];
      const pixel = camera.project([x, y, 0]);
      const [gx, gy] = (pixel && camera.groundAt(pixel)) ?? [Number.NaN, Number.NaN];
      expect(Math.hypot(gx - x, gy - y)).toBeLessThan(1e-6);
    }
  });

  it('shows what is upright above its foot, and what is further away smaller', () => {
    const heightAt = (y: number): number => {
      const [foot, head] = [camera.project([2, y, 0]), camera.project([2, y, 1.7])];
      return (foot?.[1] ?? 0) - (head?.[1] ?? 0);
    };
    expect(heightAt(10)).toBeGreaterThan(1.6 * heightAt(20));
    expect(heightAt(20)).toBeGreaterThan(0);
  });

  it('sees no road at the horizon, and nothing behind itself', () => {
    const horizon = 360 - 800 * Math.tan((15 * Math.PI) / 180);
    expect(camera.groundAt([640, horizon - 1])).toBeUndefined();
    expect(camera.project([0, -10, 0])).toBeUndefined();
  });
});
