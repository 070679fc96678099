import { type Static, Type } from '@sinclair/typebox';
import { Slug, Timestamp } from './id.ts';

/**
 * What a person declares about a camera for a while, because the picture alone does not tell it.
 * `officer-directing`: an officer directs the traffic, whose sign goes before the lamp. `emergency-passage`: road users make way
 * for an emergency vehicle or a convoy. Under both the rules go on, and what they find is let pass with that reason.
 * `rules-suspended`: no rule of the camera judges; the time is accounted as not looked at.
 */
export const DIRECTIVE_KINDS = ['officer-directing', 'emergency-passage', 'rules-suspended'] as const;
export const DirectiveKind = Type.Union(
  DIRECTIVE_KINDS.map((kind) => Type.Literal(kind)),
  { description: 'What is declared.' },
);
export type DirectiveKind = (typeof DIRECTIVE_KINDS)[number];

/** A directive ends by itself after this long at most, ms: a forgotten switch must not silence a junction for good. */
export const DIRECTIVE_MAX_MS = 12 * 3_600_000;
/** So long after its end a directive is still told to the node, ms: pictures of before may still wait to be judged. */
export const DIRECTIVE_MEMORY_MS = 10 * 60_000;
/** So many of one node are kept at once. */
export const DIRECTIVES_MAX = 100;

export const DirectiveId = Type.String({
  pattern: '^di-[0-9a-f]{32}$',
  description: 'Name of one declaration, given by the centre.',
});

/** One declaration, in force at every instant in the half-open [from, until). Who declared it stays at the centre. */
export const Directive = Type.Object(
  {
    directiveId: DirectiveId,
    camera: Slug,
    kind: DirectiveKind,
    from: Timestamp,
    until: Timestamp,
    reason: Type.String({
      minLength: 3,
      maxLength: 200,
      description: 'Why, in the words of who declared it.',
    }),
  },
  { additionalProperties: false, $id: 'Directive' },
);
export type Directive = Static<typeof Directive>;

/**
 * Payload of the retained `directive` topic of a node: all that is in force there, was until lately, or will be. A node takes a
 * set only where its revision is higher than the one it holds, so an old retained message cannot bring back what was ended.
 */
export const DirectiveSet = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    revision: Type.Integer({ minimum: 1, description: 'Grows with every change of this node.' }),
    publishedAt: Timestamp,
    directives: Type.Array(Directive, { maxItems: DIRECTIVES_MAX }),
  },
  { additionalProperties: false, $id: 'DirectiveSet' },
);
export type DirectiveSet = Static<typeof DirectiveSet>;

/** The directives of a camera that were in force at an instant on the node's clock, ms since 1970. */
export type DirectiveLookup = (camera: string, capturedAtMs: number) => readonly Directive[];

/** True where the directive is in force at `atMs`, ms since 1970. */
export function isInForce(directive: Directive, atMs: number): boolean {
  return Date.parse(directive.from) <= atMs && atMs < Date.parse(directive.until);
}
