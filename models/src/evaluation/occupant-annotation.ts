import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import { readAnnotationFile, refuseAnnotation } from './annotation-file.ts';

const Pixel = Type.Number({ minimum: -10_000, maximum: 100_000 });
const RelativePath = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$', maxLength: 300 });
const Motorbikes = Type.Array(
  Type.Object(
    {
      box: Type.Tuple([Pixel, Pixel, Pixel, Pixel], {
        description: 'Motorbike with who sits on it: x1, y1, x2, y2, px of the picture.',
      }),
      occupants: Type.Integer({ minimum: 0, maximum: 20 }),
    },
    { additionalProperties: false },
  ),
  { minItems: 1, maxItems: 1_000 },
);

/** How many people a motorbike carries, as a person saw it: `NAME.occupants.json`. Numbers and boxes only. */
const OccupantAnnotation = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    source: Type.Union([
      Type.Object({ folder: RelativePath }, { additionalProperties: false }),
      Type.Object(
        {
          video: RelativePath,
          size: Type.Tuple([Type.Integer({ minimum: 16 }), Type.Integer({ minimum: 16 })]),
        },
        { additionalProperties: false },
      ),
    ]),
    counted: Type.String({ description: 'Who is counted.' }),
    reader: Type.String({ description: 'Who read it, how and when.' }),
    boxes: Type.String({ description: 'Where the boxes come from.' }),
    pictures: Type.Array(
      Type.Object(
        {
          file: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', maxLength: 200 })),
          frame: Type.Optional(Type.Integer({ minimum: 0, description: 'In decode order from 0.' })),
          motorbikes: Motorbikes,
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 10_000 },
    ),
  },
  { additionalProperties: false },
);
export type OccupantAnnotation = Static<typeof OccupantAnnotation>;
export type AnnotatedMotorbike = OccupantAnnotation['pictures'][number]['motorbikes'][number];

const ENDING = '.occupants.json';

/** @throws NgatuError FILE_UNREADABLE where there is none */
export async function listOccupantAnnotations(dir: string): Promise<string[]> {
  let files: string[];
  try {
    files = await readdir(dir);
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${dir}: ${errorMessage(cause)}`, { cause });
  }
  const names = files.filter((file) => file.endsWith(ENDING)).sort();
  if (names.length === 0)
    throw new NgatuError('FILE_UNREADABLE', `Cannot evaluate occupants on ${dir}: no *${ENDING} in it`);
  return names.map((name) => join(dir, name));
}

/** @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID */
export async function loadOccupantAnnotation(
  file: string,
): Promise<{ name: string; annotation: OccupantAnnotation }> {
  const annotation = await readAnnotationFile(file, OccupantAnnotation);
  checkOccupantAnnotation(annotation, (why) => refuseAnnotation(file, why));
  return { name: basename(file, ENDING), annotation };
}

function checkOccupantAnnotation(annotation: OccupantAnnotation, refuse: (why: string) => NgatuError): void {
  const key = 'folder' in annotation.source ? 'file' : 'frame';
  for (const [at, picture] of annotation.pictures.entries()) {
    if (picture[key] === undefined) throw refuse(`/pictures/${at} has no "${key}"`);
    const empty = picture.motorbikes.findIndex(({ box: [x1, y1, x2, y2] }) => x2 <= x1 || y2 <= y1);
    if (empty >= 0) throw refuse(`/pictures/${at}/motorbikes/${empty}: the box is empty`);
  }
  if ('folder' in annotation.source && annotation.source.folder.split('/').includes('..'))
    throw refuse('/source/folder leads out of the folder of the media');
  if ('video' in annotation.source && annotation.source.video.split('/').includes('..'))
    throw refuse('/source/video leads out of the folder of the media');
}
