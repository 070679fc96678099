import { CandidateList } from './candidate-list.ts';
import type { Detection, RoadPart } from './detection.ts';
import type { RoadClass } from './road-class.ts';

/** x1, y1, x2, y2 in input pixels, confidence, class. */
const ROW_LENGTH = 6;

export interface CenternetDecodeOptions {
  /** IoU above which the less confident of a group is suppressed. */
  maxIou: number;
  /** Factor from network to source pixels. */
  scaleX: number;
  scaleY: number;
  sourceWidth: number;
  sourceHeight: number;
}

/**
 * Decodes CenterNet's output `[1, N, 6]` float32, whose peaks the network has already picked (Objects as Points, arXiv
 * 1904.07850, section 4): x1, y1, x2, y2 in input pixels, confidence, class. The network suppresses nothing across
 * classes and little between neighbouring peaks; that is done here. One decoder serves one stream of frames.
 */
export class CenternetDecoder {
  readonly #classes: ReadonlyMap<number, RoadClass>;
  readonly #candidates = new CandidateList();

  constructor(classes: readonly RoadClass[]) {
    this.#classes = new Map(classes.map((each) => [each.index, each]));
  }

  /** Returns road users in source pixels, most confident first; what else was found goes to `parts`. */
  decode(output: Float32Array, options: CenternetDecodeOptions, parts?: RoadPart[]): Detection[] {
    const { scaleX, scaleY } = options;
    this.#candidates.begin(options.sourceWidth, options.sourceHeight);
    for (let row = 0; row + ROW_LENGTH <= output.length; row += ROW_LENGTH) {
      const confidence = output[row + 4] ?? 0;
      const known = this.#classes.get(output[row + 5] ?? -1);
      if (known === undefined || !(confidence >= known.minConfidence)) continue;
      this.#candidates.add(
        known.label,
        confidence,
        (output[row] ?? 0) * scaleX,
        (output[row + 1] ?? 0) * scaleY,
        (output[row + 2] ?? 0) * scaleX,
        (output[row + 3] ?? 0) * scaleY,
      );
    }
    return this.#candidates.suppress(options.maxIou, parts);
  }
}
