import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { computeMedian } from './order-statistics.ts';
import { SiteOffset } from './site-offset.ts';

const HEALTHY_C = 35.2;
const SPREAD_C = 0.45;

interface Stretch {
  readonly passages: number;
  readonly feverShare: number;
  /** Everybody reads this much more: the room, or the camera. */
  readonly shiftC?: number;
}

/** Readings of a site, stretch by stretch. Fevers read 1–2.5 °C higher. */
function* drawReadings(seed: number, stretches: readonly Stretch[]): Generator<number> {
  const random = new SeededRandom(seed);
  for (const { passages, feverShare, shiftC = 0 } of stretches)
    for (let i = 0; i < passages; i++)
      yield HEALTHY_C +
        shiftC +
        SPREAD_C * random.gaussian() +
        (random.next() < feverShare ? random.between(1, 2.5) : 0);
}

function learn(seed: number, stretches: readonly Stretch[]): SiteOffset {
  const site = new SiteOffset();
  for (const reading of drawReadings(seed, stretches)) site.observe(reading);
  return site;
}

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);
const settled: Stretch = { passages: 400, feverShare: 0.03 };

describe('the middle of a site', () => {
  it('is learned from who passes, without knowing who is ill', () => {
    for (const seed of SEEDS) {
      const { phase, medianC, spreadC } = learn(seed, [settled]).state;
      expect(phase).toBe('following');
      expect(Math.abs((medianC ?? 0) - HEALTHY_C)).toBeLessThan(0.1);
      expect(Math.abs((spreadC ?? 0) - SPREAD_C)).toBeLessThan(0.12);
    }
  });

  it('is not known before enough people passed', () => {
    expect(new SiteOffset().state).toEqual({ phase: 'learning', readings: 0, highShare: 0 });
    expect(learn(1, [{ passages: 40, feverShare: 0 }]).state.phase).toBe('learning');
  });

  it('does not learn an epidemic away', () => {
    for (const seed of SEEDS) {
      const epidemic: Stretch = { passages: 600, feverShare: 0.4 };
      const site = learn(seed, [settled, epidemic]);
      expect(site.state.phase).toBe('held');
      expect(Math.abs((site.state.medianC ?? 0) - HEALTHY_C)).toBeLessThan(0.12);
      // a plain running median would have moved by far more than its own error
      const plain = computeMedian([...drawReadings(seed, [settled, epidemic])].slice(-400)) ?? 0;
      expect(plain - HEALTHY_C).toBeGreaterThan(0.25);
    }
  });

  it('follows again when the epidemic is over', () => {
    for (const seed of SEEDS) {
      const site = learn(seed, [
        settled,
        { passages: 300, feverShare: 0.4 },
        { passages: 200, feverShare: 0.03 },
      ]);
      expect(site.state.phase).toBe('following');
    }
  });

  it('follows a room or a camera that moves everybody alike, though not far', () => {
    for (const seed of SEEDS) {
      for (const shiftC of [-0.4, 0.4]) {
        const site = learn(seed, [settled, { passages: 500, feverShare: 0.03, shiftC }]);
        expect(Math.abs((site.state.medianC ?? 0) - HEALTHY_C - shiftC)).toBeLessThan(0.15);
      }
    }
  });

  it('waits for staff where everybody reads far higher', () => {
    const site = learn(3, [settled, { passages: 400, feverShare: 0.03, shiftC: 1.2 }]);
    expect(site.state.phase).toBe('held');
    expect(Math.abs((site.state.medianC ?? 0) - HEALTHY_C)).toBeLessThan(0.15);
    site.accept();
    expect(site.state.phase).toBe('following');
    expect(Math.abs((site.state.medianC ?? 0) - HEALTHY_C - 1.2)).toBeLessThan(0.2);
  });

  it('is seldom held in health', () => {
    let held = 0;
    let passages = 0;
    for (const seed of SEEDS) {
      const site = new SiteOffset();
      for (const reading of drawReadings(seed, [{ passages: 2_000, feverShare: 0.02 }])) {
        site.observe(reading);
        passages++;
        if (site.state.phase === 'held') held++;
      }
    }
    expect(held / passages).toBeLessThan(0.03);
  });
});
