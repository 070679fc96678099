import sharp from 'sharp';
import type { PixelPicture } from '../evidence/blur-mosaic.ts';
import { applyBlur, encodeStill, readPixels } from '../evidence/blur-still.ts';
import { planBlur } from '../evidence/blur-zone.ts';
import { openFaceDetector, openOtherFaceDetector, type PartDetector } from '../evidence/part-detector.ts';
import { PREVIEW_LONG_SIDE_PX } from '../evidence/preview-choice.ts';
import type { SeenRoadUser } from '../evidence/road-user-sight.ts';
import type { Box } from '../geometry/box.ts';
import type { VerifiedNetwork } from '../model/model-file.ts';
import { openPlateParts } from './plate-parts.ts';

/** What was read in a box. `confidence` is that of its least sure character. */
export interface TrialReading {
  readonly text: string;
  readonly confidence: number;
}

/** Reads what stands in a box of a picture; whoever opened it closes it. */
export interface TrialReader {
  /** @throws NgatuError MODEL_INVALID */
  readText(picture: PixelPicture, box: Box): Promise<TrialReading>;
}

/** What is tried: the detectors that blur, and those that only look. */
export interface BlurTrialModels {
  readonly face?: VerifiedNetwork;
  readonly plate?: VerifiedNetwork;
  /** Look before and after; do not blur. */
  readonly watchFace: VerifiedNetwork;
  readonly watchPlate: VerifiedNetwork;
  readonly otherFace?: VerifiedNetwork;
  readonly otherPlate?: VerifiedNetwork;
  readonly reader?: TrialReader;
}

interface Looked {
  readonly faces: readonly Box[];
  readonly plates: readonly Box[];
  readonly otherFaces?: readonly Box[];
  readonly otherPlates?: readonly Box[];
}

interface Watch {
  readonly face: PartDetector;
  readonly plate: PartDetector;
  readonly otherFace: PartDetector | undefined;
  readonly otherPlate: PartDetector | undefined;
}

export interface BlurTrialRun {
  readonly before: Looked;
  readonly after: Looked;
  /** Every plate that was found before, as it was read before and in the same place after. */
  readonly readings?: readonly {
    readonly box: Box;
    readonly before: TrialReading;
    readonly after: TrialReading;
  }[];
}

/** Blurs pictures as evidence does, JPEG and all, and looks at them before and after: for measurements. */
export class BlurTrial {
  readonly recipe: string;
  readonly #blur: { face: PartDetector | undefined; plate: PartDetector | undefined };
  readonly #watch: Watch;
  readonly #reader: TrialReader | undefined;

  private constructor(
    blur: { face: PartDetector | undefined; plate: PartDetector | undefined },
    watch: Watch,
    reader: TrialReader | undefined,
  ) {
    this.#blur = blur;
    this.#watch = watch;
    this.#reader = reader;
    this.recipe = `faces=${blur.face?.label ?? 'none'} plates=${blur.plate?.label ?? 'none'}`;
  }

  /** @throws NgatuError MODEL_INVALID */
  static async open(models: BlurTrialModels): Promise<BlurTrial> {
    const watch = {
      face: await openFaceDetector(models.watchFace),
      plate: await openPlateParts(models.watchPlate),
      otherFace: models.otherFace === undefined ? undefined : await openOtherFaceDetector(models.otherFace),
      otherPlate: models.otherPlate === undefined ? undefined : await openPlateParts(models.otherPlate),
    };
    const blur = {
      face: models.face === undefined ? undefined : await openFaceDetector(models.face),
      plate: models.plate === undefined ? undefined : await openPlateParts(models.plate),
    };
    return new BlurTrial(blur, watch, models.reader);
  }

  /**
   * Blurs a picture and looks at it before and after. A preview is scaled down first, and its road users are blurred wholly, as evidence does.
   * @throws NgatuError PICTURE_UNREADABLE, MODEL_INVALID
   */
  async run(
    file: string,
    options: {
      readonly users: readonly SeenRoadUser[];
      readonly subject?: SeenRoadUser;
      readonly form: 'still' | 'preview';
    },
  ): Promise<BlurTrialRun> {
    const source = await readPixels(file);
    const isPreview = options.form === 'preview';
    const picture = isPreview ? await shrink(source) : source;
    const scale = picture.width / source.width;
    const before = await this.#look(picture);
    const { face, plate } = this.#blur;
    const faces = await find(face, picture);
    const plates = await find(plate, picture);
    const blurred = { ...picture, data: Uint8Array.from(picture.data) };
    applyBlur(
      blurred,
      planBlur({
        ...{ width: picture.width, height: picture.height, faces, plates },
        users: options.users.map((user) => scaleUser(user, scale)),
        subject: options.subject === undefined ? undefined : scaleUser(options.subject, scale),
        scope: isPreview
          ? { faces: false, plates: false }
          : { faces: face !== undefined, plates: plate !== undefined },
      }),
    );
    const shown = await asShown(blurred);
    const after = await this.#look(shown);
    const reader = this.#reader;
    if (reader === undefined) return { before, after };
    const readings = [];
    for (const box of before.plates)
      readings.push({
        box,
        before: await reader.readText(picture, box),
        after: await reader.readText(shown, box),
      });
    return { before, after, readings };
  }

  async close(): Promise<void> {
    const detectors = [...Object.values(this.#blur), ...Object.values(this.#watch)];
    for (const detector of detectors) await detector?.close();
  }

  async #look(picture: PixelPicture): Promise<Looked> {
    const { face, plate, otherFace, otherPlate } = this.#watch;
    return {
      ...{ faces: await find(face, picture), plates: await find(plate, picture) },
      ...(otherFace === undefined ? {} : { otherFaces: await find(otherFace, picture) }),
      ...(otherPlate === undefined ? {} : { otherPlates: await find(otherPlate, picture) }),
    };
  }
}

async function find(detector: PartDetector | undefined, picture: PixelPicture): Promise<Box[]> {
  return (await detector?.find(picture))?.map(({ box }) => box) ?? [];
}

function scaleUser(user: SeenRoadUser, factor: number): SeenRoadUser {
  const scale = ([x1, y1, x2, y2]: Box): Box => [x1 * factor, y1 * factor, x2 * factor, y2 * factor];
  return { ...user, box: scale(user.box), occupants: user.occupants.map(scale) };
}

async function shrink(picture: PixelPicture): Promise<PixelPicture> {
  const { data, width, height } = picture;
  const factor = Math.min(1, PREVIEW_LONG_SIDE_PX / Math.max(width, height));
  const size = { width: Math.round(width * factor), height: Math.round(height * factor) };
  const pixels = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(size.width, size.height, { fit: 'fill' })
    .raw()
    .toBuffer();
  return { data: pixels, ...size, channels: 3 };
}

/** As a browser gets it: through the JPEG. */
async function asShown({ data, width, height }: PixelPicture): Promise<PixelPicture> {
  const jpeg = await encodeStill({ data, width, height, channels: 3 });
  const { data: pixels } = await sharp(jpeg).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data: pixels, width, height, channels: 3 };
}
