import { type Static, Type } from '@sinclair/typebox';
import { Sha256, Slug, Timestamp, WireBox } from './id.ts';

const closed = { additionalProperties: false } as const;
const Probability = Type.Number({ minimum: 0, maximum: 1 });

/**
 * What is said of the plate of an event's road user. `read`: sure enough to be used. `ambiguous`: the characters are sure, but more
 * than one plate is written so. `unreadable`: looked, and not sure enough. `not-read`: nobody looked.
 */
export const PLATE_STATES = ['read', 'ambiguous', 'unreadable', 'not-read'] as const;
export type PlateState = (typeof PLATE_STATES)[number];

/**
 * Why there is no sure text. `model-missing`: the node has no model that reads plates; `model-failed`: it has one that cannot be opened
 * or run; `process-failed`: the process of pictures ended; `recording-missing`: the ring holds no picture of it; `subject-unseen`: nobody
 * knows who was where (a restart in between); `no-plate`: none was found on the road user; `other-road-user`: what was found may be
 * another road user's; `illegible`: found and bound, but no character can be read on what was found; `unsure`: characters that are not
 * sure; `several-plates`: sure characters that stand for more than one plate.
 */
export const PLATE_REASONS = [
  'model-missing',
  'model-failed',
  'process-failed',
  'recording-missing',
  'subject-unseen',
  'no-plate',
  'other-road-user',
  'illegible',
  'unsure',
  'several-plates',
] as const;
export type PlateReason = (typeof PLATE_REASONS)[number];

/** Canonical text of a plate: no separators, Đ as D. */
export const PlateText = Type.String({
  pattern: '^[0-9A-Z]{1,12}$',
  description: 'Text of a plate: no separators, Đ as D.',
});

const PlateCandidate = Type.Object({ text: PlateText, confidence: Probability }, closed);

const Character = Type.String({ pattern: '^[0-9A-Z]$' });

/** One character in its place, with what else it could be, likeliest first. */
const PlateSign = Type.Object(
  {
    character: Character,
    confidence: Probability,
    alternatives: Type.Array(Type.Object({ character: Character, confidence: Probability }, closed), {
      maxItems: 8,
    }),
  },
  closed,
);

/**
 * What the node read on the plate of an event's road user; part of the sealed manifest. Absent there where the node was told not to
 * read plates, or the road user carries none. Personal data: it is never in a topic, an address, a log or a metric.
 */
export const PlateFinding = Type.Object(
  {
    state: Type.Union(PLATE_STATES.map((state) => Type.Literal(state))),
    reason: Type.Optional(Type.Union(PLATE_REASONS.map((reason) => Type.Literal(reason)))),
    text: Type.Optional(PlateText),
    shown: Type.Optional(
      Type.String({ minLength: 1, maxLength: 20, description: 'As it is written: `30A-123.45`.' }),
    ),
    confidence: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'Probability that the whole text is right.' }),
    ),
    characters: Type.Array(PlateSign, { maxItems: 12 }),
    alternatives: Type.Array(PlateCandidate, { maxItems: 8, description: 'Other texts, likeliest first.' }),
    format: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$', maxLength: 64 })),
    frames: Type.Integer({ minimum: 0, maximum: 64, description: 'Pictures that were looked at.' }),
    looks: Type.Integer({ minimum: 0, maximum: 64, description: 'Readings that were combined.' }),
    seen: Type.Optional(
      Type.Object(
        { capturedAt: Timestamp, box: WireBox },
        { ...closed, description: 'The picture that was read best (`plate-frame`), and where in it.' },
      ),
    ),
    models: Type.Array(Type.Object({ name: Slug, sha256: Sha256 }, closed), {
      maxItems: 4,
      description: 'What found and read it.',
    }),
  },
  { ...closed, $id: 'PlateFinding' },
);
export type PlateFinding = Static<typeof PlateFinding>;

/** A finding of a plate that nobody looked at, or on which nothing was found. */
export function buildPlateAbsence(
  reason: PlateReason,
  about: Partial<Pick<PlateFinding, 'frames' | 'models'>> = {},
): PlateFinding {
  const isLook = reason === 'no-plate' || reason === 'other-road-user' || reason === 'unsure';
  return {
    ...{ state: isLook ? 'unreadable' : 'not-read', reason, characters: [], alternatives: [] },
    ...{ frames: about.frames ?? 0, looks: 0, models: about.models ?? [] },
  };
}
