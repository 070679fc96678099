import { errorMessage, NgatuError } from '@ngatu/contract';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { PLATE_ALPHABET, SlotBelief } from './plate-belief.ts';

/** What a reader of whole plates takes, px. */
export const SLOT_PICTURE = { width: 128, height: 64 } as const;

const { width: WIDTH, height: HEIGHT } = SLOT_PICTURE;
const PIXELS = WIDTH * HEIGHT * 3;
const CLASSES = PLATE_ALPHABET.length;

export interface SlotAnswer {
  /** One for each picture. */
  readonly beliefs: readonly SlotBelief[];
  /** Probability of two lines for each picture, where the network tells. */
  readonly twoLines: readonly number[];
}

/**
 * A network of the kind of CCT (fast-plate-ocr): input `[n, 64, 128, 3]` uint8 NHWC RGB, stretched; an output `[n, slots, 37]` of
 * probabilities of `0-9A-Z_`, and perhaps `layout` `[n, 2]` (one line, two lines).
 */
export class SlotNetwork {
  readonly #session: InferenceSession;
  readonly #name: string;

  private constructor(session: InferenceSession, name: string) {
    this.#session = session;
    this.#name = name;
  }

  /** Takes the session over once it has answered rightly. @throws NgatuError MODEL_INVALID */
  static async open(session: InferenceSession, name: string): Promise<SlotNetwork> {
    const network = new SlotNetwork(session, name);
    await network.read([new Uint8Array(PIXELS)]);
    return network;
  }

  /** @param pictures RGB of `SLOT_PICTURE` @throws NgatuError MODEL_INVALID */
  async read(pictures: readonly Uint8Array[]): Promise<SlotAnswer> {
    const batch = new Uint8Array(pictures.length * PIXELS);
    for (const [index, pixels] of pictures.entries()) batch.set(pixels, index * PIXELS);
    try {
      const [input = 'input'] = this.#session.inputNames;
      const feeds = { [input]: new Tensor('uint8', batch, [pictures.length, HEIGHT, WIDTH, 3]) };
      const outputs = await this.#session.run(feeds);
      const slots = Object.values(outputs).find(({ dims }) => dims.length === 3 && dims[2] === CLASSES)?.data;
      if (!(slots instanceof Float32Array))
        throw new Error(`it has no float32 output [n, slots, ${CLASSES}]`);
      const length = slots.length / pictures.length;
      const layout = outputs['layout']?.data;
      return {
        beliefs: pictures.map((_, at) => new SlotBelief(slots.subarray(at * length, (at + 1) * length))),
        twoLines: layout instanceof Float32Array ? pictures.map((_, at) => layout[at * 2 + 1] ?? 0.5) : [],
      };
    } catch (cause) {
      const reason = errorMessage(cause).split('\n')[0];
      throw new NgatuError('MODEL_INVALID', `Cannot read a plate with "${this.#name}": ${reason}`, { cause });
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
