import { EventId, PLATE_STATES, PlateFinding, PlateText, Timestamp } from '@ngatu/contract';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { PLATE_VERDICTS } from '../store/plate-store.ts';

/** Schemas of plates; the console takes its types from here. */

const closed = { additionalProperties: false } as const;

const Verdict = Type.Union(PLATE_VERDICTS.map((verdict) => Type.Literal(verdict)));

export const PlateGlance = Type.Object(
  {
    state: Type.Union([...PLATE_STATES, ...PLATE_VERDICTS].map((state) => Type.Literal(state))),
    masked: Type.Optional(Type.String({ description: '`30A-•••45`; a list never shows more.' })),
  },
  {
    ...closed,
    $id: 'PlateGlance',
    description: 'How the plate of a case stands: read by the node, or said by a person.',
  },
);
export type PlateGlance = Static<typeof PlateGlance>;

export const PlateJudgement = Type.Object(
  {
    verdict: Verdict,
    text: Type.Optional(PlateText),
    reason: Type.String(),
    judgedBy: Type.String(),
    judgedAt: Timestamp,
  },
  { ...closed, $id: 'PlateJudgement' },
);
export type PlateJudgement = Static<typeof PlateJudgement>;

export const PlateStatus = Type.Object(
  {
    finding: Type.Optional(
      Type.Unsafe<PlateFinding>({
        $ref: 'PlateFinding#',
        description: 'What the node read, as it was sealed.',
      }),
    ),
    judgements: Type.Array(Type.Unsafe<PlateJudgement>({ $ref: 'PlateJudgement#' }), {
      description: 'What persons said of it, oldest first; the newest counts.',
    }),
  },
  { ...closed, $id: 'PlateStatus' },
);
export type PlateStatus = Static<typeof PlateStatus>;

const Reason = Type.String({
  minLength: 3,
  maxLength: 500,
  description: 'Why; counted without the space around it. It must not repeat the plate.',
});

export const PlateJudgementRequest = Type.Object(
  {
    verdict: Verdict,
    text: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 24,
        description: 'What the plate says, with or without separators: only where it is `corrected`.',
      }),
    ),
    reason: Reason,
    expectedJudgements: Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'How many judgements the person has seen. Another number in the store is a conflict.',
    }),
  },
  closed,
);
export type PlateJudgementRequest = Static<typeof PlateJudgementRequest>;

export const PlateSearchRequest = Type.Object(
  {
    plate: Type.String({
      minLength: 4,
      maxLength: 24,
      description: 'With or without separators; `?` stands for a character that is not known.',
    }),
    reason: Reason,
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: '50 where it is absent.' })),
  },
  closed,
);
export type PlateSearchRequest = Static<typeof PlateSearchRequest>;

export const PlateSearchAnswer = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          eventId: EventId,
          source: Type.Union(
            (['person', 'read', 'candidate'] as const).map((source) => Type.Literal(source)),
            { description: 'Said by a person, read by the node, or no more than a hint of it.' },
          ),
          capturedAt: Timestamp,
          site: Type.String(),
          camera: Type.String(),
          kind: Type.String(),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type PlateSearchAnswer = Static<typeof PlateSearchAnswer>;

/** Schemas that the OpenAPI document names once and refers to. */
export const PLATE_SCHEMAS: readonly TSchema[] = [PlateFinding, PlateGlance, PlateJudgement, PlateStatus];
