import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Logger } from 'pino';
import type { PolicyStore } from '../account/access-policy.ts';
import type { AccountStore } from '../account/account-store.ts';
import type { AreaTree } from '../account/area-tree.ts';
import type { AuditTrail } from '../account/audit-trail.ts';
import type { AuditReport } from '../account/audit-verification.ts';
import type { Argon2Cost } from '../account/password.ts';
import type { Role } from '../account/role.ts';
import type { Session, SessionStore } from '../account/session-store.ts';
import type { SingleSignOn } from '../account/single-sign-on.ts';
import type { PrivacyPolicy } from '../privacy/privacy-policy.ts';
import type { EventStore } from '../store/event-store.ts';
import type { EvidenceStore } from '../store/evidence-store.ts';
import type { SeriesStore } from '../store/series-store.ts';

/** What the API stands on. The caller owns and closes all of it. */
export interface ApiDeps {
  readonly events: EventStore;
  readonly evidence: EvidenceStore;
  readonly series: SeriesStore;
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly areas: AreaTree;
  readonly policy: PolicyStore;
  /** The provider of single sign-on, where the centre has one. */
  readonly singleSignOn?: SingleSignOn;
  /** Proves the whole audit trail. */
  readonly verifyAudit: () => Promise<AuditReport>;
  /** Of the hashes of passwords; absent: what OWASP names. */
  readonly passwordCost?: Argon2Cost;
  readonly audit: AuditTrail;
  readonly logger: Logger;
  /** How exports are signed; absent where the centre has no identity: nothing is exported then. */
  readonly exports?: { readonly identityDir: string; readonly softwareVersion?: string };
  /** ms since the epoch. */
  readonly now: () => number;
  /** What the controller decided about retention and originals, as it is now; absent: the product's defaults. */
  readonly privacyPolicy?: () => PrivacyPolicy;
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
    /** Who may use the route: anybody, or these roles (`MAY` of permission.ts). */
    access: 'public' | readonly Role[];
    /** True where also somebody may use it who has yet to change the password or to set up a second factor. */
    isForIncomplete?: boolean;
  }
  interface FastifyRequest {
    /** The signed-in person; absent only on public routes. */
    session?: Session;
  }
}
