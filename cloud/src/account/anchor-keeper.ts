import type Database from 'better-sqlite3';
import type { Logger } from 'pino';
import type { AuditAnchor } from './audit-anchor.ts';
import type { AuditTrail } from './audit-trail.ts';

const ANCHOR_EVERY_MS = 10_000;

export interface AnchorKeeperParts {
  readonly anchor: AuditAnchor;
  readonly database: Database.Database;
  readonly audit: AuditTrail;
  readonly logger: Logger;
  readonly now: () => number;
}

/**
 * Writes down every ten seconds where the audit trail stands, and once more at the end. A trail that contradicts its last
 * anchor at the start is reported in the log and in the trail itself; the centre goes on, for a stopped centre records nothing.
 */
export class AnchorKeeper {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: AnchorKeeperParts) {}

  start(): void {
    const { anchor, database, audit, logger } = this.parts;
    if (anchor.isContradicted(database)) {
      logger.error(
        { code: 'AUDIT_TAMPERED' },
        'the audit trail contradicts its last anchor; run "ngatu audit verify"',
      );
      audit.append({ action: 'audit-mismatch' });
    }
    this.write();
    this.timer = setInterval(() => this.write(), ANCHOR_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.write();
  }

  private write(): void {
    const { anchor, database, logger, now } = this.parts;
    try {
      anchor.write(database, now());
    } catch (error) {
      logger.error({ err: error }, 'the audit trail could not be anchored; tried again in 10 s');
    }
  }
}
