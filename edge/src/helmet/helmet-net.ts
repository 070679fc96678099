import type { Box } from '../geometry/box.ts';
import type { NetworkFile } from '../model/model-file.ts';
import { PatchClassifier } from '../model/patch-classifier.ts';
import { samplePatch } from '../model/patch-planes.ts';

/** BGR24, row-major. */
interface HeadPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** What the network says about one head. */
export interface HelmetReading {
  readonly state: 'bare' | 'helmet';
  /** 0.5–1. */
  readonly confidence: number;
}

/** What is cut out around a head, in widths and heights of its box: hair, chin strap and collar tell as well. */
const CONTEXT = 1.3;

/** Tells bare heads from helmets by a small network, in boxes of heads. */
export class HelmetNet {
  readonly #classifier: PatchClassifier;

  private constructor(classifier: PatchClassifier) {
    this.#classifier = classifier;
  }

  /** @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID, CHILD_FAILED (retryable) */
  static async open(model: NetworkFile): Promise<HelmetNet> {
    return new HelmetNet(await PatchClassifier.open(model, 'helmet', ['helmet', 'bare']));
  }

  get model(): { readonly name: string; readonly sha256: string } {
    const { name, sha256 } = this.#classifier;
    return { name, sha256 };
  }

  /**
   * @param head box of the head, pixels of the picture
   * @throws NgatuError MODEL_INVALID (retryable) where the inference fails
   */
  async read(picture: HeadPicture, head: Box): Promise<HelmetReading> {
    const [x1, y1, x2, y2] = head;
    const [cx, cy] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const halfWidth = (CONTEXT * Math.max(1, x2 - x1)) / 2;
    const halfHeight = (CONTEXT * Math.max(1, y2 - y1)) / 2;
    const region: Box = [cx - halfWidth, cy - halfHeight, cx + halfWidth, cy + halfHeight];
    const scores = await this.#classifier.classify(samplePatch(picture, region, this.#classifier.form));
    const bare = scores.get('bare') ?? 0;
    return bare >= 0.5 ? { state: 'bare', confidence: bare } : { state: 'helmet', confidence: 1 - bare };
  }

  async close(): Promise<void> {
    await this.#classifier.close();
  }
}
