import { parseWithSchema } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import type Database from 'better-sqlite3';
import { ROLES } from './role.ts';

/** What the centre asks of those who sign in here; an administrator sets it. */
export const AccessPolicy = Type.Object(
  {
    totpRoles: Type.Array(Type.Union(ROLES.map((role) => Type.Literal(role))), {
      uniqueItems: true,
      maxItems: ROLES.length,
      description: 'Whoever holds one of these roles must have a second factor.',
    }),
    passwordMinLength: Type.Integer({
      minimum: 8,
      maximum: 64,
      description: 'Characters of a password that a person chooses.',
    }),
    lockAfterFailures: Type.Integer({
      minimum: 5,
      maximum: 100,
      description: 'Wrong attempts in a row, from wherever, that lock an account.',
    }),
    lockMinutes: Type.Integer({
      minimum: 1,
      maximum: 1_440,
      description: 'How long the lock lasts where nobody opens it before, minutes.',
    }),
  },
  { additionalProperties: false, $id: 'AccessPolicy' },
);
export type AccessPolicy = Static<typeof AccessPolicy>;

/** NIST SP 800-63B (rev. 4, 3.2.2) allows at most 100 failures in a row; 12 characters without rules of composition. */
const DEFAULT_POLICY: AccessPolicy = {
  totpRoles: [],
  passwordMinLength: 12,
  lockAfterFailures: 20,
  lockMinutes: 60,
};

/** The policy as it is kept; what nobody has set is the default. */
export class PolicyStore {
  constructor(private readonly database: Database.Database) {}

  read(): AccessPolicy {
    const row = this.database.prepare<[], { body: string }>('SELECT body FROM policy').get();
    if (row === undefined) return DEFAULT_POLICY;
    return parseWithSchema(AccessPolicy, JSON.parse(row.body), {
      code: 'STORE_CORRUPT',
      what: 'access policy',
    });
  }

  replace(policy: AccessPolicy): void {
    this.database
      .prepare(
        'INSERT INTO policy (only, body) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET body = excluded.body',
      )
      .run(JSON.stringify(policy));
  }
}
