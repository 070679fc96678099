import { readFile } from 'node:fs/promises';
import { errorMessage, NgatuError, parseWithSchema } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';

const FrameRange = Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 0 })]);

const TruthEvent = Type.Object({
  id: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
  kind: Type.String({ minLength: 1, description: 'RED_LIGHT, STOP_LINE …, several with "/", or "any".' }),
  frame: Type.Optional(Type.Integer({ minimum: 0, description: 'The decisive source frame, decode order.' })),
  frame_range: Type.Optional(
    Type.Unsafe<Static<typeof FrameRange>>({
      ...FrameRange,
      description: 'A claim may name any frame in here.',
    }),
  ),
  tolerance_frames: Type.Optional(
    Type.Integer({ minimum: 0, description: 'How sure the reader is of `frame`; added to the tolerance.' }),
  ),
  x: Type.Optional(Type.Number({ description: 'Ground contact at `frame`, source pixels.' })),
  y: Type.Optional(Type.Number()),
  path: Type.Optional(
    Type.Array(Type.Tuple([Type.Integer({ minimum: 0 }), Type.Number(), Type.Number()]), {
      description:
        'Where the road user stands (lower middle of its box) by frame: `[frame, x, y]`, in order.',
    }),
  ),
});

/** Truth of one clip, read by eye or written by the simulator. Fields that are not named here are notes for people. */
export const ViolationTruth = Type.Object({
  video: Type.Optional(Type.String({ minLength: 1, description: 'File beside the truth; else `NAME.mp4`.' })),
  frames: Type.Optional(Type.Integer({ minimum: 1 })),
  size: Type.Optional(Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })])),
  kinds: Type.Optional(
    Type.Array(Type.String(), {
      description: 'The truth is complete for these kinds; claims of others are not judged.',
    }),
  ),
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

/** Every event that should be found. */
export function listTruthEvents(truth: ViolationTruth): TruthEvent[] {
  return [...truth.events, ...(truth.stop_line_only ?? [])];
}

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
  const truth = parseWithSchema(ViolationTruth, value, { code: 'TRUTH_INVALID', what: `truth ${file}` });
  listTruthEvents(truth).forEach((event, index) => {
    if (event.frame !== undefined || event.frame_range !== undefined) return;
    throw new NgatuError(
      'TRUTH_INVALID',
      `Cannot accept truth ${file}: event ${event.id ?? index} has neither frame nor frame_range`,
    );
  });
  return truth;
}
