import { type ModelTask, NgatuError } from '@ngatu/contract';
import type { InferenceSession } from 'onnxruntime-node';
import type { Box } from '../geometry/box.ts';
import { explainLoading, type VerifiedNetwork } from '../model/model-file.ts';
import { openNetworkSession } from '../model/onnx-session.ts';
import { PLATE_ALPHABET, type PoolMember, poolBeliefs } from './plate-belief.ts';
import { cutPlate, measureSharpness, type PlateView, renderView } from './plate-crop.ts';
import { listGrammars } from './plate-format.ts';
import { describeCharacters } from './plate-letter.ts';
import { isLineAlphabet, LINE_WIDTH, LineNetwork } from './plate-line-network.ts';
import type { PlateLayout, PlateLook, PlatePicture } from './plate-reading.ts';
import { SLOT_PICTURE, SlotNetwork } from './plate-slot-network.ts';

/** Names of the networks that the product reads plates with, in the registry of models; the first is carried, the others help where they can be had. */
export const DEFAULT_PLATE_READERS: readonly string[] = ['plate-reader-vn', 'ppocr-v4-rec'];

/** Without a network that tells the layout: plates of two lines are at most 2.0 wide, of one line at least 4.2, both seen at an angle. */
const ONE_LINE_ASPECT = 2.4;

/** Looked at where the first look leaves doubt: boxes are never cut just so, and cameras never stand just in front. */
const OTHER_VIEWS: readonly PlateView[] = [
  { widen: 0.05, tilt: 0, lean: 0 },
  { widen: -0.04, tilt: 0, lean: 0 },
  { widen: 0.02, tilt: 0.09, lean: 0 },
  { widen: 0.02, tilt: -0.09, lean: 0 },
  { widen: 0, tilt: 0, lean: 0.08 },
  { widen: 0, tilt: 0, lean: -0.08 },
];
/** A first look that is surer than this is not repeated. */
const SURE = 0.995;
/** Views and readers are not independent of one another: together they count as this many looks. Chosen on drawn plates. */
const POOL_POWER = 1;
/** A reader of lines counts as this many views of a reader of whole plates. */
const LINE_WEIGHT = 4;
/** Texts that are kept for the vote. */
const KEPT_TEXTS = 16;
const PROPOSALS = 12;

const TASKS: readonly ModelTask[] = ['plate-reader'];

export interface PlateReaderOptions {
  /** Views of each crop: only the plain one; more where that leaves doubt; or always all. */
  readonly views?: 'one' | 'doubt' | 'all';
  /** Whether each file is tried in a process of its own first; not by default: where plates are read, they were tried before. */
  readonly isTried?: boolean;
}

/**
 * Reads plates with one or several networks, whose beliefs are pooled: readers of whole plates (`SlotNetwork`), which look at a crop from
 * several sides where the first look leaves doubt, and readers of lines (`LineNetwork`), which are asked only then.
 */
export class PlateReader {
  readonly #slots: readonly SlotNetwork[];
  readonly #lines: readonly LineNetwork[];
  readonly #views: 'one' | 'doubt' | 'all';

  private constructor(networks: readonly (SlotNetwork | LineNetwork)[], views: 'one' | 'doubt' | 'all') {
    this.#slots = networks.filter((network) => network instanceof SlotNetwork);
    this.#lines = networks.filter((network) => network instanceof LineNetwork);
    this.#views = views;
  }

  /**
   * Holds each file against its manifest, opens it and lets it read an empty picture.
   * @throws NgatuError MODEL_INVALID; CHILD_FAILED (retryable) where no trial could be started
   */
  static async open(
    models: readonly VerifiedNetwork[],
    threads: number,
    options: PlateReaderOptions = {},
  ): Promise<PlateReader> {
    const networks: (SlotNetwork | LineNetwork)[] = [];
    try {
      for (const model of models) networks.push(await openNetwork(model, threads, options));
    } catch (error) {
      for (const network of networks) await network.close();
      throw error;
    }
    return new PlateReader(networks, options.views ?? 'doubt');
  }

