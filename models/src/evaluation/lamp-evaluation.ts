import type { SignalState } from '@ngatu/contract';
import {
  agreeOnLamp,
  type LampNet,
  type LampReading,
  MIN_LAMP_CONFIDENCE,
  readLamp,
  readPictureFile,
} from '@ngatu/edge';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { type LabelledLamp, listLampFolder } from './lamp-folder.ts';

/** Order of the columns and rows of a confusion table. */
const STATES = ['red', 'amber', 'green', 'off', 'unknown'] as const satisfies readonly SignalState[];
const TRUE_STATES = ['red', 'amber', 'green', 'off'] as const;
type TrueState = (typeof TRUE_STATES)[number];

/** Ways of reading a lamp: the colours alone, the network alone, and what the product believes of both. */
type LampReaderName = 'colour' | 'network' | 'product';

/** How one way of reading did. */
interface LampScore {
  readonly reader: LampReaderName;
  /** By truth: how often each state was read; `unknown` is an abstention. */
  readonly confusion: Readonly<Record<TrueState, Readonly<Record<SignalState, number>>>>;
  /** Of the lamps read as this state, those that show it. */
  readonly precision: Readonly<Record<TrueState, Proportion>>;
  /** Of the lamps that show this state, those read as it; an abstention is a miss. */
  readonly recall: Readonly<Record<TrueState, Proportion>>;
  /** Time of one reading, ms: the middle one, and that which a twentieth exceeds. */
  readonly readingMs: { readonly median: number; readonly p95: number };
}

interface LampMetrics {
  readonly lamps: number;
  /** Absent where there is no network: the product reads colours alone then. */
  readonly model?: { readonly name: string; readonly sha256: string };
  readonly scores: readonly LampScore[];
  /** Of lamps that show an arrow, and of others: those that the network tells right. */
  readonly arrows?: { readonly arrow: Proportion; readonly disc: Proportion };
}

/** What was read of one picture. */
interface LampPrediction {
  readonly name: string;
  readonly truth: TrueState;
  readonly colour: SignalState;
  readonly network?: SignalState;
  readonly networkConfidence?: number;
  readonly product: SignalState;
}

interface LampEvaluationOptions {
  readonly dataDir: string;
  readonly net?: LampNet;
  /** The lenses of every head, from above or from the left. */
  readonly lenses: readonly ('red' | 'amber' | 'green')[];
}

interface Read {
  readonly state: SignalState;
  readonly ms: number;
}

