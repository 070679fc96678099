import type { Box } from '../geometry/box.ts';
import type { NetworkFile } from '../model/model-file.ts';
import { PatchClassifier } from '../model/patch-classifier.ts';
import { samplePatch } from '../model/patch-planes.ts';
import type { OccupantShares } from '../track/track.ts';

/** BGR24, row-major. */
interface RidePicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** In the order of `OccupantShares`. */
const LABELS = ['nobody', 'one', 'two', 'three-or-more'] as const;

/** What is cut out beside the box of the two-wheeler, in its heights: heads often end above it. */
const ABOVE = 0.35;
const BELOW = 0.05;
/** At least so wide, in widths of the box. */
const WIDEN = 1.2;

/** Counts who rides on a two-wheeler by a small network, in the box of the two-wheeler with its riders. */
export class OccupantNet {
  readonly #classifier: PatchClassifier;

  private constructor(classifier: PatchClassifier) {
    this.#classifier = classifier;
  }

  /** @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID, CHILD_FAILED (retryable) */
  static async open(model: NetworkFile): Promise<OccupantNet> {
    return new OccupantNet(await PatchClassifier.open(model, 'occupants', LABELS));
  }

  get model(): { readonly name: string; readonly sha256: string } {
    const { name, sha256 } = this.#classifier;
    return { name, sha256 };
  }

  /**
   * @param ride box of the two-wheeler with its riders, pixels of the picture
   * @throws NgatuError MODEL_INVALID (retryable) where the inference fails
   */
  async count(picture: RidePicture, ride: Box): Promise<OccupantShares> {
    const { form } = this.#classifier;
    const region = locateOccupantPatch(ride, form.columns / form.rows);
    const scores = await this.#classifier.classify(samplePatch(picture, region, form));
    const [nobody, one, two, more] = LABELS.map((label) => scores.get(label) ?? 0);
    return [nobody ?? 0, one ?? 0, two ?? 0, more ?? 0];
  }

  async close(): Promise<void> {
    await this.#classifier.close();
  }
}

/** The region around a two-wheeler that the network looks at. @param aspect its width over its height */
export function locateOccupantPatch([x1, y1, x2, y2]: Box, aspect: number): Box {
  const width = Math.max(1, x2 - x1);
  const height = Math.max(1, y2 - y1);
  const rows = Math.max((1 + ABOVE + BELOW) * height, (WIDEN * width) / aspect);
  const middle = (x1 + x2) / 2;
  const bottom = y2 + BELOW * height;
  return [middle - (rows * aspect) / 2, bottom - rows, middle + (rows * aspect) / 2, bottom];
}
