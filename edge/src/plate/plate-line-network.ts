import { errorMessage, NgatuError } from '@ngatu/contract';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Box } from '../geometry/box.ts';
import { PLATE_ALPHABET } from './plate-belief.ts';
import { cutPlate, findLineGap, type PlateCrop } from './plate-crop.ts';
import { CtcLine, LinesBelief } from './plate-ctc.ts';
import type { PlateLayout, PlatePicture } from './plate-reading.ts';

const HEIGHT = 48;
/** Narrower lines are filled up to this, as in the network's training, px. */
export const LINE_WIDTH = 320;
const MAX_WIDTH = 640;
/** The two lines of a plate are cut with this share of its height in common: nobody holds a camera level. */
const OVERLAP = 0.03;

/**
 * Class of each character in PP-OCRv4's dictionary (`ppocr_keys_v1.txt`: line number; 0 is the blank), 0–9 and A–Z, and of a–z, which stand
 * for the same letters.
 */
const UPPER_CLASSES =
  '26 93 25 94 632 631 933 29 27 1109 1221 3588 4244 1220 4381 1219 5128 425 3587 2697 5193 3506 3639 3589 4741 1310 4731 5127 1217 1381 4497 5405 5033 5200 1218 4136'
    .split(' ')
    .map(Number);
const LOWER_CLASSES =
  '4544 3463 4902 5171 3332 4389 4548 3539 3538 5493 4849 2710 5233 4547 4245 4545 2156 1958 1033 3333 1034 4922 3537 2993 4546 3316'
    .split(' ')
    .map(Number);
const CLASSES = 6625;

/** Whether the classes of a network are those of PP-OCRv4's dictionary, as far as plates have them. @param alphabet character of each class */
export function isLineAlphabet(alphabet: readonly string[]): boolean {
  const places = [...UPPER_CLASSES.entries()];
  return alphabet.length === CLASSES && places.every(([at, index]) => alphabet[index] === PLATE_ALPHABET[at]);
}

/**
 * PP-OCRv4's recogniser of lines: input `[1, 3, 48, width]` float32 NCHW BGR (v / 127.5 − 1), filled with 0 to the right; output
 * `[1, steps, 6625]` probabilities for connectionist temporal classification.
 */
export class LineNetwork {
  readonly #session: InferenceSession;
  readonly #name: string;

  private constructor(session: InferenceSession, name: string) {
    this.#session = session;
    this.#name = name;
  }

  /** Takes the session over once it has answered rightly. @throws NgatuError MODEL_INVALID */
  static async open(session: InferenceSession, name: string): Promise<LineNetwork> {
    const network = new LineNetwork(session, name);
    await network.#readLine({ data: new Uint8Array(HEIGHT * 96 * 3), width: 96, height: HEIGHT });
    return network;
  }

  /** Reads a plate line by line. @throws NgatuError MODEL_INVALID */
  async read(picture: PlatePicture, box: Box, layout: PlateLayout): Promise<LinesBelief> {
    const boxes = layout === 'one-line' ? [box] : await splitLines(picture, box);
    const lines: CtcLine[] = [];
    for (const line of boxes) {
      const aspect = (line[2] - line[0]) / Math.max(1, line[3] - line[1]);
      const width = Math.min(MAX_WIDTH, Math.max(24, Math.round(HEIGHT * aspect)));
      lines.push(await this.#readLine(await cutPlate(picture, line, { width, height: HEIGHT })));
    }
    return new LinesBelief(lines);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #readLine({ data, width }: PlateCrop): Promise<CtcLine> {
    const full = Math.max(LINE_WIDTH, width);
    const area = HEIGHT * full;
    const planes = new Float32Array(3 * area);
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < width; x++) {
        const from = (y * width + x) * 3;
        const to = y * full + x;
        for (let channel = 0; channel < 3; channel++)
          planes[to + channel * area] = (data[from + 2 - channel] as number) / 127.5 - 1;
      }
    }
    try {
      const [input = 'x'] = this.#session.inputNames;
      const outputs = await this.#session.run({
        [input]: new Tensor('float32', planes, [1, 3, HEIGHT, full]),
      });
      const output = Object.values(outputs).find(
        ({ dims }) => dims.length === 3 && dims[2] === CLASSES,
      )?.data;
      if (!(output instanceof Float32Array))
        throw new Error(`it has no float32 output [1, steps, ${CLASSES}]`);
      return new CtcLine(gatherClasses(output));
    } catch (cause) {
      const reason = errorMessage(cause).split('\n')[0];
      throw new NgatuError('MODEL_INVALID', `Cannot read a plate with "${this.#name}": ${reason}`, { cause });
    }
  }
}

/** `steps × 6625` → `steps × 37`: what is no character of a plate counts as none. */
function gatherClasses(output: Float32Array): Float32Array {
  const steps = Math.floor(output.length / CLASSES);
  const count = PLATE_ALPHABET.length;
  const gathered = new Float32Array(steps * count);
  for (let step = 0; step < steps; step++) {
    let rest = 1;
    for (let index = 0; index < count - 1; index++) {
      const lower = index < 10 ? undefined : LOWER_CLASSES[index - 10];
      const share =
        (output[step * CLASSES + (UPPER_CLASSES[index] ?? 0)] ?? 0) +
        (lower === undefined ? 0 : (output[step * CLASSES + lower] ?? 0));
      gathered[step * count + index] = share;
      rest -= share;
    }
    gathered[step * count + count - 1] = Math.max(0, rest);
  }
  return gathered;
}

async function splitLines(picture: PlatePicture, box: Box): Promise<Box[]> {
  const [x1, y1, x2, y2] = box;
  const gap = findLineGap(await cutPlate(picture, box, { width: 96, height: 96 }));
  const height = y2 - y1;
  return [
    [x1, y1, x2, y1 + height * (gap + OVERLAP)],
    [x1, y1 + height * (gap - OVERLAP), x2, y2],
  ];
}
