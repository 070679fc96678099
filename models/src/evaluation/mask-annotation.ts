import type { NgatuError } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import { readAnnotationFile, refuseAnnotation } from './annotation-file.ts';

const Ms = Type.Integer({ minimum: 0, description: 'Media time, ms.' });
const Pixel = Type.Number();
const Span = Type.Tuple([Ms, Ms]);

/** Who walks through a clip and wears a mask, as a person saw it: `NAME.masks.json`. Numbers and boxes only. */
export const MaskAnnotation = Type.Object({
  schemaVersion: Type.Literal(1),
  video: Type.String({ minLength: 1, description: 'File name of the clip.' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Of the clip.' }),
  asset: Type.String({ description: 'Name in the asset manifest.' }),
  size: Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })]),
  madeBy: Type.String({ description: 'How the boxes were made.' }),
  countFromPx: Type.Number({
    minimum: 0,
    description:
      'Nobody whose face stays smaller was annotated: the shorter side, px. Who is found there does not count.',
  }),
  ignored: Type.Array(Type.Object({ fromMs: Ms, toMs: Ms, why: Type.String() }), {
    description: 'Times in which nobody is counted.',
  }),
  people: Type.Array(
    Type.Object({
      id: Type.Integer({ minimum: 1 }),
      mask: Type.Union([Type.Literal('with'), Type.Literal('without')]),
      keyframes: Type.Array(Type.Tuple([Ms, Pixel, Pixel, Pixel, Pixel]), {
        minItems: 1,
        description:
          'Time, then the box of the face as x1, y1, x2, y2; straight motion to the next keyframe.',
      }),
      hidden: Type.Optional(Type.Array(Span, { description: 'Times in which the face is not to be seen.' })),
      note: Type.Optional(Type.String()),
    }),
    { minItems: 1 },
  ),
});
export type MaskAnnotation = Static<typeof MaskAnnotation>;
export type AnnotatedPerson = MaskAnnotation['people'][number];

/** @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID */
export async function loadMaskAnnotation(file: string): Promise<MaskAnnotation> {
  const annotation = await readAnnotationFile(file, MaskAnnotation);
  const refuse = (why: string): NgatuError => refuseAnnotation(file, why);
  const ids = new Set<number>();
  for (const { id, keyframes } of annotation.people) {
    if (ids.has(id)) throw refuse(`person ${id} stands there twice`);
    ids.add(id);
    let last = -1;
    for (const [atMs, x1, y1, x2, y2] of keyframes) {
      if (atMs <= last) throw refuse(`the keyframes of person ${id} are not in rising order at ${atMs} ms`);
      if (x2 <= x1 || y2 <= y1) throw refuse(`the box of person ${id} at ${atMs} ms is empty`);
      last = atMs;
    }
  }
  return annotation;
}

/** Box of a person's face at a time; undefined where it is not to be seen. */
export function locateFace(
  { keyframes, hidden }: AnnotatedPerson,
  atMs: number,
): [number, number, number, number] | undefined {
  if (hidden?.some(([from, to]) => atMs >= from && atMs <= to) === true) return undefined;
  for (const [index, from] of keyframes.entries()) {
    const to = keyframes[index + 1] ?? from;
    if (atMs < from[0] || atMs > to[0]) continue;
    const share = to[0] === from[0] ? 0 : (atMs - from[0]) / (to[0] - from[0]);
    const at = (a: number, b: number): number => a + share * (b - a);
    return [at(from[1], to[1]), at(from[2], to[2]), at(from[3], to[3]), at(from[4], to[4])];
  }
  return undefined;
}
