import { readFile } from 'node:fs/promises';
import { errorMessage, NgatuError, parseWithSchema } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';

const FrameRange = Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 0 })]);

const TruthEvent = Type.Object({
  id: Type.String(),
  kind: Type.String({ description: 'RED_LIGHT, STOP_LINE …, several with "/", or "any".' }),
  frame: Type.Optional(Type.Integer({ minimum: 0 })),
  frame_range: Type.Optional(FrameRange),
  x: Type.Optional(Type.Number()),
  y: Type.Optional(Type.Number()),
});

/** Truth of one clip, read by eye. Fields that are not named here are notes for people. */
export const ViolationTruth = Type.Object({
  video: Type.String(),
  frames: Type.Integer({ minimum: 1 }),
  size: Type.Tuple([Type.Integer(), Type.Integer()]),
  light: Type.Optional(
    Type.Object({
      green: Type.Optional(Type.Array(FrameRange)),
      amber: Type.Optional(Type.Array(FrameRange)),
      red: Type.Optional(Type.Array(FrameRange)),
    }),
  ),
  events: Type.Array(TruthEvent),
  stop_line_only: Type.Optional(Type.Array(TruthEvent)),
  ambiguous_ignore: Type.Optional(Type.Array(TruthEvent)),
});
export type ViolationTruth = Static<typeof ViolationTruth>;
export type TruthEvent = Static<typeof TruthEvent>;

/** @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID */
export async function loadViolationTruth(file: string): Promise<ViolationTruth> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read truth ${file}: ${errorMessage(cause)}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new NgatuError('TRUTH_INVALID', `Cannot accept truth ${file}: ${errorMessage(cause)}`, { cause });
  }
  return parseWithSchema(ViolationTruth, value, { code: 'TRUTH_INVALID', what: `truth ${file}` });
}
