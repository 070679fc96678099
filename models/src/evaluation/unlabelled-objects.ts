import { basename } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { computeIou } from '@ngatu/edge';
import { Type } from '@sinclair/typebox';
import { JudgedBoxes, readAnnotationFile, refuseAnnotation } from './annotation-file.ts';
import type { PixelBox } from './average-precision.ts';

/** Findings away from every label, judged by eye. Boxes only. */
const UnlabelledObjects = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    label: Type.Union([Type.Literal('plate'), Type.Literal('motorbike')]),
    judged: Type.String({ description: 'Whose findings they are, who judged them, how and when.' }),
    boxes: Type.String({ description: 'Of which pictures the boxes are.' }),
    pictures: Type.Array(
      Type.Object(
        {
          file: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$', maxLength: 300 }),
          /** An object that the labeller left out. */
          seen: JudgedBoxes,
          /** It cannot be told, or the box fits it badly. */
          doubtful: JudgedBoxes,
          /** Certainly none. */
          none: JudgedBoxes,
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 100_000 },
    ),
  },
  { additionalProperties: false },
);

/** Where objects are that nobody labelled: by name of the picture, px. */
export interface UnlabelledPlaces {
  readonly label: 'plate' | 'motorbike';
  /** What is found there counts neither way: what was seen, and what cannot be told. */
  readonly byPicture: ReadonlyMap<string, readonly PixelBox[]>;
  /** What was seen for certain. */
  readonly seen: ReadonlyMap<string, readonly PixelBox[]>;
}

/** A finding is at such a place from this IoU on: small boxes differ from network to network by a pixel or two. */
const MIN_PLACE_IOU = 0.3;

/**
 * Places of objects that nobody labelled, and of those of which nobody can tell.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID
 */
export async function loadUnlabelledPlaces(file: string): Promise<UnlabelledPlaces> {
  const { label, pictures } = await readAnnotationFile(file, UnlabelledObjects);
  const byPicture = new Map<string, readonly PixelBox[]>();
  const certain = new Map<string, readonly PixelBox[]>();
  for (const { file: path, seen = [], doubtful = [], none = [] } of pictures) {
    const name = basename(path);
    if (byPicture.has(name)) throw refuseAnnotation(file, `${name} stands there twice`);
    const empty = [...seen, ...doubtful, ...none].find(([x1, y1, x2, y2]) => x2 <= x1 || y2 <= y1);
    if (empty !== undefined) throw refuseAnnotation(file, `${name}: the box ${empty.join(' ')} is empty`);
    byPicture.set(name, [...seen, ...doubtful]);
    certain.set(name, seen);
  }
  return { label, byPicture, seen: certain };
}

/** @throws NgatuError TRUTH_INVALID where the list is of other objects than are judged */
export function refuseOtherLabel({ label }: UnlabelledPlaces, wanted: UnlabelledPlaces['label']): void {
  if (label === wanted) return;
  throw new NgatuError(
    'TRUTH_INVALID',
    `Cannot accept the unlabelled objects: of ${label}, not of ${wanted}`,
  );
}

/** What a table says of `places` that count neither way; nothing where there are none. */
export function formatLeftOut(places: number): string[] {
  return places > 0 ? [`what is found at ${places} places that nobody labelled counts neither way`] : [];
}

/** Whether a finding is one of `places`. */
export function isAtPlace(box: PixelBox, places: readonly PixelBox[]): boolean {
  return places.some((place) => computeIou(box, place) >= MIN_PLACE_IOU);
}
