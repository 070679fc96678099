import type { TfjsEngine } from '../model/tfjs-engine.ts';
import {
  type Band,
  createNetwork,
  type ForecastNetwork,
  forecast,
  isNetworkWhole,
} from './forecast-network.ts';
import { BATCH, type Lessons, trainNetwork } from './forecast-trainer.ts';
import { computeNormalRarity } from './normal-tail.ts';
import { RegimeWatch } from './regime-watch.ts';
import { CONTEXT_SIZE, type Knowledge, type Scale, writeContext } from './series-context.ts';
import { SeriesHistory } from './series-history.ts';
import { SeriesRandom } from './series-random.ts';
import { TailModel } from './tail-model.ts';

// The one set of parameters, for every series; chosen on generated series (docs/anomalies.md).
/** Readings remembered: two weeks of one every five minutes. */
const HISTORY = 4_032;
const TAIL = 2_016;
/** Nothing is judged before so many readings, over a whole day. */
const READINGS_MIN = 96;
const SPAN_MIN_MS = 86_400_000;
/** Readings over which a level, and unrest, are taken. */
const LEVEL_COUNT = 12;
const UNREST_COUNT = 6;
/** One surprise counts as this many standard deviations at most where several are averaged. */
const SURPRISE_LIMIT = 4;
/** The forecast's own spread is at least this share of the series' spread. */
const SPREAD_SHARE_MIN = 0.05;
/** Gradient steps that a reading earns, those with which a network begins, and how many may wait. */
const STEPS_PER_READING = 0.25;
const FIRST_STEPS = 200;
const STEPS_WAITING_MAX = 600;
/** Steps in one go: they hold the process up. */
const STEPS_AT_ONCE = 8;
/** Rarer than one in 10^6 by itself is not taken into what is usual. */
const RARITY_LEARNED_MAX = 6;
/** So much of each kind of evidence counts, in powers of ten: no single one can speak for all. */
const EVIDENCE_LIMITS = { value: 8, forecast: 4 } as const;
const PATTERN_WEIGHT = 0.5;
/** Targets of the network, in units of the spread. */
const TARGET_LIMIT = 10;
/** This share of the lessons comes from the last quarter of the history. */
const RECENT_SHARE = 0.3;
/** Nine times in ten a reading lies in the band: so many standard deviations of a normal one on each side. */
const BAND_DEVIATIONS = 1.645;
const KNOWLEDGE: readonly Knowledge[] = ['hour', 'recent', 'lagged'];

/** What makes a reading unusual: its size, the jump, the level of the last hour, the unrest. */
export type Cause = 'value' | 'jump' | 'level' | 'unrest';

export interface Judgement {
  /** Sum of −log10 of the chances of what was seen, weighed and bounded; 0 to `EVIDENCE_MAX`. */
  readonly evidence: number;
  readonly cause: Cause;
  /** What is usual at this hour, in the unit of the series. */
  readonly usual: Band;
  /** What was to come next after the readings before. */
  readonly next: Band;
  /** Since when readings lie apart from what was usual, where that has become the new usual with this one. */
  readonly regimeSinceMs?: number;
}

/** Everything that a detector knows, for the disk. */
export interface DetectorState {
  readonly numbers: Readonly<Record<string, number>>;
  readonly arrays: Readonly<Record<string, Float64Array | Float32Array>>;
}

/**
 * Learns one series and says of each reading how unusual it is, knowing only the readings before it. A small network foretells
 * quantiles of the next reading from the time of day and week and the level before; what it did not foresee is measured against its
 * own usual errors. Pure but for the training, which runs apart: without it readings are judged by the last weights.
 */
export class SeriesDetector {
  readonly #history = new SeriesHistory(HISTORY);
  readonly #random: SeriesRandom;
  #network: ForecastNetwork;
  readonly #tails = { jump: new TailModel(TAIL), level: new TailModel(TAIL), unrest: new TailModel(TAIL) };
  readonly #context = new Float32Array(CONTEXT_SIZE);
  readonly #regime = new RegimeWatch();
  #levels: number[] = [];
  #jumps: number[] = [];
  #scale: Scale = { middle: 0, spread: 1 };
  #seen = 0;
  #stepsWaiting = 0;

