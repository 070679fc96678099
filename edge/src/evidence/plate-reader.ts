import { errorMessage, NgatuError } from '@ngatu/contract';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import type { Box } from '../geometry/box.ts';
import type { PixelPicture } from './blur-mosaic.ts';
import type { PartModel } from './part-detector.ts';

/** What was read on a plate. `confidence` is that of its least sure character. */
export interface PlateReading {
  readonly text: string;
  readonly confidence: number;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_';
const WIDTH = 128;
const HEIGHT = 64;

/**
 * CCT plate reader: `input` `[1, 64, 128, 3]` uint8 NHWC RGB, stretched; output `[1, slots, 37]` probabilities of `0-9A-Z_`. Used to
 * try whether a blurred plate can still be read.
 */
export class PlateReader {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** @throws NgatuError MODEL_INVALID */
  static async open(model: PartModel): Promise<PlateReader> {
    try {
      const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
      return new PlateReader(await InferenceSession.create(model.bytes, options));
    } catch (cause) {
      const reason = errorMessage(cause).split('\n')[0] ?? '';
      throw new NgatuError('MODEL_INVALID', `Cannot load model "${model.name}": ${reason}`, { cause });
    }
  }

  /** Reads what stands in a box of the picture. @throws NgatuError MODEL_INVALID */
  async read({ data, width, height }: PixelPicture, box: Box): Promise<PlateReading> {
    const left = Math.min(width - 1, Math.max(0, Math.floor(box[0])));
    const top = Math.min(height - 1, Math.max(0, Math.floor(box[1])));
    const region = {
      ...{ left, top },
      width: Math.max(1, Math.min(width, Math.ceil(box[2])) - left),
      height: Math.max(1, Math.min(height, Math.ceil(box[3])) - top),
    };
    const pixels = await sharp(data, { raw: { width, height, channels: 3 } })
      .extract(region)
      .resize(WIDTH, HEIGHT, { fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer();
    try {
      const input = new Tensor('uint8', Uint8Array.from(pixels), [1, HEIGHT, WIDTH, 3]);
      const [output] = Object.values(await this.#session.run({ input }));
      if (!(output?.data instanceof Float32Array)) throw new Error('the output is not float32');
      return decodeSlots(output.data);
    } catch (cause) {
      throw new NgatuError('MODEL_INVALID', `Cannot read a plate: ${errorMessage(cause)}`, {
        retryable: true,
        cause,
      });
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function decodeSlots(values: Float32Array): PlateReading {
  let text = '';
  let confidence = 1;
  for (let at = 0; at + ALPHABET.length <= values.length; at += ALPHABET.length) {
    let best = 0;
    for (let index = 1; index < ALPHABET.length; index++)
      if ((values[at + index] ?? 0) > (values[at + best] ?? 0)) best = index;
    text += ALPHABET[best];
    if (ALPHABET[best] !== '_') confidence = Math.min(confidence, values[at + best] ?? 0);
  }
  return { text: text.replace(/_+$/, ''), confidence };
}
