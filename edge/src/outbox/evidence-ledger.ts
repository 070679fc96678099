import type { DropItem, ErrorCode } from '@ngatu/contract';
import type Database from 'better-sqlite3';

/** `derived` files travel at once; an `original` stays on the node until it is wanted or the link is idle. */
export type UploadClass = 'derived' | 'original';

/** An evidence file on this disk that the centre has not got yet. */
export interface PendingUpload {
  readonly sha256: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly class: UploadClass;
  /** The greater one goes first. */
  readonly priority: number;
  /** When the centre asked for it first, ms since 1970; null where it has not. */
  readonly wantedAtMs: number | null;
  readonly eventId: string | null;
  readonly role: string | null;
  /** A manifest that names it was refused for another of the same case, which may name it as well: 1, else 0. */
  readonly isDoubtful: 0 | 1;
}

/** An evidence file that is to be sent. */
export interface NewUpload {
  readonly sha256: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** Default: `derived`. */
  readonly class?: UploadClass;
  /** The greater one goes first; default 0. */
  readonly priority?: number;
  /** When the centre asked for it, ms since 1970. */
  readonly wantedAtMs?: number;
  readonly eventId?: string;
  /** What it is in its manifest. */
  readonly role?: string;
}

/** What of the evidence on this disk is too much. */
export interface EvidenceLimits {
  /** All files together, bytes. */
  readonly maxBytes?: number;
  /** Originals that nobody asked for are given up when they were made before this, ms since 1970. */
  readonly originalsBeforeMs?: number;
}

/** A file that the ledger has let go: the caller deletes it. */
export interface ReleasedFile {
  readonly sha256: string;
  readonly path: string;
  readonly sizeBytes: number;
}

interface FileRow extends ReleasedFile {
  readonly eventId: string | null;
  readonly role: string | null;
  /** 0 and 1: the centre has it; 2: the centre refused it; above: the centre waits for it, the least needed first. */
  readonly need: number;
}

const UPLOAD = `sha256, path, size_bytes AS sizeBytes, class, priority, wanted_at_ms AS wantedAtMs, event_id AS eventId, role,
  code IS NOT NULL AS isDoubtful`;

const FILE = `file.sha256, file.path, file.size_bytes AS sizeBytes, file.event_id AS eventId, file.role,
  CASE WHEN upload.sha256 IS NULL THEN file.class = 'original' WHEN upload.state = 'refused' THEN 2
    WHEN upload.class = 'original' AND upload.wanted_at_ms IS NULL THEN 3
    WHEN upload.class = 'original' THEN 4 ELSE 5 END AS need
  FROM evidence_file AS file LEFT JOIN upload ON upload.sha256 = file.sha256`;

/** Need from which on the centre still waits for the file, or never took it. */
const NOT_AT_CENTRE = 2;

/**
 * Evidence files on this disk: which wait for their upload and which may go. To be used inside a transaction of the caller where it
 * writes.
 */
export class EvidenceLedger {
  readonly #insertUpload: Database.Statement<(string | number | null)[]>;
  readonly #insertFile: Database.Statement<(string | number | null)[]>;
  readonly #upload: Database.Statement<[string], { sha256: string }>;
  readonly #uploads: Database.Statement<[number], PendingUpload>;
  readonly #want: Database.Statement<[{ sha256: string; atMs: number; priority: number | null }]>;
  readonly #count: Database.Statement<[], { pending: number; refused: number }>;
  readonly #deleteUpload: Database.Statement<[string]>;
  readonly #refuse: Database.Statement<[string, string, string]>;
  readonly #doubt: Database.Statement<[string, string, string]>;
  readonly #deleteFile: Database.Statement<[string]>;
  readonly #usage: Database.Statement<[], { files: number; bytes: number }>;
  readonly #byNeed: Database.Statement<[], FileRow>;
  readonly #unwanted: Database.Statement<[number], FileRow>;
  readonly #ofEvent: Database.Statement<[string], ReleasedFile>;

