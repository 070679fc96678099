import type { Telemetry } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { MessageNumber } from './event-store.ts';

type Readiness = NonNullable<Telemetry['readiness']>;

interface CameraName {
  readonly site: string;
  readonly node: string;
  readonly camera: string;
}

/** Readiness of the cameras and blind time of their rules. Writing is to be used inside a transaction of the caller. */
export class ReadinessRecords {
  readonly #setReadiness: Database.Statement<string[]>;
  readonly #getReadiness: Database.Statement<string[], { body: string }>;
  readonly #insertInterval: Database.Statement<(string | number)[]>;
  readonly #sums: Database.Statement<(string | number)[], { rule: string; blockedMs: number }>;

  constructor(database: Database.Database) {
    this.#setReadiness = database.prepare(
      `INSERT INTO camera_readiness (site, node, camera, at, body) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (site, node, camera) DO UPDATE SET at = excluded.at, body = excluded.body
         WHERE excluded.at >= camera_readiness.at`,
    );
    this.#getReadiness = database.prepare(
      'SELECT body FROM camera_readiness WHERE site = ? AND node = ? AND camera = ?',
    );
    this.#insertInterval = database.prepare(
      `INSERT OR IGNORE INTO rule_interval (outbox_id, seq, ordinal, site, node, camera, rule, from_ms, to_ms, items)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#sums = database.prepare(
      `SELECT rule, sum(min(to_ms, ?) - max(from_ms, ?)) AS blockedMs FROM rule_interval
         WHERE site = ? AND node = ? AND camera = ? AND to_ms > ? AND from_ms < ? GROUP BY rule ORDER BY rule`,
    );
  }

  /** Takes what a report says; an older readiness than the one known is left out. */
  write({ outboxId, seq, site, node }: MessageNumber, report: Telemetry): void {
    const { camera, readiness, ruleBlindIntervals = [] } = report;
    if (camera === undefined) return;
    if (readiness !== undefined)
      this.#setReadiness.run(site, node, camera, readiness.at, JSON.stringify(readiness));
    for (const [ordinal, { rule, from, to, items }] of ruleBlindIntervals.entries()) {
      const bounds = [Date.parse(from), Date.parse(to)];
      this.#insertInterval.run(outboxId, seq, ordinal, site, node, camera, rule, ...bounds, items.join(' '));
    }
  }

  /** What the camera said last. */
  get({ site, node, camera }: CameraName): Readiness | undefined {
    const row = this.#getReadiness.get(site, node, camera);
    return row === undefined ? undefined : (JSON.parse(row.body) as Readiness);
  }

  /** How long each rule was kept from looking in the period, ms, by rule. */
  sumBlocked(
    { site, node, camera }: CameraName,
    { fromMs, toMs }: { fromMs: number; toMs: number },
  ): Record<string, number> {
    const rows = this.#sums.all(toMs, fromMs, site, node, camera, fromMs, toMs);
    return Object.fromEntries(rows.map(({ rule, blockedMs }) => [rule, blockedMs]));
  }
}