/**
 * Reads each picture of a folder (see `listLampFolder`) as the agent reads a lamp of a scene, in every way.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function evaluateLamps(
  { dataDir, net, lenses }: LampEvaluationOptions,
  signal: AbortSignal,
): Promise<{ metrics: LampMetrics; predictions: LampPrediction[] }> {
  const lamps = await listLampFolder(dataDir);
  const reads = new Map<LampReaderName, Read[]>([['colour', []]]);
  if (net !== undefined) reads.set('network', []).set('product', []);
  const predictions: LampPrediction[] = [];
  const isArrow: (boolean | undefined)[] = [];
  for (const lamp of lamps) {
    signal.throwIfAborted();
    const { width, height, pixels } = await readPictureFile(lamp.file);
    const crop = { signal: 'lamp', width, height, pixels };
    const colour = timed(() => readLamp(crop, lenses));
    reads.get('colour')?.push({ state: colour.value.state, ms: colour.ms });
    if (net === undefined) {
      predictions.push(predict(lamp, colour.value, colour.value));
      continue;
    }
    const startedAt = performance.now();
    const said = await net.read(crop, lenses);
    const ms = performance.now() - startedAt;
    const isHeard = said !== undefined && said.confidence >= MIN_LAMP_CONFIDENCE;
    reads.get('network')?.push({ state: isHeard ? said.state : 'unknown', ms });
    const both = agreeOnLamp(colour.value, said, lenses);
    reads.get('product')?.push({ state: both.state, ms: ms + colour.ms });
    predictions.push({
      ...predict(lamp, colour.value, both),
      ...(said === undefined ? {} : { network: said.state, networkConfidence: round(said.confidence) }),
    });
    isArrow.push(said === undefined || said.state === 'off' ? undefined : said.arrow > 0.5);
  }
  const metrics: LampMetrics = {
    lamps: lamps.length,
    ...(net === undefined ? {} : { model: net.model }),
    scores: [...reads].map(([reader, of]) => score(reader, lamps, of)),
    ...(net !== undefined && lamps.some(({ arrow }) => arrow) ? { arrows: judgeArrows(lamps, isArrow) } : {}),
  };
  return { metrics, predictions };
}

function timed<T>(act: () => T): { value: T; ms: number } {
  const startedAt = performance.now();
  const value = act();
  return { value, ms: performance.now() - startedAt };
}

function predict({ name, state }: LabelledLamp, colour: LampReading, product: LampReading): LampPrediction {
  return { name, truth: state, colour: colour.state, product: product.state };
}

function score(reader: LampReaderName, lamps: readonly LabelledLamp[], reads: readonly Read[]): LampScore {
  const count = (truth: TrueState, read: SignalState): number =>
    lamps.filter(({ state }, at) => state === truth && reads[at]?.state === read).length;
  const row = (truth: TrueState) =>
    Object.fromEntries(STATES.map((read) => [read, count(truth, read)])) as Record<SignalState, number>;
  const confusion = { red: row('red'), amber: row('amber'), green: row('green'), off: row('off') };
  const shares = (of: (state: TrueState) => Proportion) => ({
    red: of('red'),
    amber: of('amber'),
    green: of('green'),
    off: of('off'),
  });
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const times = reads.map(({ ms }) => ms).sort((a, b) => a - b);
  const quantile = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    reader,
    confusion,
    precision: shares((state) =>
      computeProportion(confusion[state][state], sum(TRUE_STATES.map((truth) => confusion[truth][state]))),
    ),
    recall: shares((state) =>
      computeProportion(confusion[state][state], sum(Object.values(confusion[state]))),
    ),
    readingMs: { median: quantile(0.5), p95: quantile(0.95) },
  };
}

function judgeArrows(lamps: readonly LabelledLamp[], said: readonly (boolean | undefined)[]) {
  const share = (arrow: boolean): Proportion => {
    const of = lamps.flatMap((lamp, at) => (lamp.arrow === arrow && lamp.state !== 'off' ? [said[at]] : []));
    return computeProportion(of.filter((answer) => answer === arrow).length, of.length);
  };
  return { arrow: share(true), disc: share(false) };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** A confusion table and the shares of each way of reading, as text. */
export function formatLampTable({ lamps, model, scores, arrows }: LampMetrics): string {
  const told =
    model === undefined ? 'no network: colours alone' : `${model.name}@${model.sha256.slice(0, 8)}`;
  const parts = [`${lamps} lamps, ${told}`];
  for (const { reader, confusion, precision, recall, readingMs } of scores) {
    const rows = TRUE_STATES.filter((truth) => (recall[truth].total ?? 0) > 0);
    parts.push(
      '',
      `${reader}: ${readingMs.median.toFixed(2)} ms a reading (95 %: ${readingMs.p95.toFixed(2)} ms)`,
      `  ${'truth ↓ read →'.padEnd(16)}${STATES.map((state) => state.padStart(8)).join('')}`,
      ...rows.map(
        (truth) =>
          `  ${truth.padEnd(16)}${STATES.map((read) => String(confusion[truth][read]).padStart(8)).join('')}`,
      ),
      ...rows.map(
        (state) =>
          `  ${state.padEnd(8)}precision ${formatProportion(precision[state])}  recall ${formatProportion(recall[state])}`,
      ),
    );
  }
  if (arrows !== undefined)
    parts.push('', `arrows told: ${formatProportion(arrows.arrow)}, discs: ${formatProportion(arrows.disc)}`);
  return parts.join('\n');
}
