import type { SignalHead } from '@ngatu/contract';
import type { LampCrop } from '../frame/frame.ts';
import type { NetworkFile } from '../model/model-file.ts';
import { PatchClassifier } from '../model/patch-classifier.ts';
import { samplePatch } from '../model/patch-planes.ts';

type Lens = SignalHead['lenses'][number];

/** What the network says about one picture of a signal head. */
export interface LampNetReading {
  readonly state: Lens | 'off';
  /** 0–1. */
  readonly confidence: number;
  /** How sure it is that the lit lens shows an arrow, 0–1; of a dark head 0. */
  readonly arrow: number;
}

/** Labels that the network must have; `…-arrow` where the lit lens shows one. */
const DISC_LABELS = ['red', 'amber', 'green'] as const;
const MIN_SIDE_PX = 3;

/** Reads signal heads by a small network. It knows red as the upper or left lens, as the order of the scene's lenses tells. */
export class LampNet {
  readonly #classifier: PatchClassifier;

  private constructor(classifier: PatchClassifier) {
    this.#classifier = classifier;
  }

  /** @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID, CHILD_FAILED (retryable) */
  static async open(model: NetworkFile): Promise<LampNet> {
    return new LampNet(await PatchClassifier.open(model, 'lamp-state', ['off', ...DISC_LABELS]));
  }

  get model(): { readonly name: string; readonly sha256: string } {
    const { name, sha256 } = this.#classifier;
    return { name, sha256 };
  }

  /**
   * @param lenses from above, or from the left
   * @returns undefined where the crop is too small to show anything
   * @throws NgatuError MODEL_INVALID (retryable) where the inference fails
   */
  async read(crop: LampCrop, lenses: readonly Lens[]): Promise<LampNetReading | undefined> {
    if (crop.width < MIN_SIDE_PX || crop.height < MIN_SIDE_PX) return undefined;
    const scores = await this.#classifier.classify(this.#lift(crop, lenses));
    let best: LampNetReading = { state: 'off', confidence: scores.get('off') ?? 0, arrow: 0 };
    for (const state of DISC_LABELS) {
      const arrow = scores.get(`${state}-arrow`) ?? 0;
      const confidence = Math.min(1, (scores.get(state) ?? 0) + arrow);
      if (confidence > best.confidence) best = { state, confidence, arrow: arrow / confidence };
    }
    return best;
  }

  async close(): Promise<void> {
    await this.#classifier.close();
  }

  /** The head upright with red above: one that lies is turned clockwise, one in the other order is turned over. */
  #lift(crop: LampCrop, lenses: readonly Lens[]): Float32Array {
    const { form } = this.#classifier;
    const { rows, columns } = form;
    const region = [0, 0, crop.width, crop.height] as const;
    const isOver = lenses.includes('red') && lenses.indexOf('red') > lenses.indexOf('green');
    const isLying = crop.width > crop.height;
    if (!isLying && !isOver) return samplePatch(crop, region, form);
    const sampled = samplePatch(crop, region, isLying ? { ...form, rows: columns, columns: rows } : form);
    const planes = new Float32Array(sampled.length);
    for (let channel = 0; channel < 3; channel++) {
      const plane = channel * rows * columns;
      for (let y = 0; y < rows; y++) {
        const along = isOver ? rows - 1 - y : y;
        for (let x = 0; x < columns; x++) {
          const from = isLying ? (columns - 1 - x) * rows + along : along * columns + x;
          planes[plane + y * columns + x] = sampled[plane + from] as number;
        }
      }
    }
    return planes;
  }
}