  /**
   * Reads what stands in a box of the picture.
   * @param box source pixels
   * @param plateConfidence the detector's, for the vote between looks
   * @throws NgatuError MODEL_INVALID where the inference fails
   */
  async read(picture: PlatePicture, box: Box, plateConfidence = 1): Promise<PlateLook> {
    const members: PoolMember[] = [];
    const twoLines: number[] = [];
    const look = async (inputs: readonly Uint8Array[]): Promise<void> => {
      for (const network of this.#slots) {
        const answer = await network.read(inputs);
        members.push(...answer.beliefs.map((belief) => ({ belief, weight: 1 })));
        twoLines.push(...answer.twoLines);
      }
    };
    await look([(await cutPlate(picture, box, SLOT_PICTURE)).data]);
    if (this.#views === 'all' || (this.#views === 'doubt' && !isSure(members))) {
      const { width, height } = SLOT_PICTURE;
      const crop = await cutPlate(picture, box, { width: width * 2, height: height * 2 });
      await look(OTHER_VIEWS.map((view) => renderView(crop, view, SLOT_PICTURE)));
      const layout = tellLayout(twoLines, box);
      for (const network of this.#lines)
        members.push({ belief: await network.read(picture, box, layout), weight: LINE_WEIGHT });
    }
    const pooled = pool(members);
    return {
      layout: tellLayout(twoLines, box),
      characters: describeCharacters(pooled),
      texts: pooled.slice(0, KEPT_TEXTS).map(({ text, share }) => ({ text, confidence: share })),
      ...{ box, sharpness: await measureBoxSharpness(picture, box), plateConfidence },
    };
  }

  /** The likeliest text of a box and the confidence of its least sure character, before formats are looked at. @throws NgatuError MODEL_INVALID */
  async readText(picture: PlatePicture, box: Box): Promise<{ text: string; confidence: number }> {
    const { characters } = await this.read(picture, box);
    const confidence = characters.reduce((least, character) => Math.min(least, character.confidence), 1);
    return { text: characters.map(({ character }) => character).join(''), confidence };
  }

  async close(): Promise<void> {
    for (const network of [...this.#slots, ...this.#lines]) await network.close();
  }
}

/** A look at a plate on which nobody can read: no network is asked. @param box source pixels */
export async function glanceAtPlate(
  picture: PlatePicture,
  box: Box,
  plateConfidence: number,
): Promise<PlateLook> {
  const sharpness = await measureBoxSharpness(picture, box);
  return { layout: tellLayout([], box), characters: [], texts: [], box, sharpness, plateConfidence };
}

function pool(members: readonly PoolMember[]): ReturnType<typeof poolBeliefs> {
  return poolBeliefs(members, {
    ...{ grammars: listGrammars(undefined, undefined), power: POOL_POWER, count: PROPOSALS },
    prior: () => 0,
  });
}

function isSure(members: readonly PoolMember[]): boolean {
  if (members.length === 0) return false;
  const texts = new Set(members.map(({ belief }) => belief.propose(1)[0]?.text));
  return texts.size === 1 && (pool(members)[0]?.share ?? 0) >= SURE;
}

function tellLayout(twoLines: readonly number[], [x1, y1, x2, y2]: Box): PlateLayout {
  if (twoLines.length === 0)
    return (x2 - x1) / Math.max(1, y2 - y1) >= ONE_LINE_ASPECT ? 'one-line' : 'two-line';
  const mean = twoLines.reduce((sum, share) => sum + share, 0) / twoLines.length;
  return mean > 0.5 ? 'two-line' : 'one-line';
}

/** Pixels that the camera never had do not make a picture sharper: a crop is not enlarged for this. */
async function measureBoxSharpness(picture: PlatePicture, box: Box): Promise<number> {
  const width = Math.max(8, Math.min(2 * SLOT_PICTURE.width, Math.round(box[2] - box[0])));
  const height = Math.max(8, Math.min(2 * SLOT_PICTURE.height, Math.round(box[3] - box[1])));
  return measureSharpness(await cutPlate(picture, box, { width, height }));
}

async function openNetwork(
  model: VerifiedNetwork,
  threads: number,
  { isTried = false }: PlateReaderOptions,
): Promise<SlotNetwork | LineNetwork> {
  const { name, decoding } = model.manifest;
  const { format } = decoding;
  const refuse = (why: string): NgatuError =>
    new NgatuError('MODEL_INVALID', `Cannot load model "${name}": ${why}`);
  if (format !== 'character-slots' && format !== 'ctc') throw refuse(`no reader of plates decodes ${format}`);
  const isKnown =
    format === 'ctc'
      ? isLineAlphabet(decoding.alphabet)
      : decoding.alphabet.join('') === [...PLATE_ALPHABET].join('');
  if (!isKnown) throw refuse('its characters are not those that plates are read by');
  let session: InferenceSession | undefined;
  try {
    session = await openNetworkSession(model, {
      tasks: TASKS,
      threads,
      trial: isTried ? { freeAxis: LINE_WIDTH } : 'untried',
    });
    return format === 'character-slots'
      ? await SlotNetwork.open(session, name)
      : await LineNetwork.open(session, name);
  } catch (cause) {
    await session?.release();
    if (cause instanceof NgatuError && cause.retryable) throw cause;
    throw new NgatuError('MODEL_INVALID', refuse(explainLoading(name, cause)).message, { cause });
  }
}
