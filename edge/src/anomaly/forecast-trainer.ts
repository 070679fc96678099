import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { TfjsEngine } from '../model/tfjs-engine.ts';
import { type ForecastNetwork, HIDDEN_SIZE, LAYOUT, QUANTILES, WEIGHT_COUNT } from './forecast-network.ts';
import { CONTEXT_SIZE } from './series-context.ts';

/** Lessons of one gradient step. */
export const BATCH = 192;
/** Adam as Kingma & Ba (ICLR 2015) give it; the rate falls with the root of the steps, and stays high enough to follow a series. */
const RATE_FIRST = 0.01;
const RATE_LAST = 0.002;
const RATE_STEPS = 100;
const DECAY_1 = 0.9;
const DECAY_2 = 0.999;
const EPSILON = 1e-7;

/** Contexts [steps · BATCH, CONTEXT_SIZE] and the reading that followed each [steps · BATCH], in units of the spread. */
export interface Lessons {
  readonly contexts: Float32Array;
  readonly targets: Float32Array;
}

/**
 * Takes one gradient step of the pinball loss (Koenker & Bassett, Econometrica 46, 1978) for each batch of lessons, and writes weights
 * and moments back into the network. `mayGoOn` is asked before each step. Returns the steps taken.
 */
export function trainNetwork(
  tf: TfjsEngine,
  network: ForecastNetwork,
  { contexts, targets }: Lessons,
  mayGoOn: () => boolean,
): number {
  return tf.tidy(() => {
    const { weights, firstMoment, secondMoment } = network;
    let state: Tensor1D[] = [tf.tensor1d(weights), tf.tensor1d(firstMoment), tf.tensor1d(secondMoment)];
    const steps = Math.floor(targets.length / BATCH);
    let taken = 0;
    while (taken < steps && mayGoOn()) {
      const from = taken * BATCH;
      const batch = {
        contexts: contexts.subarray(from * CONTEXT_SIZE, (from + BATCH) * CONTEXT_SIZE),
        targets: targets.subarray(from, from + BATCH),
      };
      const next = tf.tidy(() => step(tf, state, batch, network.steps + taken + 1));
      tf.dispose(state);
      state = next;
      taken++;
    }
    for (const [index, target] of [weights, firstMoment, secondMoment].entries())
      target.set(state[index]?.dataSync() ?? []);
    network.steps += taken;
    return taken;
  });
}

/** Weights and moments after step number `time` (from 1). */
function step(tf: TfjsEngine, state: readonly Tensor1D[], batch: Lessons, time: number): Tensor1D[] {
  const [weights, firstMoment, secondMoment] = state;
  if (weights === undefined || firstMoment === undefined || secondMoment === undefined)
    throw new Error('a network without weights');
  const gradient = computeGradient(tf, weights, batch);
  const first = tf.add(tf.mul(firstMoment, DECAY_1), tf.mul(gradient, 1 - DECAY_1));
  const second = tf.add(tf.mul(secondMoment, DECAY_2), tf.mul(tf.square(gradient), 1 - DECAY_2));
  const size = tf.add(tf.sqrt(tf.div(second, 1 - DECAY_2 ** time)), EPSILON);
  const rate = Math.max(RATE_LAST, RATE_FIRST / Math.sqrt(1 + time / RATE_STEPS));
  const change = tf.div(tf.mul(first, rate / (1 - DECAY_1 ** time)), size);
  return [tf.sub<Tensor1D>(weights, change), first as Tensor1D, second as Tensor1D];
}

/** Gradient of the mean loss of a batch by the flat weights [WEIGHT_COUNT], by hand: three layers need no tape. */
function computeGradient(tf: TfjsEngine, weights: Tensor1D, batch: Lessons): Tensor1D {
  const outs = QUANTILES.length;
  const contexts = tf.tensor2d(batch.contexts, [BATCH, CONTEXT_SIZE]);
  const targets = tf.tensor2d(batch.targets, [BATCH, 1]);
  const part = (from: number, rows: number, columns: number): Tensor2D =>
    tf.reshape(tf.slice1d(weights, from, rows * columns), [rows, columns]);
  const outWeights = part(LAYOUT.out, HIDDEN_SIZE, outs);
  const inner = tf.matMul(contexts, part(LAYOUT.hidden, CONTEXT_SIZE, HIDDEN_SIZE));
  const hidden = tf.tanh<Tensor2D>(tf.add(inner, part(LAYOUT.hiddenBias, 1, HIDDEN_SIZE)));
  const direct = tf.matMul(contexts, part(LAYOUT.direct, CONTEXT_SIZE, outs));
  const forecasts = tf.add(tf.add(tf.matMul(hidden, outWeights), direct), part(LAYOUT.outBias, 1, outs));
  const isAbove = tf.cast(tf.greater(forecasts, targets), 'float32');
  const outError = tf.div<Tensor2D>(tf.sub(isAbove, tf.tensor2d([...QUANTILES], [1, outs])), BATCH);
  const slope = tf.sub(1, tf.square(hidden));
  const hiddenError = tf.mul<Tensor2D>(tf.matMul(outError, outWeights, false, true), slope);
  const parts = [
    tf.matMul(contexts, hiddenError, true),
    tf.sum(hiddenError, 0),
    tf.matMul(hidden, outError, true),
    tf.matMul(contexts, outError, true),
    tf.sum(outError, 0),
  ];
  const gradient = tf.concat1d(parts.map((each): Tensor1D => tf.reshape(each, [each.size])));
  return tf.reshape(gradient, [WEIGHT_COUNT]);
}
