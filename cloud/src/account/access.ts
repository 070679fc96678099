import type Database from 'better-sqlite3';
import { PolicyStore } from './access-policy.ts';
import { AccountStore } from './account-store.ts';
import { AreaTree } from './area-tree.ts';
import { AuditTrail } from './audit-trail.ts';
import { SessionStore } from './session-store.ts';

/** What is kept in the database of accounts, each part behind its own class. */
export interface Access {
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly areas: AreaTree;
  readonly policy: PolicyStore;
  readonly audit: AuditTrail;
}

/** The parts on a database that `openAccountDatabase` has opened; the caller closes it. */
export function openAccess(database: Database.Database, now: () => number): Access {
  const areas = new AreaTree(database);
  const policy = new PolicyStore(database);
  return {
    areas,
    policy,
    accounts: new AccountStore(database, now),
    sessions: new SessionStore(database, { areas, policy }, now),
    audit: new AuditTrail(database, now),
  };
}
