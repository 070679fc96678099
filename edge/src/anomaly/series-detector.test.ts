import { beforeAll, describe, expect, it } from 'vitest';
import { openTfjsEngine, type TfjsEngine } from '../model/tfjs-engine.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { AnomalyEpisode } from './anomaly-episode.ts';
import { type Judgement, SeriesDetector } from './series-detector.ts';

const STEP_MS = 300_000;
const DAY = 288;
/** From here on a watch speaks. */
const FINDING = 6.1;

let tf: TfjsEngine;
beforeAll(async () => {
  tf = await openTfjsEngine();
});

/** Vehicles in five minutes: few at night, many by day, with noise. */
function aDay(random: SeededRandom, step: number): number {
  const day = 0.5 - 0.5 * Math.cos((2 * Math.PI * step) / DAY);
  return 10 + 90 * day + 5 * random.gaussian();
}

function learnAll(detector: SeriesDetector): void {
  while (detector.stepsWaiting > 0) detector.train(tf, () => true);
}

/** Lets a detector see the steps from `from` to `to`, learning after each twelve. */
function live(
  detector: SeriesDetector,
  { from, to, read }: { from: number; to: number; read: (step: number) => number },
): Map<number, Judgement> {
  const judgements = new Map<number, Judgement>();
  for (let step = from; step < to; step++) {
    const judgement = detector.observe(step * STEP_MS, read(step));
    if (judgement !== undefined) judgements.set(step, judgement);
    if (step % 12 === 0) learnAll(detector);
  }
  return judgements;
}

describe('a detector', () => {
  it('learns the hours of a day, and tells the reading that does not belong to its hour', () => {
    const random = new SeededRandom(1);
    const read = (step: number): number => aDay(random, step);
    const detector = new SeriesDetector(1);
    const judgements = live(detector, { from: 0, to: 3 * DAY, read });
    expect([...judgements.keys()][0]).toBe(DAY);
    expect(Math.max(...[...judgements.values()].map(({ evidence }) => evidence))).toBeLessThan(FINDING);
    expect(Math.abs((judgements.get(2.5 * DAY)?.usual.middle ?? 0) - 100)).toBeLessThan(15);
    expect(Math.abs((judgements.get(2 * DAY + 2)?.usual.middle ?? 0) - 10)).toBeLessThan(15);
    // 3 is an everyday number by night, but not at noon
    const noon = 3.5 * DAY;
    const isOut = (step: number): boolean => step >= noon && step < noon + 12;
    const later = live(detector, {
      from: 3 * DAY,
      to: noon + 24,
      read: (step) => (isOut(step) ? 3 : read(step)),
    });
    const [found] = [...later].filter(([, { evidence }]) => evidence >= FINDING);
    expect(found?.[0]).toBeGreaterThanOrEqual(noon);
    expect(found?.[0]).toBeLessThan(noon + 3);
    expect(found?.[1].usual.low).toBeGreaterThan(40);
    expect([...later].filter(([step, { evidence }]) => !isOut(step) && evidence >= FINDING)).toEqual([]);
  });

  it('goes on after a restart with the same judgements, and learns the same', () => {
    const random = new SeededRandom(2);
    const values = Array.from({ length: 2 * DAY }, (_, step) => aDay(random, step));
    const read = (step: number): number => values[step] ?? 0;
    const first = new SeriesDetector(7);
    live(first, { from: 0, to: 1.4 * DAY, read });
    const state = structuredClone(first.list());
    const second = SeriesDetector.restore(state);
    if (second === undefined) throw new Error('the state was not taken back');
    const period = { from: Math.ceil(1.4 * DAY), to: 1.8 * DAY, read };
    expect([...live(second, period)]).toEqual([...live(first, period)]);
    expect(second.version).toBe(first.version);
  });

  it('takes a change that lasts as the new usual, once, and learns it', () => {
    const random = new SeededRandom(3);
    const read = (step: number): number => aDay(random, step) + (step >= 3 * DAY ? 150 : 0);
    const judgements = live(new SeriesDetector(3), { from: 0, to: 6 * DAY, read });
    const changes = [...judgements].filter(([, { regimeSinceMs }]) => regimeSinceMs !== undefined);
    expect(changes).toHaveLength(1);
    const [step, change] = changes[0] ?? [0, undefined];
    expect(change?.regimeSinceMs).toBe(3 * DAY * STEP_MS);
    expect(step).toBeGreaterThanOrEqual(3.5 * DAY);
    expect(step).toBeLessThan(4 * DAY);
    const later = [...judgements].filter(([at]) => at > 4.2 * DAY);
    expect(later.length).toBeGreaterThan(DAY);
    const episode = new AnomalyEpisode();
    const told = later.filter(([, { evidence }]) => episode.take(evidence) >= FINDING);
    expect(told.length).toBeLessThanOrEqual(4);
    expect(later.at(-1)?.[1].usual.middle).toBeGreaterThan(120);
  });

  it('takes no reading twice, none of the past, and passes over a gap', () => {
    const random = new SeededRandom(4);
    const read = (step: number): number => aDay(random, step);
    const detector = new SeriesDetector(4);
    live(detector, { from: 0, to: 2 * DAY, read });
    expect(detector.observe((2 * DAY - 1) * STEP_MS, 500)).toBeUndefined();
    expect(detector.observe(STEP_MS, 500)).toBeUndefined();
    const after = live(detector, { from: 2 * DAY + 40, to: 2 * DAY + 60, read });
    expect([...after.values()].filter(({ evidence }) => evidence >= FINDING)).toEqual([]);
    expect(after.size).toBe(20);
  });

  it('refuses a state whose numbers do not fit', () => {
    const state = new SeriesDetector(5).list();
    const weights = state.arrays['weights'] ?? new Float32Array(0);
    const broken = [
      { ...state, numbers: { ...state.numbers, spread: 0 } },
      { ...state, numbers: { ...state.numbers, steps: -1 } },
      { ...state, arrays: { ...state.arrays, weights: weights.slice(1) } },
      { ...state, arrays: { ...state.arrays, weights: weights.map(() => Number.NaN) } },
      { ...state, arrays: { ...state.arrays, history: Float64Array.of(2, 1, 5, 5, 0, 0) } },
      { ...state, arrays: { ...state.arrays, history: Float64Array.of(1, 2) } },
    ];
    for (const each of broken) expect(SeriesDetector.restore(each)).toBeUndefined();
    expect(SeriesDetector.restore(state)).toBeDefined();
  });
});
