import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { combineFrames, DEFAULT_FEVER_MODEL, FeverDecision } from './fever-decision.ts';

describe('the frames of a passage', () => {
  it('give their mean without those that lie apart', () => {
    expect(combineFrames([35.1, 35.2, 35.15, 33.0, 35.1], 0.15)).toMatchObject({ kept: 4, rejected: 1 });
    expect(combineFrames([35.1, 35.2, 35.15, 33.0, 35.1], 0.15)?.celsius).toBeCloseTo(35.1375, 6);
    expect(combineFrames([Number.NaN, 35], 0.15)).toMatchObject({ celsius: 35, kept: 1 });
    expect(combineFrames([], 0.15)).toBeUndefined();
  });

  it('are hardly moved by an outlier however far it lies', () => {
    forAll(300, (random) => {
      const truth = random.between(33, 39);
      const frames = Array.from({ length: random.integer(5, 10) }, () => truth + 0.04 * random.gaussian());
      frames[random.integer(0, frames.length - 1)] = truth + random.between(2, 500);
      const combined = combineFrames(frames, 0.15);
      expect(Math.abs((combined?.celsius ?? 0) - truth)).toBeLessThan(0.12);
      expect(combined?.rejected).toBeGreaterThanOrEqual(1);
    });
  });

  it('are the surer the more there are', () => {
    const of = (count: number) =>
      combineFrames(
        Array.from({ length: count }, (_, i) => 35 + (i % 2) * 0.1),
        0.15,
      )?.standardC ?? 0;
    expect(of(10)).toBeLessThan(of(4));
    expect(of(1)).toBeCloseTo(0.15, 9);
  });
});

describe('the decision of a passage', () => {
  const canthi = (celsius: number, standardC = 0.1) => ({ innerCanthi: { celsius, standardC } });

  function settle(): FeverDecision {
    const decision = new FeverDecision();
    for (let i = 0; i < 100; i++) {
      const offset = ((i % 11) - 5) * 0.1;
      decision.learn({
        innerCanthi: { celsius: 35.2 + offset, standardC: 0.1 },
        faceMaximum: { celsius: 35.5 + offset, standardC: 0.2 },
      });
    }
    return decision;
  }

  it('is none while the site is not known', () => {
    expect(new FeverDecision().decide(canthi(38))).toBeUndefined();
  });

  it('lets the middle of the site pass, and sends who reads high to the thermometer', () => {
    const decision = settle();
    const usual = decision.decide(canthi(35.2));
    expect(usual?.celsius).toBeCloseTo(DEFAULT_FEVER_MODEL.healthyC, 1);
    expect(usual?.outcome).toBe('pass');
    expect(decision.decide(canthi(36.2))?.outcome).toBe('measure');
  });

  it('sends the less sure of two like readings there sooner', () => {
    const decision = settle();
    const limit = 35.2 + DEFAULT_FEVER_MODEL.thresholdC - DEFAULT_FEVER_MODEL.healthyC - 0.2;
    expect(decision.decide(canthi(limit, 0.05))?.outcome).toBe('pass');
    expect(decision.decide(canthi(limit, 0.4))?.outcome).toBe('measure');
  });

  it('takes the mean of what canthi and face maximum say, each against its own middle', () => {
    const decision = settle();
    const both = decision.decide({
      innerCanthi: { celsius: 36.2, standardC: 0.1 },
      faceMaximum: { celsius: 35.5, standardC: 0.2 },
    });
    expect(both?.celsius).toBeCloseTo(DEFAULT_FEVER_MODEL.healthyC + 0.5, 1);
    const alone = decision.decide({ faceMaximum: { celsius: 36.5, standardC: 0.2 } });
    expect(alone?.celsius).toBeCloseTo(DEFAULT_FEVER_MODEL.healthyC + 1, 1);
    expect(alone?.readingC).toBeGreaterThan(decision.decide(canthi(36.2))?.readingC ?? 1);
  });
});
