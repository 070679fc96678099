import { findSchemaIssues, RoadUserLabel } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { RuleMemory } from '../rules/rule.ts';

const Side = Type.Number({ minimum: -100_000, maximum: 100_000 });
const Saved = Type.Object({
  sceneSha256: Type.String(),
  rules: Type.Record(
    Type.String(),
    Type.Array(
      Type.Object({
        box: Type.Tuple([Side, Side, Side, Side]),
        label: RoadUserLabel,
        lastSeenAtMs: Type.Number(),
      }),
    ),
  ),
});

/** What the rules of a scene remember, as text for the disk. */
export function encodeRuleMemory(rules: RuleMemory, sceneSha256: string): string {
  return JSON.stringify({ sceneSha256, rules });
}

/**
 * What was saved; undefined where it is of another scene, whose pixels mean something else, or was written by a version
 * that kept other things: a case may then be told once more, but the camera is watched.
 */
export function decodeRuleMemory(text: string, sceneSha256: string): RuleMemory | undefined {
  let saved: unknown;
  try {
    saved = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (findSchemaIssues(Saved, saved).length > 0) return undefined;
  const { sceneSha256: ofScene, rules } = saved as Static<typeof Saved>;
  return ofScene === sceneSha256 ? rules : undefined;
}