  constructor(database: Database.Database) {
    this.#insertUpload = database.prepare(
      `INSERT OR IGNORE INTO upload (sha256, path, size_bytes, class, priority, wanted_at_ms, event_id, role)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertFile = database.prepare(
      `INSERT OR IGNORE INTO evidence_file (sha256, path, size_bytes, class, priority, event_id, role, made_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#upload = database.prepare('SELECT sha256 FROM upload WHERE sha256 = ?');
    this.#uploads = database.prepare(
      `SELECT ${UPLOAD} FROM upload WHERE state = 'pending'
         ORDER BY class = 'original' AND wanted_at_ms IS NULL, priority DESC, ordinal LIMIT ?`,
    );
    this.#want = database.prepare(
      `UPDATE upload SET priority = coalesce(@priority, priority),
           wanted_at_ms = CASE WHEN wanted_at_ms IS NULL OR @priority > priority THEN @atMs ELSE wanted_at_ms END
         WHERE sha256 = @sha256 AND state = 'pending'`,
    );
    this.#count = database.prepare(
      `SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'refused') AS refused
         FROM upload`,
    );
    this.#deleteUpload = database.prepare('DELETE FROM upload WHERE sha256 = ?');
    this.#refuse = database.prepare(
      `UPDATE upload SET state = 'refused', code = ?, reason = ? WHERE sha256 = ?`,
    );
    this.#doubt = database.prepare(
      `UPDATE upload SET code = ?, reason = ? WHERE sha256 = ? AND state = 'pending'`,
    );
    this.#deleteFile = database.prepare('DELETE FROM evidence_file WHERE sha256 = ?');
    this.#usage = database.prepare('SELECT files, bytes FROM evidence_usage');
    this.#byNeed = database.prepare(`SELECT ${FILE} ORDER BY need, file.priority, file.ordinal`);
    this.#unwanted = database.prepare(
      `SELECT ${FILE} WHERE upload.state = 'pending' AND upload.class = 'original' AND upload.wanted_at_ms IS NULL
         AND file.made_at_ms < ? ORDER BY file.ordinal`,
    );
    this.#ofEvent = database.prepare(
      'SELECT sha256, path, size_bytes AS sizeBytes FROM evidence_file WHERE event_id = ?',
    );
  }

  add({ sha256, path, sizeBytes, ...upload }: NewUpload, nowMs: number): void {
    const { class: kind = 'derived', priority = 0, wantedAtMs = null, eventId = null, role = null } = upload;
    this.#insertUpload.run(sha256, path, sizeBytes, kind, priority, wantedAtMs, eventId, role);
    this.#insertFile.run(sha256, path, sizeBytes, kind, priority, eventId, role, nowMs);
  }

  list(limit: number): PendingUpload[] {
    return this.#uploads.all(limit);
  }

  count(): { pending: number; refused: number } {
    return this.#count.get() ?? { pending: 0, refused: 0 };
  }

  usage(): { files: number; bytes: number } {
    return this.#usage.get() ?? { files: 0, bytes: 0 };
  }

  want(sha256: string, atMs: number, priority?: number): boolean {
    return this.#want.run({ sha256, atMs, priority: priority ?? null }).changes > 0;
  }

  holds(sha256: string): boolean {
    return this.#upload.get(sha256) !== undefined;
  }

  remove(sha256: string): void {
    this.#deleteUpload.run(sha256);
  }

  refuse(sha256: string, code: ErrorCode, reason: string): void {
    this.#refuse.run(code, reason, sha256);
  }

  /** Leaves it to the centre whether it wants the file: the manifest that named it was refused, another may name it. */
  doubt(sha256: string, code: ErrorCode, reason: string): void {
    this.#doubt.run(code, reason, sha256);
  }

  /** Lets go all files of an event. */
  forget(eventId: string): ReleasedFile[] {
    return this.#ofEvent.all(eventId).map((file) => this.#release(file));
  }

  /** Lets go what is too much, the least needed first. `lost` is what the centre will never get by it. */
  release(limits: EvidenceLimits, nowMs: number): { released: ReleasedFile[]; lost: DropItem[] } {
    const victims: { file: FileRow; reason: DropItem['reason'] }[] = [];
    if (limits.originalsBeforeMs !== undefined) {
      for (const file of this.#unwanted.all(limits.originalsBeforeMs))
        victims.push({ file, reason: 'evidence-retention' });
    }
    let excess = this.usage().bytes - (limits.maxBytes ?? Number.POSITIVE_INFINITY);
    for (const { file } of victims) excess -= file.sizeBytes;
    if (excess > 0) {
      const gone = new Set(victims.map(({ file }) => file.sha256));
      for (const file of this.#byNeed.iterate()) {
        if (excess <= 0) break;
        if (gone.has(file.sha256)) continue;
        victims.push({ file, reason: 'evidence-budget' });
        excess -= file.sizeBytes;
      }
    }
    const droppedAt = new Date(nowMs).toISOString();
    return {
      released: victims.map(({ file }) => this.#release(file)),
      lost: victims.flatMap(({ file, reason }) => {
        const { sha256, sizeBytes, eventId, role, need } = file;
        if (need < NOT_AT_CENTRE) return [];
        const about = { ...(eventId === null ? {} : { eventId }), ...(role === null ? {} : { role }) };
        return [{ what: 'file' as const, reason, droppedAt, ...about, sha256, sizeBytes }];
      }),
    };
  }

  #release({ sha256, path, sizeBytes }: ReleasedFile): ReleasedFile {
    this.#deleteUpload.run(sha256);
    this.#deleteFile.run(sha256);
    return { sha256, path, sizeBytes };
  }
}
