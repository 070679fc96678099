import { type Static, Type } from '@sinclair/typebox';
import { LocalizedText, Slug, Timestamp } from './id.ts';

/** What a camera must have in order before its rules may flag anybody. */
export const READINESS_ITEMS = [
  'calibration',
  'clock',
  'focus',
  'exposure',
  'obstruction',
  'view',
  'signal-sync',
] as const;
export const ReadinessItemName = Type.Union(READINESS_ITEMS.map((item) => Type.Literal(item)));
export type ReadinessItemName = (typeof READINESS_ITEMS)[number];

/** One item of a camera's readiness. `unknown`: not measured yet, or nothing to compare with; it blocks nothing. */
export const ReadinessItem = Type.Object(
  {
    item: ReadinessItemName,
    state: Type.Union([Type.Literal('ready'), Type.Literal('failing'), Type.Literal('unknown')]),
    since: Timestamp,
    measures: Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9]*$' }), Type.Number(), {
      description: 'What was measured, by name with the unit last (`movedPx`).',
    }),
    reason: LocalizedText,
  },
  { additionalProperties: false },
);
export type ReadinessItem = Static<typeof ReadinessItem>;

/** A rule that may not flag now, and the items that keep it from it. */
export const BlockedRule = Type.Object(
  {
    rule: Slug,
    items: Type.Array(ReadinessItemName, {
      minItems: 1,
      maxItems: READINESS_ITEMS.length,
      uniqueItems: true,
    }),
  },
  { additionalProperties: false },
);
export type BlockedRule = Static<typeof BlockedRule>;

/** Readiness of a camera as it stands: "rule X is blocked because the camera moved 14 px". */
export const Readiness = Type.Object(
  {
    at: Timestamp,
    items: Type.Array(ReadinessItem, { maxItems: READINESS_ITEMS.length }),
    blocked: Type.Array(BlockedRule, { maxItems: 64 }),
  },
  {
    additionalProperties: false,
    description: 'Which rules of the camera may flag, and what keeps the others from it.',
  },
);
export type Readiness = Static<typeof Readiness>;

/**
 * Time in which one rule did not look although the camera did: half-open [from, to). Blind time of a rule is that of its camera
 * and these; intervals of one rule never overlap.
 */
export const RuleBlindInterval = Type.Object(
  { from: Timestamp, to: Timestamp, ...BlockedRule.properties },
  { additionalProperties: false },
);
export type RuleBlindInterval = Static<typeof RuleBlindInterval>;
