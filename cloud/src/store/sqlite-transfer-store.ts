import type Database from 'better-sqlite3';
import type { OriginalRequest, TransferRecord, TransferStore, WantedFiles } from './transfer-store.ts';

/** Ways to the database that turn its failures into the product's errors. */
interface DatabaseWork {
  /** Runs work in one immediate transaction. */
  transact<T>(work: () => T): T;
  read<T>(work: () => T): T;
  /** Gives the events of the file a new place in the order of changes; inside a transaction. */
  touchFile(sha256: string): void;
}

interface TransferRow {
  readonly sha256: string;
  readonly receivedBytes: number | null;
  readonly receivedAt: string | null;
  readonly requestedAt: string | null;
  readonly requestedBy: string | null;
  readonly cause: TransferRecord['cause'] | null;
  readonly goneReason: NonNullable<TransferRecord['gone']>['reason'] | null;
  readonly goneDetail: string | null;
  readonly goneAt: string | null;
}

interface WantedRow {
  readonly site: string;
  readonly node: string;
  readonly sha256: string;
  readonly eventId: string;
  readonly capturedAt: string;
  readonly priority: number;
}

/** Transfers in the database of the event store. */
export class SqliteTransferStore implements TransferStore {
  readonly #database: Database.Database;
  readonly #work: DatabaseWork;

  constructor(database: Database.Database, work: DatabaseWork) {
    this.#database = database;
    this.#work = work;
  }

  request(request: OriginalRequest): void {
    this.#work.transact(() => {
      this.#database
        .prepare(
          `INSERT INTO evidence_request (sha256, event_id, site, node, priority, cause, requested_by, requested_at, reason)
             VALUES (@sha256, @eventId, @site, @node, @priority, @cause, @requestedBy, @requestedAt, @reason)
             ON CONFLICT (sha256) DO UPDATE SET priority = max(priority, excluded.priority)`,
        )
        .run(request);
      // Who asks once more wants the node to look once more.
      if (request.cause === 'demanded')
        this.#database.prepare('DELETE FROM evidence_gone WHERE sha256 = ?').run(request.sha256);
      this.#work.touchFile(request.sha256);
    });
  }

  listWanted(limit: number): WantedFiles[] {
    const rows = this.#work.read(() =>
      this.#database
        .prepare<[number], WantedRow>(
          `SELECT site, node, sha256, eventId, capturedAt, priority FROM (
             SELECT request.site, request.node, sha256, event_id AS eventId, captured_at AS capturedAt, priority,
               row_number() OVER (PARTITION BY request.site, request.node ORDER BY priority DESC, requested_at) AS place
             FROM evidence_request AS request JOIN event USING (event_id)
             WHERE NOT EXISTS (SELECT 1 FROM evidence_arrival WHERE evidence_arrival.sha256 = request.sha256)
               AND NOT EXISTS (SELECT 1 FROM evidence_gone WHERE evidence_gone.sha256 = request.sha256))
           WHERE place <= ? ORDER BY site, node, place`,
        )
        .all(limit),
    );
    const wanted: { site: string; node: string; files: WantedFiles['files'] }[] = [];
    for (const { site, node, ...file } of rows) {
      const last = wanted.at(-1);
      if (last?.site === site && last.node === node) last.files.push(file);
      else wanted.push({ site, node, files: [file] });
    }
    return wanted;
  }

  markGone(
    { sha256, site, node }: Parameters<TransferStore['markGone']>[0],
    { reason, detail, at }: Parameters<TransferStore['markGone']>[1],
  ): boolean {
    return this.#work.transact(() => {
      const owned = this.#database
        .prepare(
          `SELECT 1 FROM evidence_file JOIN event USING (event_id) WHERE sha256 = ? AND site = ? AND node = ?
             AND NOT EXISTS (SELECT 1 FROM evidence_arrival WHERE evidence_arrival.sha256 = evidence_file.sha256)`,
        )
        .get(sha256, site, node);
      if (owned === undefined) return false;
      const { changes } = this.#database
        .prepare('INSERT OR IGNORE INTO evidence_gone (sha256, reason, detail, gone_at) VALUES (?, ?, ?, ?)')
        .run(sha256, reason, detail ?? null, at);
      if (changes > 0) this.#work.touchFile(sha256);
      return true;
    });
  }

  noteProgress(sha256: string, receivedBytes: number, at: string): void {
    this.#work.transact(() => {
      this.#database
        .prepare(
          `INSERT INTO evidence_progress (sha256, received_bytes, at) VALUES (?, ?, ?)
             ON CONFLICT (sha256) DO UPDATE SET received_bytes = excluded.received_bytes, at = excluded.at`,
        )
        .run(sha256, receivedBytes, at);
    });
  }

  list(eventId: string): TransferRecord[] {
    return this.#work.read(() =>
      this.#database
        .prepare<[string], TransferRow>(
          `SELECT sha256, received_bytes AS receivedBytes, evidence_progress.at AS receivedAt,
             requested_at AS requestedAt, requested_by AS requestedBy, cause,
             evidence_gone.reason AS goneReason, detail AS goneDetail, gone_at AS goneAt
           FROM (SELECT DISTINCT sha256 FROM evidence_file WHERE event_id = ?) AS file
           LEFT JOIN evidence_progress USING (sha256)
           LEFT JOIN evidence_request USING (sha256)
           LEFT JOIN evidence_gone USING (sha256)
           WHERE NOT EXISTS (SELECT 1 FROM evidence_arrival WHERE evidence_arrival.sha256 = file.sha256)`,
        )
        .all(eventId)
        .map(toRecord),
    );
  }
}

function toRecord({ goneReason, goneDetail, goneAt, ...row }: TransferRow): TransferRecord {
  const known = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
  const record = { sha256: row.sha256, ...known };
  if (goneReason === null || goneAt === null) return record;
  const detail = goneDetail === null ? {} : { detail: goneDetail };
  return { ...record, gone: { reason: goneReason, at: goneAt, ...detail } };
}
