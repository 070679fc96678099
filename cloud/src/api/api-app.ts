import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Logger } from 'pino';
import type { AccountStore, Session } from '../account/account-store.ts';
import type { AuditTrail } from '../account/audit-trail.ts';
import type { Role } from '../account/role.ts';
import type { EventStore } from '../store/event-store.ts';
import type { EvidenceStore } from '../store/evidence-store.ts';
import type { SeriesStore } from '../store/series-store.ts';

/** What the API stands on. The caller owns and closes all of it. */
export interface ApiDeps {
  readonly events: EventStore;
  readonly evidence: EvidenceStore;
  readonly series: SeriesStore;
  readonly accounts: AccountStore;
  readonly audit: AuditTrail;
  readonly logger: Logger;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Folder with the built console; without it only the API is served. */
  readonly consoleDir?: string;
  /** The address that browsers use where it is not the one listened on (behind a proxy). */
  readonly publicUrl?: string;
}

export type ApiApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route: anybody, or these roles. Every signed-in account where it is absent. */
    access?: 'public' | readonly Role[];
  }
  interface FastifyRequest {
    /** The signed-in person; absent only on public routes. */
    session?: Session;
  }
}
