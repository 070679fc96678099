import { beforeAll, expect, it } from 'vitest';
import { openTfjsEngine, type TfjsEngine } from '../model/tfjs-engine.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createNetwork, type ForecastNetwork, forecast, QUANTILES } from './forecast-network.ts';
import { BATCH, type Lessons, trainNetwork } from './forecast-trainer.ts';
import { CONTEXT_SIZE } from './series-context.ts';

let tf: TfjsEngine;
beforeAll(async () => {
  tf = await openTfjsEngine();
});

/** What follows a context is its first number twice, and noise as large as its second number says. */
function drawLessons(random: SeededRandom, steps: number): Lessons {
  const contexts = Float32Array.from({ length: steps * BATCH * CONTEXT_SIZE }, () => random.between(-1, 1));
  const targets = Float32Array.from({ length: steps * BATCH }, (_, lesson) => {
    const [first = 0, second = 0] = contexts.subarray(lesson * CONTEXT_SIZE);
    return 2 * first + (0.6 + 0.5 * second) * random.gaussian();
  });
  return { contexts, targets };
}

function measureLoss(network: ForecastNetwork, { contexts, targets }: Lessons): number {
  let loss = 0;
  for (const [lesson, target] of targets.entries()) {
    const { low, middle, high } = forecast(
      network,
      contexts.subarray(lesson * CONTEXT_SIZE, (lesson + 1) * CONTEXT_SIZE),
    );
    for (const [index, each] of [low, middle, high].entries()) {
      const share = QUANTILES[index] ?? 0;
      loss += Math.max(share * (target - each), (share - 1) * (target - each)) / targets.length;
    }
  }
  return loss;
}

it('goes down the slope of the loss, as differences of the loss tell it', () => {
  const random = new SeededRandom(5);
  const network = createNetwork(() => random.next());
  const lessons = drawLessons(random, 1);
  const before = Float32Array.from(network.weights);
  trainNetwork(tf, network, lessons, () => true);
  // after the first step the first moment is a tenth of the gradient
  const nudge = 1e-2;
  for (const index of [0, 50, 380, 400, 432, 450, 470, before.length - 1]) {
    const at = (change: number): number => {
      const weights = Float32Array.from(before);
      weights[index] = (weights[index] ?? 0) + change;
      return measureLoss({ ...network, weights }, lessons);
    };
    const slope = (at(nudge) - at(-nudge)) / (2 * nudge);
    expect((network.firstMoment[index] ?? 0) * 10, `weight ${index}`).toBeCloseTo(slope, 1.6);
  }
});

it('learns quantiles that hold what they say, with a spread that follows the context', () => {
  const random = new SeededRandom(6);
  const network = createNetwork(() => random.next());
  for (let round = 0; round < 15; round++) trainNetwork(tf, network, drawLessons(random, 16), () => true);
  expect(network.steps).toBe(240);
  const fresh = drawLessons(random, 20);
  let below = 0;
  let above = 0;
  for (const [lesson, target] of fresh.targets.entries()) {
    const { low, high } = forecast(
      network,
      fresh.contexts.subarray(lesson * CONTEXT_SIZE, (lesson + 1) * CONTEXT_SIZE),
    );
    if (target < low) below++;
    if (target > high) above++;
  }
  expect(below / fresh.targets.length).toBeCloseTo(0.05, 1.3);
  expect(above / fresh.targets.length).toBeCloseTo(0.05, 1.3);
  const context = (first: number, second: number): Float32Array =>
    Float32Array.of(first, second, ...Array(CONTEXT_SIZE - 2).fill(0));
  const [quiet, loud] = [forecast(network, context(0.5, -0.8)), forecast(network, context(0.5, 0.8))];
  expect(loud.high - loud.low).toBeGreaterThan(2 * (quiet.high - quiet.low));
  expect(Math.abs(quiet.middle - 1)).toBeLessThan(0.25);
});

it('stops where it is told, and leaves no tensors behind', () => {
  const random = new SeededRandom(7);
  const network = createNetwork(() => random.next());
  const before = tf.memory().numTensors;
  let asked = 0;
  expect(trainNetwork(tf, network, drawLessons(random, 8), () => asked++ < 3)).toBe(3);
  expect(network.steps).toBe(3);
  expect(tf.memory().numTensors).toBe(before);
});
