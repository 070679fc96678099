import { NgatuError } from '@ngatu/contract';
import { type HelmetNet, readPictureFile } from '@ngatu/edge';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { loadYoloFolder } from './yolo-folder.ts';

/** Sizes by the shorter side of the head's box, px. */
const SIZES = [
  { name: 'all', from: 0, to: Number.POSITIVE_INFINITY },
  { name: '< 16 px', from: 0, to: 16 },
  { name: '16–32 px', from: 16, to: 32 },
  { name: '≥ 32 px', from: 32, to: Number.POSITIVE_INFINITY },
] as const;
/** Confidences from which a head counts as bare; between them and the same for helmets nothing is said. */
const CONFIDENCES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const;

/** How heads of one size were told at one confidence. A head of which nothing was said is a miss. */
interface HelmetScore {
  readonly size: string;
  readonly confidence: number;
  readonly bare: { readonly precision: Proportion; readonly recall: Proportion };
  readonly helmet: { readonly precision: Proportion; readonly recall: Proportion };
}

interface HelmetMetrics {
  readonly model: { readonly name: string; readonly sha256: string };
  /** Confidence that the rule asks for. */
  readonly productConfidence: number;
  readonly pictures: number;
  readonly heads: { readonly bare: number; readonly helmet: number };
  readonly scores: readonly HelmetScore[];
  readonly readingMs: number;
}

interface HelmetPrediction {
  readonly picture: string;
  /** Pixels. */
  readonly box: readonly number[];
  readonly truth: HeadState;
  readonly read: HeadState;
  readonly confidence: number;
}

type HeadState = 'bare' | 'helmet';

interface JudgedHead extends HelmetPrediction {
  readonly side: number;
}

/**
 * Reads every labelled head of a YOLO folder in its given box: class 0 helmet, 1 bare, or as the folder names its classes.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function evaluateHelmets(
  { dataDir, net, productConfidence }: { dataDir: string; net: HelmetNet; productConfidence: number },
  signal: AbortSignal,
): Promise<{ metrics: HelmetMetrics; predictions: HelmetPrediction[] }> {
  const { pictures, names } = await loadYoloFolder(dataDir);
  const heads: JudgedHead[] = [];
  let spentMs = 0;
  for (const { file, name, objects } of pictures) {
    signal.throwIfAborted();
    if (objects.length === 0) continue;
    const picture = await readPictureFile(file);
    for (const { index, box } of objects) {
      const truth = tellState(index, names, dataDir);
      const [x1, y1, x2, y2] = [
        box[0] * picture.width,
        box[1] * picture.height,
        box[2] * picture.width,
        box[3] * picture.height,
      ];
      const startedAt = performance.now();
      const { state, confidence } = await net.read(picture, [x1, y1, x2, y2]);
      spentMs += performance.now() - startedAt;
      const rounded = [x1, y1, x2, y2].map((value) => Math.round(value * 10) / 10);
      const side = Math.min(x2 - x1, y2 - y1);
      heads.push({ picture: name, box: rounded, truth, read: state, confidence: round(confidence), side });
    }
  }
  if (heads.length === 0)
    throw new NgatuError('TRUTH_INVALID', `Cannot evaluate helmets on ${dataDir}: no head is labelled`);
  const scores = SIZES.flatMap(({ name, from, to }) => {
    const of = heads.filter(({ side }) => side >= from && side < to);
    return of.length === 0 ? [] : CONFIDENCES.map((confidence) => score(name, confidence, of));
  });
  const bare = heads.filter(({ truth }) => truth === 'bare').length;
  const metrics: HelmetMetrics = {
    model: net.model,
    productConfidence,
    pictures: pictures.length,
    heads: { bare, helmet: heads.length - bare },
    scores,
    readingMs: spentMs / heads.length,
  };
  return { metrics, predictions: heads.map(({ side: _, ...prediction }) => prediction) };
}

/** @throws NgatuError TRUTH_INVALID for a class that is neither */
function tellState(index: number, names: readonly string[], dir: string): HeadState {
  const name = names[index];
  if (name === undefined) {
    if (index === 0) return 'helmet';
    if (index === 1) return 'bare';
  } else {
    const word = name.toLowerCase();
    if (/bare|without|no[\s_-]?helmet|^head$|^0$/.test(word)) return word === '0' ? 'helmet' : 'bare';
    if (/helmet/.test(word)) return 'helmet';
    if (word === '1') return 'bare';
  }
  throw new NgatuError(
    'TRUTH_INVALID',
    `Cannot evaluate helmets on ${dir}: class ${index}${name === undefined ? '' : ` "${name.slice(0, 40)}"`} is neither a helmet nor a bare head`,
  );
}

function score(size: string, confidence: number, heads: readonly JudgedHead[]): HelmetScore {
  const judge = (state: HeadState) => {
    const said = heads.filter((head) => head.read === state && head.confidence >= confidence);
    const right = said.filter(({ truth }) => truth === state).length;
    return {
      precision: computeProportion(right, said.length),
      recall: computeProportion(right, heads.filter(({ truth }) => truth === state).length),
    };
  };
  return { size, confidence, bare: judge('bare'), helmet: judge('helmet') };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The metrics as text. */
export function formatHelmetTable(metrics: HelmetMetrics): string {
  const { model, pictures, heads, scores, readingMs, productConfidence } = metrics;
  const lines = [
    `${heads.bare} bare heads and ${heads.helmet} helmets in ${pictures} pictures, ${model.name}@${model.sha256.slice(0, 8)}, ${readingMs.toFixed(2)} ms a head`,
    `experimental: a human checks each case; the rule hears readings from ${productConfidence} on`,
    `${'size'.padEnd(10)}${'from'.padEnd(6)}${'bare precision'.padEnd(31)}${'bare recall'.padEnd(31)}helmet recall`,
  ];
  for (const { size, confidence, bare, helmet } of scores) {
    const cells = [bare.precision, bare.recall].map((share) => formatProportion(share).padEnd(31));
    lines.push(
      `${size.padEnd(10)}${String(confidence).padEnd(6)}${cells.join('')}${formatProportion(helmet.recall)}`,
    );
  }
  return lines.join('\n');
}
