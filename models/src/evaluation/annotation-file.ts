import { readFile, stat } from 'node:fs/promises';
import { errorMessage, NgatuError, parseWithSchema } from '@ngatu/contract';
import { type Static, type TSchema, Type } from '@sinclair/typebox';

const MAX_BYTES = 16 * 1024 * 1024;

const Pixel = Type.Number({ minimum: -10_000, maximum: 100_000 });

/** Boxes of one kind in a list that was judged by eye; there may be none. */
export const JudgedBoxes = Type.Optional(
  Type.Array(Type.Tuple([Pixel, Pixel, Pixel, Pixel]), {
    maxItems: 10_000,
    description: 'x1, y1, x2, y2, px.',
  }),
);

/**
 * Reads an annotation: a JSON file that a person wrote, or that was written for one.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID (also where it is larger than 16 MiB)
 */
export async function readAnnotationFile<T extends TSchema>(file: string, schema: T): Promise<Static<T>> {
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw refuseAnnotation(file, `${size} bytes`);
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof NgatuError) throw cause;
    const message = `Cannot read annotation ${file}: ${errorMessage(cause)}`;
    throw new NgatuError('FILE_UNREADABLE', message, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuseAnnotation(file, errorMessage(cause));
  }
  return parseWithSchema(schema, value, { code: 'TRUTH_INVALID', what: `annotation ${file}` });
}

/** What is thrown where an annotation contradicts itself. */
export function refuseAnnotation(file: string, why: string): NgatuError {
  return new NgatuError('TRUTH_INVALID', `Cannot accept annotation ${file}: ${why}`);
}
