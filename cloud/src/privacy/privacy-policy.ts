import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_KINDS, type EventKind, errorMessage, NgatuError, parseWithSchema } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { CaseOutcome } from '../store/privacy-store.ts';

const closed = { additionalProperties: false } as const;
const Days = (description: string) => Type.Integer({ minimum: 1, maximum: 36_500, description });

const OutcomeDays = Type.Object(
  {
    open: Days('Nobody has decided the case, days from its instant.'),
    confirmed: Days('A person confirmed it, days from the decision.'),
    rejected: Days('A person rejected it, days from the decision.'),
    'let-pass': Days('It was let pass, days from its instant.'),
  },
  closed,
);

const KindName = Type.String({ pattern: `^(${EVENT_KINDS.join('|')})$` });

/** Where a value of the policy comes from, and how sure that is. */
const SourceMark = Type.Object(
  {
    source: Type.String({ minLength: 1, maxLength: 300 }),
    certainty: Type.Union((['V', 'S', 'U'] as const).map((mark) => Type.Literal(mark))),
  },
  closed,
);

/** `privacy.json` in the data folder of the centre: what the controller has decided. */
export const PrivacyPolicy = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    controller: Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 200 }),
        contact: Type.String({ minLength: 1, maxLength: 300 }),
      },
      { ...closed, description: 'Who answers for the data; stands on the notices.' },
    ),
    retentionDays: OutcomeDays,
    retentionByKind: Type.Record(KindName, Type.Partial(OutcomeDays), {
      ...closed,
      description: 'Other spans for single kinds.',
    }),
    screening: Type.Object(
      {
        passageHours: Type.Integer({
          minimum: 1,
          maximum: 8_760,
          description: 'Single passages of fever gates: health data. Hours from their arrival.',
        }),
        countDays: Days('Counts of fever gates and their self-checks, days from their arrival.'),
      },
      closed,
    ),
    opening: Type.Object(
      {
        secondPerson: Type.Boolean({
          description: 'Whether a supervisor who did not ask must agree before an original opens.',
        }),
        openMinutes: Type.Integer({ minimum: 1, maximum: 1_440, description: 'How long it stays open.' }),
        waitHours: Type.Integer({ minimum: 1, maximum: 168, description: 'After this a request is void.' }),
      },
      closed,
    ),
    acknowledgeWorkingDays: Type.Integer({ minimum: 1, maximum: 30 }),
    sources: Type.Record(Type.String({ pattern: '^[a-z][A-Za-z.-]*$' }), SourceMark, {
      description: 'Where the values come from, by the name of the field.',
    }),
  },
  { ...closed, $id: 'PrivacyPolicy' },
);
export type PrivacyPolicy = Static<typeof PrivacyPolicy>;

/** What holds where the controller has decided nothing. No law that was read names these spans. */
export const DEFAULT_PRIVACY_POLICY: PrivacyPolicy = {
  schemaVersion: 1,
  controller: { name: '(not set: privacy.json)', contact: '(not set: privacy.json)' },
  retentionDays: { open: 90, confirmed: 730, rejected: 30, 'let-pass': 30 },
  // a still of a person who broke no law: kept for as long as a site needs to speak with its visitors
  retentionByKind: { NO_MASK: { open: 7, confirmed: 30, rejected: 1, 'let-pass': 1 } },
  screening: { passageHours: 24, countDays: 730 },
  opening: { secondPerson: true, openMinutes: 30, waitHours: 24 },
  acknowledgeWorkingDays: 2,
  sources: {
    retentionDays: { source: 'default of the product; the controller decides', certainty: 'U' },
    retentionByKind: {
      source: 'default of the product for NO_MASK; the controller decides',
      certainty: 'U',
    },
    'screening.passageHours': {
      source: 'default of the product: staff enter readings within the hour; the controller decides',
      certainty: 'U',
    },
    'opening.secondPerson': { source: 'default of the product; the controller decides', certainty: 'U' },
    acknowledgeWorkingDays: {
      source: 'Law 91/2025 on personal data protection and its decree',
      certainty: 'S',
    },
  },
};

export function buildPrivacyPolicyPath(dataDir: string): string {
  return join(dataDir, 'privacy.json');
}

/**
 * The policy as it is now: what the file does not name is the default.
 * @throws NgatuError PRIVACY_POLICY_INVALID: nothing is deleted and nothing opened by a policy that cannot be understood
 */
export function loadPrivacyPolicy(dataDir: string): PrivacyPolicy {
  const file = buildPrivacyPolicyPath(dataDir);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return DEFAULT_PRIVACY_POLICY;
    throw new NgatuError('PRIVACY_POLICY_INVALID', `Cannot read ${file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new NgatuError('PRIVACY_POLICY_INVALID', `Cannot accept ${file}: it is not JSON`, { cause });
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const merged = isObject ? { ...DEFAULT_PRIVACY_POLICY, ...mergeKinds(value as object) } : value;
  return parseWithSchema(PrivacyPolicy, merged, { code: 'PRIVACY_POLICY_INVALID', what: file });
}

/** What a file says of one kind leaves the defaults of other kinds as they are. */
function mergeKinds(value: object): object {
  const kinds = 'retentionByKind' in value ? value.retentionByKind : undefined;
  if (typeof kinds !== 'object' || kinds === null || Array.isArray(kinds)) return value;
  return { ...value, retentionByKind: { ...DEFAULT_PRIVACY_POLICY.retentionByKind, ...kinds } };
}

/** How many days a case is kept: what is said of its kind, else what is said of its outcome. */
export function findRetentionDays(policy: PrivacyPolicy, kind: EventKind, outcome: CaseOutcome): number {
  return policy.retentionByKind[kind]?.[outcome] ?? policy.retentionDays[outcome];
}

/** Vietnam keeps one time all year. */
const VIETNAM_OFFSET_MS = 7 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/**
 * The end of the last of `workingDays` after the day of `fromMs`, in Vietnam. Saturdays and Sundays do not count; public holidays are
 * not known here and count, so that the deadline is rather too early.
 */
export function computeWorkingDeadline(fromMs: number, workingDays: number): number {
  let day = Math.floor((fromMs + VIETNAM_OFFSET_MS) / DAY_MS);
  for (let left = workingDays; left > 0; ) {
    day += 1;
    const weekday = (day + 4) % 7; // day 0 was a Thursday; 0 is Sunday
    if (weekday !== 0 && weekday !== 6) left -= 1;
  }
  return (day + 1) * DAY_MS - VIETNAM_OFFSET_MS;
}
