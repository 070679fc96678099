import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorMessage, NgatuError, parseWithSchema } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';

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
const MAX_BYTES = 16 * 1024 * 1024;

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
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw new NgatuError('TRUTH_INVALID', `Cannot accept ${file}: ${size} bytes`);
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof NgatuError) throw cause;
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  }
  return { name: basename(file, ENDING), annotation: parseOccupantAnnotation(text, file) };
}

/** @throws NgatuError TRUTH_INVALID */
function parseOccupantAnnotation(text: string, file: string): OccupantAnnotation {
  const refuse = (why: string): NgatuError =>
    new NgatuError('TRUTH_INVALID', `Cannot accept ${file}: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse(errorMessage(cause));
  }
  const annotation = parseWithSchema(OccupantAnnotation, value, {
    code: 'TRUTH_INVALID',
    what: `the annotation ${file}`,
  });
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
  return annotation;
}
