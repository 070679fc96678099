import { createHash } from 'node:crypto';
import { findSchemaIssues, GateSelfCheck, NgatuError } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';

/** More readings than a window holds are not a memory of this product. */
const MAX_READINGS = 10_000;
/** Self-checks that are kept. */
export const SELF_CHECKS_KEPT = 30;

const closed = { additionalProperties: false } as const;
const Celsius = Type.Number({ minimum: -100, maximum: 200 });
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Instant = Type.Number({ minimum: 0, maximum: 8.64e15, description: 'ms since 1970.' });

const SiteMemory = Type.Object(
  {
    healthy: Type.Array(Celsius, {
      maxItems: MAX_READINGS,
      description: 'Readings that the middle is taken of.',
    }),
    recent: Type.Array(Celsius, { maxItems: MAX_READINGS }),
    readings: Count,
    cusum: Type.Number({ minimum: 0, maximum: 1_000 }),
    held: Type.Boolean(),
    middleC: Type.Optional(Celsius),
    spreadC: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 50 })),
  },
  closed,
);
/** What one region of a site has been learned to read. Temperatures without names. */
export type SiteMemory = Static<typeof SiteMemory>;

const TallyMemory = Type.Object(
  { fromMs: Instant, passed: Count, measured: Count, refused: Type.Record(Type.String(), Count) },
  closed,
);
/** The counts of the window that is under way. */
export type TallyMemory = Static<typeof TallyMemory>;

const GateMemory = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    /** Camera and place that it was learned with. */
    fingerprint: Type.String({ maxLength: 64 }),
    poweredOnMs: Instant,
    lastFrameMs: Instant,
    checkedMs: Type.Optional(Instant),
    selfChecks: Type.Array(GateSelfCheck, { maxItems: SELF_CHECKS_KEPT }),
    sites: Type.Object({ innerCanthi: SiteMemory, faceMaximum: SiteMemory }, closed),
    tally: TallyMemory,
  },
  closed,
);
/** What a gate must know again after a restart. It holds no passage. */
export type GateMemory = Static<typeof GateMemory>;

const DIGEST_LENGTH = 64;

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** As text for the disk: the SHA-256 of the second line, and the memory on it. */
export function encodeGateMemory(memory: GateMemory): string {
  const text = JSON.stringify(memory);
  return `${digestOf(text)}\n${text}\n`;
}

/**
 * What was saved.
 * @throws NgatuError GATE_MEMORY_INVALID where it is torn, changed, or of a version that kept other things
 */
export function decodeGateMemory(text: string): GateMemory {
  const digest = text.slice(0, DIGEST_LENGTH);
  const body = text.slice(DIGEST_LENGTH + 1, -1);
  const refuse = (reason: string): NgatuError =>
    new NgatuError('GATE_MEMORY_INVALID', `Cannot read what a fever gate had learned: ${reason}`);
  if (text !== `${digest}\n${body}\n` || digestOf(body) !== digest)
    throw refuse('the file is torn or changed');
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw refuse('it is not JSON');
  }
  const [issue] = findSchemaIssues(GateMemory, value, 1);
  if (issue !== undefined) throw refuse(`${issue.path || '/'}: ${issue.reason}`);
  return value as GateMemory;
}
