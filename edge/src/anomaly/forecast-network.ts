import { CONTEXT_SIZE } from './series-context.ts';

export const HIDDEN_SIZE = 24;
/** The network tells these quantiles of the next reading. */
export const QUANTILES = [0.05, 0.5, 0.95] as const;

const OUT_SIZE = QUANTILES.length;
const HIDDEN_BIAS = CONTEXT_SIZE * HIDDEN_SIZE;
const OUT = HIDDEN_BIAS + HIDDEN_SIZE;
const DIRECT = OUT + HIDDEN_SIZE * OUT_SIZE;
const OUT_BIAS = DIRECT + CONTEXT_SIZE * OUT_SIZE;

/**
 * Where each part begins in the flat vector of weights: context → hidden [CONTEXT_SIZE, HIDDEN_SIZE] and its bias; hidden → quantiles
 * [HIDDEN_SIZE, 3]; context → quantiles directly [CONTEXT_SIZE, 3]; bias [3]. Row-major.
 */
export const LAYOUT = {
  hidden: 0,
  hiddenBias: HIDDEN_BIAS,
  out: OUT,
  direct: DIRECT,
  outBias: OUT_BIAS,
} as const;
export const WEIGHT_COUNT = OUT_BIAS + OUT_SIZE;

/** Weights of a forecaster with the moments of its optimiser (Adam), each [WEIGHT_COUNT] float32. */
export interface ForecastNetwork {
  readonly weights: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Gradient steps taken: the version of the weights. */
  steps: number;
}

/** A reading that lies between `low` and `high` nine times in ten; in units of the spread, or of the series. */
export interface Band {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** `random` gives numbers in [0, 1). Weights are drawn as Glorot & Bengio (AISTATS 2010) give them for tanh. */
export function createNetwork(random: () => number): ForecastNetwork {
  const weights = new Float32Array(WEIGHT_COUNT);
  const fill = (from: number, to: number, inputs: number, outputs: number): void => {
    const limit = Math.sqrt(6 / (inputs + outputs));
    for (let index = from; index < to; index++) weights[index] = (2 * random() - 1) * limit;
  };
  fill(LAYOUT.hidden, LAYOUT.hiddenBias, CONTEXT_SIZE, HIDDEN_SIZE);
  fill(LAYOUT.out, LAYOUT.direct, HIDDEN_SIZE, OUT_SIZE);
  for (const [index, quantile] of QUANTILES.entries())
    weights[LAYOUT.outBias + index] = 3.29 * (quantile - 0.5);
  return {
    weights,
    firstMoment: new Float32Array(WEIGHT_COUNT),
    secondMoment: new Float32Array(WEIGHT_COUNT),
    steps: 0,
  };
}

/** What the network expects in a context [CONTEXT_SIZE], in units of the spread. 500 multiplications: no tensor is worth it. */
export function forecast({ weights }: ForecastNetwork, context: Float32Array): Band {
  const out = QUANTILES.map((_, index) => weights[LAYOUT.outBias + index] ?? 0);
  const add = (row: number, factor: number): void => {
    for (let index = 0; index < OUT_SIZE; index++)
      out[index] = (out[index] ?? 0) + factor * (weights[row + index] ?? 0);
  };
  for (let index = 0; index < CONTEXT_SIZE; index++)
    add(LAYOUT.direct + index * OUT_SIZE, context[index] ?? 0);
  for (let unit = 0; unit < HIDDEN_SIZE; unit++) {
    let sum = weights[LAYOUT.hiddenBias + unit] ?? 0;
    for (let index = 0; index < CONTEXT_SIZE; index++)
      sum += (context[index] ?? 0) * (weights[index * HIDDEN_SIZE + unit] ?? 0);
    add(LAYOUT.out + unit * OUT_SIZE, Math.tanh(sum));
  }
  const [low = 0, middle = 0, high = 0] = out.sort((a, b) => a - b);
  return { low, middle, high };
}

/** True where weights and moments have their size and are numbers. */
export function isNetworkWhole({ weights, firstMoment, secondMoment, steps }: ForecastNetwork): boolean {
  const arrays = [weights, firstMoment, secondMoment];
  const isWhole = arrays.every((array) => array.length === WEIGHT_COUNT && array.every(Number.isFinite));
  return isWhole && secondMoment.every((moment) => moment >= 0) && Number.isInteger(steps) && steps >= 0;
}
