import type { RoadUserLabel } from '@ngatu/contract';
import { type Detector, readPictureFile } from '@ngatu/edge';
import { decodePictures, type NoiseGroup, type Picture } from '@ngatu/simulators';
import type { UnlabelledPlaces } from './unlabelled-objects.ts';
import { loadYoloFolder, type YoloObject } from './yolo-folder.ts';

export type Box = readonly [x1: number, y1: number, x2: number, y2: number];
export type Finding = Awaited<ReturnType<Detector['detect']>>[number];

/** A labelled box, px of the picture. `rider` boxes hold the people on a two-wheeler alone, `both` the bike with them. */
export interface TruthBox {
  readonly label: RoadUserLabel | 'rider' | 'both';
  readonly box: Box;
  /** The same in all pictures of a clip. */
  readonly trackId?: number;
}

/** A folder `images` and `labels` (YOLO text) and what its classes mean. */
export interface LabelledFolder {
  readonly name: string;
  readonly dir: string;
  /** By class index; absent classes are not road users. */
  readonly classes: ReadonlyMap<number, TruthBox['label']>;
  /** The pictures were stretched; this is the shape they had, width over height. */
  readonly aspect?: number;
  /** Names of the pictures that are looked at: those that the detector was not trained on. All where it is left out. */
  readonly only?: ReadonlySet<string>;
  /** Every vehicle in the pictures is labelled, or nearly. */
  readonly isComplete: boolean;
  /** Objects that nobody labelled: what is found there is no mistake. */
  readonly unlabelled?: UnlabelledPlaces;
}

export interface LabelledPicture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly truth: readonly TruthBox[];
  readonly findings: readonly Finding[];
  /** Objects that nobody labelled, px of the picture. */
  readonly leftOut: readonly Box[];
}

/** The detector looks at pictures of this width at most, as the default scene has it, px. */
export const ANALYSIS_WIDTH_PX = 960;

/** Which kind of finding a truth is compared with. */
export const GROUP_LABELS: Readonly<Record<NoiseGroup, readonly RoadUserLabel[]>> = {
  heavy: ['car', 'bus', 'truck'],
  bike: ['motorbike', 'bicycle'],
  rider: ['person'],
  pedestrian: ['person'],
};

/**
 * Runs the detector on every picture of a labelled folder.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, VIDEO_UNREADABLE
 */
export async function* detectFolder(
  folder: LabelledFolder,
  detector: Detector,
  signal: AbortSignal,
): AsyncGenerator<LabelledPicture> {
  const { pictures } = await loadYoloFolder(folder.dir, folder.only);
  for (const { file, name, objects } of pictures) {
    for await (const picture of decodePictures(file, { maxWidth: ANALYSIS_WIDTH_PX }, signal)) {
      const straight = folder.aspect === undefined ? picture : restoreAspect(picture, folder.aspect);
      const findings = await detectPicture(straight, detector);
      const truth = placeTruth(objects, straight, folder.classes);
      const { width, height } = straight;
      const places = folder.unlabelled?.byPicture.get(name) ?? [];
      const leftOut = places.length === 0 ? [] : await placeUnlabelled(places, file, straight);
      yield { name, width, height, truth, findings, leftOut };
      break;
    }
  }
}

function placeTruth(
  objects: readonly YoloObject[],
  { width, height }: Picture,
  classes: LabelledFolder['classes'],
): TruthBox[] {
  return objects.flatMap(({ index, box: [x1, y1, x2, y2] }): TruthBox[] => {
    const label = classes.get(index);
    if (label === undefined) return [];
    return [{ label, box: [x1 * width, y1 * height, x2 * width, y2 * height] }];
  });
}

/** `places` come in pixels of the file. */
async function placeUnlabelled(
  places: readonly Box[],
  file: string,
  { width, height }: Picture,
): Promise<Box[]> {
  const { sourceWidth, sourceHeight } = await readPictureFile(file);
  const [x, y] = [width / sourceWidth, height / sourceHeight];
  return places.map(([x1, y1, x2, y2]) => [x1 * x, y1 * y, x2 * x, y2 * y]);
}

/** Squeezes a stretched picture back, by the mean of the rows that fall together. */
function restoreAspect(picture: Picture, aspect: number): Picture {
  const height = Math.round(picture.width / aspect);
  const rowBytes = picture.width * 3;
  const pixels = new Uint8Array(height * rowBytes);
  for (let y = 0; y < height; y++) {
    const from = Math.floor((y * picture.height) / height);
    const to = Math.max(from + 1, Math.floor(((y + 1) * picture.height) / height));
    for (let x = 0; x < rowBytes; x++) {
      let sum = 0;
      for (let row = from; row < to; row++) sum += picture.pixels[row * rowBytes + x] ?? 0;
      pixels[y * rowBytes + x] = Math.round(sum / (to - from));
    }
  }
  return { width: picture.width, height, pixels };
}

/** Runs the detector on one picture. */
export function detectPicture({ width, height, pixels }: Picture, detector: Detector): Promise<Finding[]> {
  const swapped = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i += 3) {
    swapped[i] = pixels[i + 2] ?? 0;
    swapped[i + 1] = pixels[i + 1] ?? 0;
    swapped[i + 2] = pixels[i] ?? 0;
  }
  return detector.detect({
    session: 'noise',
    index: 0,
    mediaTimeMs: 0,
    capturedAtMs: 0,
    clockErrorMs: 0,
    width,
    height,
    pixels: swapped,
    sourceWidth: width,
    sourceHeight: height,
    lamps: [],
  });
}
