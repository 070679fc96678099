import { type Static, Type } from '@sinclair/typebox';
import { RoadUserLabel } from './event.ts';
import { Slug } from './id.ts';

export const Labels = Type.Array(RoadUserLabel, {
  minItems: 1,
  uniqueItems: true,
  description: 'Road users the rule looks at.',
});

export const ALL_VEHICLES = ['motorbike', 'bicycle', 'car', 'bus', 'truck'] as const;

export const ruleBase = {
  name: Slug,
  cooldownMs: Type.Number({
    minimum: 0,
    maximum: 3_600_000,
    default: 60_000,
    description: 'The same road user does not fire the same rule again within this time, ms.',
  }),
};

/** The road users of a rule, with those it looks at where the scene names none. */
export function labelsWithDefault(labels: readonly RoadUserLabel[]) {
  return Type.Unsafe<Static<typeof Labels>>({ ...Labels, default: [...labels] });
}
