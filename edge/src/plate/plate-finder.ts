import type { Box } from '../geometry/box.ts';
import type { VerifiedNetwork } from '../model/model-file.ts';
import { DEFAULT_PLATE_DETECTOR_CONFIDENCE, type FoundPlate, PlateDetector } from './plate-detector.ts';
import { glanceAtPlate, PlateReader } from './plate-reader.ts';
import type { PlateLook, PlatePicture } from './plate-reading.ts';

export interface PlateFinderModels {
  readonly detector: VerifiedNetwork;
  /** Pooled where they are several. */
  readonly readers: readonly VerifiedNetwork[];
}

/** Detectors cut the outermost characters: a box is widened by this share of its size on each side. */
const WIDEN = 0.04;
/** Nobody reads a plate of fewer pixels: two lines of four characters want as much, px. */
const MIN_PLATE_HEIGHT = 8;
const MAX_PLATES = 6;

/** Finds the plates of a region in full resolution, and reads each. */
export class PlateFinder {
  readonly #detector: PlateDetector;
  readonly #reader: PlateReader;

  private constructor(detector: PlateDetector, reader: PlateReader) {
    this.#detector = detector;
    this.#reader = reader;
  }

  /** @throws NgatuError MODEL_INVALID */
  static async open(models: PlateFinderModels, threads: number): Promise<PlateFinder> {
    const detector = await PlateDetector.open(models.detector, threads, {
      minConfidence: DEFAULT_PLATE_DETECTOR_CONFIDENCE,
    });
    try {
      return new PlateFinder(detector, await PlateReader.open(models.readers, threads));
    } catch (error) {
      await detector.close();
      throw error;
    }
  }

  /**
   * One look at every plate in the region, the most plainly seen first. A plate that is too small to be read has no characters.
   * @param within source pixels
   * @throws NgatuError MODEL_INVALID where the inference fails
   */
  async find(picture: PlatePicture, within: Box): Promise<readonly PlateLook[]> {
    const found = await this.#detector.find(picture, within);
    const looks: PlateLook[] = [];
    for (const plate of found.slice(0, MAX_PLATES))
      looks.push(await lookAtPlate(this.#reader, picture, plate));
    return looks;
  }

  async close(): Promise<void> {
    await this.#detector.close();
    await this.#reader.close();
  }
}

/** Reads what was found, once. A plate that is too small has no characters and costs no reading. @throws NgatuError MODEL_INVALID where the inference fails */
export async function lookAtPlate(
  reader: Pick<PlateReader, 'read'>,
  picture: PlatePicture,
  { box, confidence }: FoundPlate,
): Promise<PlateLook> {
  const isTooSmall = box[3] - box[1] < MIN_PLATE_HEIGHT;
  const look = isTooSmall
    ? await glanceAtPlate(picture, widen(box), confidence)
    : await reader.read(picture, widen(box), confidence);
  return { ...look, box };
}

function widen([x1, y1, x2, y2]: Box): Box {
  const [dx, dy] = [(x2 - x1) * WIDEN, (y2 - y1) * WIDEN];
  return [x1 - dx, y1 - dy, x2 + dx, y2 + dy];
}
