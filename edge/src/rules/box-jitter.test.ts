import { describe, expect, it } from 'vitest';
import { aFrameMark, anObservation } from '../testing/builder.ts';
import { forAll } from '../testing/seeded-random.ts';
import { BoxJitter } from './box-jitter.ts';

describe('BoxJitter', () => {
  it('measures the jitter of who stands and of who moves, at any frame rate', () => {
    forAll(12, (random) => {
      const [fps, sigma, speed] = [
        [6, 12.5, 25][random.integer(0, 2)] ?? 25,
        random.between(1, 6),
        random.between(0, 200),
      ];
      const jitter = new BoxJitter();
      for (let i = 0; i < 200; i++) {
        const atMs = (i * 1000) / fps;
        const [x, y] = [(speed * atMs) / 1000 + sigma * random.gaussian(), 300 + sigma * random.gaussian()];
        jitter.add(
          anObservation({ frame: aFrameMark({ mediaTimeMs: atMs }), box: [x - 20, y - 80, x + 20, y] }),
        );
      }
      // the larger direction is taken, so the estimate is on the high side
      expect(jitter.sigmaPx).toBeGreaterThan(0.7 * sigma);
      expect(jitter.sigmaPx).toBeLessThan(2 * sigma);
    });
  });

  it('believes a usual jitter before it has measured, and less than that of who does not jitter', () => {
    const jitter = new BoxJitter();
    const add = (atMs: number): void =>
      jitter.add(anObservation({ frame: aFrameMark({ mediaTimeMs: atMs }), box: [100, 200, 140, 300] }));
    add(0);
    expect(jitter.sigmaPx).toBeCloseTo(2, 6);
    for (let i = 1; i < 40; i++) add(i * 80);
    expect(jitter.sigmaPx).toBeLessThan(1);
  });

  it('learns nothing across a long pause', () => {
    const jitter = new BoxJitter();
    for (let i = 0; i < 10; i++) {
      const y = 300 + 30 * (i % 2);
      jitter.add(anObservation({ frame: aFrameMark({ mediaTimeMs: i * 900 }), box: [100, y - 100, 140, y] }));
    }
    expect(jitter.sigmaPx).toBeCloseTo(2, 6);
  });
});
