import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import { JudgedBoxes, readAnnotationFile, refuseAnnotation } from './annotation-file.ts';
import type { LabelledFace, LabelledPicture, MaskLabel } from './mask-folder.ts';

/** Faces in pictures of other sets, judged by eye. Boxes only. models/training/mask-finder/train.py reads it too. */
const FaceList = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    label: Type.Literal('face'),
    judged: Type.String({ description: 'Whose findings they are, who judged them, how and when.' }),
    boxes: Type.String({ description: 'Of which pictures the boxes are.' }),
    pictures: Type.Array(
      Type.Object(
        {
          /** `SET/NAME`; the picture lies in `SET/images/NAME`. */
          file: Type.String({
            pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$',
            maxLength: 300,
          }),
          /** A mask covers mouth and nose. */
          with: JudgedBoxes,
          /** Nothing lies before mouth and nose. */
          without: JudgedBoxes,
          /** Something else covers them, the box fits badly, or it cannot be told. */
          doubtful: JudgedBoxes,
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 100_000 },
    ),
  },
  { additionalProperties: false },
);

const LABELS = { with: 'with', without: 'without', doubtful: 'left-out' } as const satisfies Record<
  string,
  MaskLabel
>;

/**
 * Reads a list of faces that were judged by eye (`models/annotations/street-faces.json`).
 * @param setsDir folder of the sets that it names
 * @throws NgatuError FILE_UNREADABLE (the list, or a picture that is not there), TRUTH_INVALID
 */
export async function loadFaceList(file: string, setsDir: string): Promise<LabelledPicture[]> {
  const { pictures } = await readAnnotationFile(file, FaceList);
  const known = new Set<string>();
  const list: LabelledPicture[] = [];
  for (const { file: path, ...boxes } of pictures) {
    if (known.has(path)) throw refuseAnnotation(file, `${path} stands there twice`);
    known.add(path);
    const faces: LabelledFace[] = [];
    for (const kind of ['with', 'without', 'doubtful'] as const)
      for (const box of boxes[kind] ?? []) {
        if (box[2] <= box[0] || box[3] <= box[1])
          throw refuseAnnotation(file, `${path}: the box ${box.join(' ')} is empty`);
        faces.push({ label: LABELS[kind], box });
      }
    const [set = '', name = ''] = path.split('/');
    list.push({
      file: await findPicture(join(setsDir, set, 'images', name), file),
      name,
      faces,
    });
  }
  return list;
}

async function findPicture(path: string, list: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (cause) {
    const message = `Cannot find the picture ${path} of ${list}: ${errorMessage(cause)}`;
    throw new NgatuError('FILE_UNREADABLE', message, { cause });
  }
}