  constructor(seed: number) {
    this.#random = new SeriesRandom(seed);
    this.#network = createNetwork(() => this.#random.next());
  }

  /** Gradient steps that wait to be taken. */
  get stepsWaiting(): number {
    return Math.floor(this.#stepsWaiting);
  }

  /** Gradient steps taken: the version of the weights. */
  get version(): number {
    return this.#network.steps;
  }

  /** Takes a reading; undefined while learning. A reading that is not later than the last one is left out. */
  observe(atMs: number, value: number): Judgement | undefined {
    const { lastAtMs } = this.#history;
    if (lastAtMs !== undefined && atMs <= lastAtMs) return undefined;
    const rarity = this.#rateValue(value);
    this.#history.push(atMs, value);
    this.#seen++;
    if (this.#seen < READINGS_MIN) return undefined;
    if (this.#isScaleDue()) this.#scale = computeScale(this.#history);
    const earned = this.#seen === READINGS_MIN ? FIRST_STEPS : STEPS_PER_READING;
    this.#stepsWaiting = Math.min(STEPS_WAITING_MAX, this.#stepsWaiting + earned);
    const spanMs = atMs - (this.#history.firstAtMs ?? atMs);
    if (this.#network.steps === 0 || spanMs < SPAN_MIN_MS) return undefined;
    return this.#judge(atMs, value, rarity);
  }

  /**
   * Takes gradient steps that wait, a few at once; `mayGoOn` is asked before each. Returns how many were taken, 0 where none waits.
   */
  train(tf: TfjsEngine, mayGoOn: () => boolean): number {
    const steps = Math.min(STEPS_AT_ONCE, this.stepsWaiting);
    if (steps === 0) return 0;
    const taken = trainNetwork(tf, this.#network, this.#drawLessons(steps * BATCH), mayGoOn);
    this.#stepsWaiting -= taken;
    return taken;
  }

  /** What `restore` takes back; both go on with the same judgements. */
  list(): DetectorState {
    const { weights, firstMoment, secondMoment, steps } = this.#network;
    const { jump, level, unrest } = this.#tails;
    return {
      numbers: {
        steps,
        random: this.#random.state,
        seen: this.#seen,
        stepsWaiting: this.#stepsWaiting,
        middle: this.#scale.middle,
        spread: this.#scale.spread,
        usualIntervalMs: this.#history.usualIntervalMs,
      },
      arrays: {
        weights: weights.slice(),
        firstMoment: firstMoment.slice(),
        secondMoment: secondMoment.slice(),
        history: this.#history.list(),
        jumpTail: jump.list(),
        levelTail: level.list(),
        unrestTail: unrest.list(),
        levels: Float64Array.from(this.#levels),
        jumps: Float64Array.from(this.#jumps),
        regime: this.#regime.list(),
      },
    };
  }

  /** Undefined where the state is none of this detector's. */
  static restore({ numbers, arrays }: DetectorState): SeriesDetector | undefined {
    const number = (name: string): number => numbers[name] ?? Number.NaN;
    const wide = (name: string): Float64Array => Float64Array.from(arrays[name] ?? []);
    const network: ForecastNetwork = {
      weights: Float32Array.from(arrays['weights'] ?? []),
      firstMoment: Float32Array.from(arrays['firstMoment'] ?? []),
      secondMoment: Float32Array.from(arrays['secondMoment'] ?? []),
      steps: number('steps'),
    };
    const names = ['random', 'seen', 'stepsWaiting', 'middle', 'spread', 'usualIntervalMs'];
    if (!names.every((name) => Number.isFinite(number(name))) || !(number('spread') > 0)) return undefined;
    const history = wide('history');
    if (!isNetworkWhole(network) || !isHistoryWhole(history)) return undefined;
    const detector = new SeriesDetector(0);
    detector.#network = network;
    detector.#random.state = number('random') >>> 0;
    detector.#seen = number('seen');
    detector.#stepsWaiting = Math.max(0, number('stepsWaiting'));
    detector.#scale = { middle: number('middle'), spread: number('spread') };
    detector.#history.restore(history, number('usualIntervalMs'));
    detector.#tails.jump.restore(wide('jumpTail'));
    detector.#tails.level.restore(wide('levelTail'));
    detector.#tails.unrest.restore(wide('unrestTail'));
    detector.#levels = [...wide('levels')].slice(-LEVEL_COUNT);
    detector.#jumps = [...wide('jumps')].slice(-UNREST_COUNT);
    detector.#regime.restore(wide('regime'));
    return detector;
  }

  #judge(atMs: number, value: number, rarity: number): Judgement {
    const usual = this.#expect(atMs, 'hour');
    const next = this.#expect(atMs, 'recent');
    const scaled = (value - this.#scale.middle) / this.#scale.spread;
    const jump = Math.abs(measureSurprise(scaled, next));
    const surprise = measureSurprise(scaled, this.#expect(atMs, 'lagged'));
    remember(this.#levels, clamp(surprise, SURPRISE_LIMIT), LEVEL_COUNT);
    remember(this.#jumps, Math.min(jump, SURPRISE_LIMIT), UNREST_COUNT);
    const measured = {
      jump,
      level: Math.abs(sum(this.#levels)) / LEVEL_COUNT,
      unrest: sum(this.#jumps) / UNREST_COUNT,
    };
    const rarities = {
      value: Math.min(EVIDENCE_LIMITS.value, rarity),
      jump: this.#rate('jump', measured.jump),
      level: this.#rate('level', measured.level),
      unrest: this.#rate('unrest', measured.unrest),
    };
    const pattern = Math.max(rarities.level, rarities.unrest);
    const evidence = rarities.value + rarities.jump + PATTERN_WEIGHT * pattern;
    const side = scaled > usual.high ? 1 : scaled < usual.low ? -1 : 0;
    const result = {
      evidence,
      cause: findCause(rarities),
      usual: unscale(usual, this.#scale),
      next: unscale(next, this.#scale),
    };
    const regime = this.#regime.take(atMs, { side, evidence });
    this.#history.setAsideAt(this.#history.length - 1, regime.isApart);
    if (regime.sinceMs === undefined) return result;
    this.#adapt(regime.sinceMs);
    return { ...result, regimeSinceMs: regime.sinceMs };
  }

  /** Rarity among what was seen, bounded; what is not impossibly rare is learned. */
  #rate(kind: 'jump' | 'level' | 'unrest', measured: number): number {
    const rarity = this.#tails[kind].rarityOf(measured);
    if (rarity === undefined || rarity < RARITY_LEARNED_MAX) this.#tails[kind].push(measured);
    return Math.min(EVIDENCE_LIMITS.forecast, rarity ?? 0);
  }

  /** Rarity of a value among all that are remembered, as a normal distribution would have it. */
  #rateValue(value: number): number {
    const { mean, deviation } = this.#history;
    return deviation > 0 ? computeNormalRarity((value - mean) / deviation) : 0;
  }

  /** Learns anew from the readings since `sinceMs`; the network goes on from its weights. */
  #adapt(sinceMs: number): void {
    const history = this.#history;
    let count = 0;
    while (count < history.length && history.atMsAt(history.length - 1 - count) >= sinceMs) count++;
    history.keepNewest(count);
    for (let index = 0; index < history.length; index++) history.setAsideAt(index, false);
    this.#scale = computeScale(history);
    for (const tail of Object.values(this.#tails)) tail.clear();
    this.#levels = [];
    this.#jumps = [];
    this.#stepsWaiting = Math.min(STEPS_WAITING_MAX, this.#stepsWaiting + FIRST_STEPS);
  }

  #expect(atMs: number, knowledge: Knowledge): Band {
    const history = this.#history;
    const instant = { atMs, history, index: history.length - 1, scale: this.#scale, knowledge };
    writeContext(this.#context, 0, instant);
    return forecast(this.#network, this.#context);
  }

  #isScaleDue(): boolean {
    const isPowerOfTwo = (this.#seen & (this.#seen - 1)) === 0;
    return this.#seen === READINGS_MIN || isPowerOfTwo || this.#seen % HISTORY === 0;
  }

  #drawLessons(count: number): Lessons {
    const history = this.#history;
    const contexts = new Float32Array(count * CONTEXT_SIZE);
    const targets = new Float32Array(count);
    for (let lesson = 0; lesson < count; lesson++) {
      const index = this.#pickReading();
      const knowledge = KNOWLEDGE[lesson % KNOWLEDGE.length] ?? 'hour';
      const instant = { atMs: history.atMsAt(index), history, index, scale: this.#scale, knowledge };
      writeContext(contexts, lesson * CONTEXT_SIZE, instant);
      targets[lesson] = clamp(
        (history.valueAt(index) - this.#scale.middle) / this.#scale.spread,
        TARGET_LIMIT,
      );
    }
    return { contexts, targets };
  }

  /** A random reading that is not set aside, where a few draws find one. */
  #pickReading(): number {
    const { length } = this.#history;
    let index = 0;
    for (let draw = 0; draw < 8; draw++) {
      const from = this.#random.next() < RECENT_SHARE ? Math.floor(0.75 * length) : 0;
      index = from + Math.floor(this.#random.next() * (length - from));
      if (!this.#history.isSetAsideAt(index)) break;
    }
    return index;
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
const clamp = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));

function remember(values: number[], value: number, count: number): void {
  values.push(value);
  if (values.length > count) values.shift();
}

function findCause(rarities: Readonly<Record<Cause, number>>): Cause {
  const weighed: Record<Cause, number> = {
    value: rarities.value,
    jump: rarities.jump,
    level: PATTERN_WEIGHT * rarities.level,
    unrest: PATTERN_WEIGHT * rarities.unrest,
  };
  const causes: readonly Cause[] = ['value', 'jump', 'level', 'unrest'];
  return causes.reduce((best, each) => (weighed[each] > weighed[best] ? each : best));
}

/** Distance from the middle of the band in standard deviations of its side. */
function measureSurprise(scaled: number, { low, middle, high }: Band): number {
  const side = scaled >= middle ? high - middle : middle - low;
  return (scaled - middle) / Math.max(SPREAD_SHARE_MIN, side / BAND_DEVIATIONS);
}

function unscale(band: Band, { middle, spread }: Scale): Band {
  const of = (scaled: number): number => middle + spread * scaled;
  return { low: of(band.low), middle: of(band.middle), high: of(band.high) };
}

function computeScale(history: SeriesHistory): Scale {
  const values = Float64Array.from({ length: history.length }, (_, index) => history.valueAt(index)).sort();
  const at = (share: number): number => values[Math.floor(share * (values.length - 1))] ?? 0;
  const middle = at(0.5);
  const quarters = (at(0.75) - at(0.25)) / 1.349;
  const ends = (at(0.95) - at(0.05)) / 3.29;
  const spread = Math.max(quarters, ends, 0.1 * history.deviation, 1e-4 * Math.abs(middle));
  return { middle, spread: spread > 0 ? spread : 1 };
}

function isHistoryWhole(list: Float64Array): boolean {
  const length = list.length / 3;
  if (!Number.isInteger(length) || length > HISTORY || !list.every(Number.isFinite)) return false;
  for (let index = 1; index < length; index++) if ((list[index] ?? 0) <= (list[index - 1] ?? 0)) return false;
  return true;
}
