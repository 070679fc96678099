import { type Event, type EvidenceFile, type EvidenceManifest, NgatuError } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type {
  EventFilter,
  EventPage,
  EventRecord,
  EventSummary,
  Review,
  ReviewState,
} from './event-store.ts';
import { PLATE_COLUMNS, type PlateColumns, toGlance } from './sqlite-plate-store.ts';

interface SummaryRow extends Omit<EventSummary, 'stillSha256' | 'letPass' | 'plate'>, PlateColumns {
  readonly letPass: NonNullable<EventSummary['letPass']> | null;
  readonly stillSha256: string | null;
}

const SUMMARY = `SELECT event_id AS eventId, kind, site, node, camera, rule, label, captured_at AS capturedAt,
  ingested_at AS ingestedAt, review, let_pass AS letPass, change,
  (SELECT sha256 FROM evidence_file JOIN evidence_arrival USING (sha256)
     WHERE evidence_file.event_id = event.event_id AND role = 'still-at' LIMIT 1) AS stillSha256,
  ${PLATE_COLUMNS}
  FROM event`;

function toSummary(row: SummaryRow & { change: number }): EventSummary {
  const { change: _change, stillSha256, letPass, plateState, plateText, plateJudgement, ...summary } = row;
  const plate = toGlance({ plateState, plateText, plateJudgement });
  return {
    ...summary,
    ...(letPass === null ? {} : { letPass }),
    ...(stillSha256 === null ? {} : { stillSha256 }),
    ...(plate === undefined ? {} : { plate }),
  };
}

/** Reads events in the forms that the API shows. */
export class EventReader {
  readonly #database: Database.Database;
  readonly #event: Database.Statement<[string], { body: string; ingestedAt: string }>;
  readonly #evidence: Database.Statement<[string], { body: string }>;
  readonly #arrived: Database.Statement<[string], { sha256: string }>;
  readonly #reviews: Database.Statement<[string], Review>;
  readonly #changes: Database.Statement<[number, number], SummaryRow & { change: number }>;
  readonly #latestChange: Database.Statement<[], { latest: number }>;
  readonly #fileOwner: Database.Statement<
    [{ sha256: string; sites: string | null }],
    { eventId: string; ordinal: number; body: string }
  >;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#event = database.prepare('SELECT body, ingested_at AS ingestedAt FROM event WHERE event_id = ?');
    this.#evidence = database.prepare('SELECT body FROM evidence WHERE event_id = ?');
    this.#arrived = database.prepare(
      'SELECT sha256 FROM evidence_file JOIN evidence_arrival USING (sha256) WHERE event_id = ?',
    );
    this.#reviews = database.prepare(
      `SELECT decision, reason, reviewer, decided_at AS decidedAt FROM review WHERE event_id = ? ORDER BY review_id`,
    );
    this.#changes = database.prepare(`${SUMMARY} WHERE change > ? ORDER BY change LIMIT ?`);
    this.#latestChange = database.prepare('SELECT latest FROM change_counter');
    this.#fileOwner = database.prepare(
      `SELECT evidence_file.event_id AS eventId, ordinal, evidence.body FROM evidence_file
         JOIN evidence USING (event_id) LEFT JOIN event USING (event_id)
         WHERE sha256 = @sha256 AND (@sites IS NULL OR site IN (SELECT value FROM json_each(@sites)))
         ORDER BY captured_at DESC LIMIT 1`,
    );
  }

  list(filter: EventFilter): EventPage {
    const { conditions, values } = buildConditions(filter);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = this.#database
      .prepare<(string | number)[], SummaryRow & { change: number }>(
        `${SUMMARY} ${where} ORDER BY captured_at DESC, event_id DESC LIMIT ?`,
      )
      .all(...values, filter.limit + 1);
    const items = rows.slice(0, filter.limit).map(toSummary);
    const last = items.at(-1);
    return rows.length > filter.limit && last !== undefined
      ? { items, nextCursor: encodeCursor(last) }
      : { items };
  }

  get(eventId: string): EventRecord | undefined {
    const row = this.#event.get(eventId);
    if (row === undefined) return undefined;
    const evidence = this.#evidence.get(eventId);
    const record = {
      event: JSON.parse(row.body) as Event,
      ingestedAt: row.ingestedAt,
      reviews: this.#reviews.all(eventId),
    };
    if (evidence === undefined) return record;
    const { createdAt, files, missing } = JSON.parse(evidence.body) as EvidenceManifest;
    const arrived = new Set(this.#arrived.all(eventId).map(({ sha256 }) => sha256));
    const stored = files.map((file) => ({ ...file, arrived: arrived.has(file.sha256) }));
    return { ...record, evidence: { createdAt, files: stored, missing } };
  }

  findEvidence(
    sha256: string,
    sites?: readonly string[],
  ): { eventId: string; file: EvidenceFile } | undefined {
    const owner = this.#fileOwner.get({
      sha256,
      sites: sites === undefined ? null : JSON.stringify(sites),
    });
    if (owner === undefined) return undefined;
    const file = (JSON.parse(owner.body) as EvidenceManifest).files[owner.ordinal];
    return file === undefined ? undefined : { eventId: owner.eventId, file };
  }

  listChanges(change: number, limit: number): { change: number; event: EventSummary }[] {
    return this.#changes.all(change, limit).map((row) => ({ change: row.change, event: toSummary(row) }));
  }

  latestChange(): number {
    return this.#latestChange.get()?.latest ?? 0;
  }
}

function buildConditions(filter: EventFilter): { conditions: string[]; values: string[] } {
  const conditions: string[] = [];
  const values: string[] = [];
  const add = (condition: string, ...bound: string[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  const addList = (column: string, list: readonly string[] | undefined): void => {
    if (list !== undefined) add(`${column} IN (${list.map(() => '?').join(', ')})`, ...list);
  };
  addList('kind', filter.kinds);
  addList('camera', filter.cameras);
  addList('site', filter.sites);
  const review: ReviewState | undefined = filter.review;
  if (review !== undefined) add('review = ?', review);
  if (filter.letPass !== undefined) add(`let_pass IS ${filter.letPass ? 'NOT NULL' : 'NULL'}`);
  if (filter.from !== undefined) add('captured_at >= ?', filter.from);
  if (filter.to !== undefined) add('captured_at < ?', filter.to);
  if (filter.cursor !== undefined) add('(captured_at, event_id) < (?, ?)', ...decodeCursor(filter.cursor));
  return { conditions, values };
}

function encodeCursor({ capturedAt, eventId }: EventSummary): string {
  return Buffer.from(`${capturedAt} ${eventId}`).toString('base64url');
}

/** @throws NgatuError REQUEST_INVALID */
function decodeCursor(cursor: string): [string, string] {
  const [capturedAt, eventId, ...rest] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (capturedAt === undefined || eventId === undefined || rest.length > 0) {
    throw new NgatuError('REQUEST_INVALID', 'Cannot list events: the cursor is not one that this store gave');
  }
  return [capturedAt, eventId];
}
