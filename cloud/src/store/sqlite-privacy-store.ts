import type { Event, EventKind } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { CaseErasure } from './case-erasure.ts';
import { normalisePlate } from './plate-text.ts';
import type {
  CaseOutcome,
  CaseQuery,
  DueCase,
  ErasureOutcome,
  LegalHold,
  Opening,
  PrivacyStore,
  RetentionRule,
  SubjectCase,
  Tombstone,
} from './privacy-store.ts';
import { SURE_PLATE_TEXTS } from './sqlite-plate-store.ts';

/** Ways to the database that turn its failures into the product's errors. */
interface DatabaseWork {
  /** Runs work in one immediate transaction. */
  transact<T>(work: () => T): T;
  read<T>(work: () => T): T;
}

const OPENING = `SELECT opening_id AS openingId, event_id AS eventId, reason, requested_by AS requestedBy,
  requested_at AS requestedAt, lapses_at AS lapsesAt, decided_by AS decidedBy, decided_at AS decidedAt, decision,
  decision_reason AS decisionReason, open_until AS openUntil FROM opening`;
const HOLD = `SELECT hold_id AS holdId, event_id AS eventId, reason, placed_by AS placedBy, placed_at AS placedAt,
  lifted_by AS liftedBy, lifted_at AS liftedAt, lift_reason AS liftReason FROM legal_hold`;
const TOMBSTONE = `SELECT case_digest AS caseDigest, kind, day, cause, reason, erased_by AS erasedBy, erased_at AS erasedAt
  FROM tombstone`;
const SUBJECT_CASE = `SELECT case_id AS caseId, kind, received_at AS receivedAt, acknowledge_by AS acknowledgeBy,
  acknowledged_at AS acknowledgedAt, handled_by AS handledBy, closed_at AS closedAt, found, erased, held, outcome
  FROM subject_case`;

const DAY_MS = 24 * 3_600_000;

/** Cases of one kind that ended in the same way. */
interface CaseGroup {
  readonly kind: EventKind;
  readonly review: Exclude<CaseOutcome, 'let-pass'>;
  readonly isLetPass: 0 | 1;
}

const CASE_GROUPS = 'SELECT DISTINCT kind, review, let_pass IS NOT NULL AS isLetPass FROM event';
/** A node may have been away for longer than a case is kept: time runs from when somebody here could look at it. */
const SINCE = `max(captured_at, ingested_at,
  coalesce((SELECT max(decided_at) FROM review WHERE review.event_id = event.event_id), ''))`;
const buildDueQuery = (isLetPass: boolean): string =>
  `SELECT event_id AS eventId, ${SINCE} AS since FROM event
     WHERE kind = ? AND review = ? AND let_pass IS ${isLetPass ? 'NOT NULL' : 'NULL'} AND captured_at <= ? AND since <= ?
       AND NOT EXISTS (SELECT 1 FROM legal_hold WHERE legal_hold.event_id = event.event_id AND lifted_at IS NULL)
     ORDER BY captured_at LIMIT ?`;
const DUE_CASES = buildDueQuery(false);
const DUE_LET_PASS = buildDueQuery(true);

/** Privacy's part of the centre's database. */
export class SqlitePrivacyStore implements PrivacyStore {
  readonly #database: Database.Database;
  readonly #erasure: CaseErasure;
  readonly #work: DatabaseWork;

  constructor(database: Database.Database, erasure: CaseErasure, work: DatabaseWork) {
    this.#database = database;
    this.#erasure = erasure;
    this.#work = work;
  }

  requestOpening(opening: Parameters<PrivacyStore['requestOpening']>[0]): Opening {
    this.#run(
      `INSERT INTO opening (opening_id, event_id, reason, requested_by, requested_at, lapses_at)
         VALUES (@openingId, @eventId, @reason, @requestedBy, @requestedAt, @lapsesAt)`,
      opening,
    );
    return opening;
  }

  decideOpening(
    openingId: string,
    decision: Parameters<PrivacyStore['decideOpening']>[1],
  ): Opening | undefined {
    return this.#work.transact(() => {
      const { changes } = this.#database
        .prepare(
          `UPDATE opening SET decided_by = @decidedBy, decided_at = @decidedAt, decision = @decision,
             decision_reason = @decisionReason, open_until = @openUntil
             WHERE opening_id = @openingId AND decision IS NULL AND lapses_at > @decidedAt`,
        )
        .run({ decisionReason: null, openUntil: null, ...decision, openingId });
      return changes === 0 ? undefined : this.getOpening(openingId);
    });
  }

  getOpening(openingId: string): Opening | undefined {
    return this.#all<Opening>(`${OPENING} WHERE opening_id = ?`, openingId)[0];
  }

  listOpenings(eventId: string): Opening[] {
    return this.#all<Opening>(
      `${OPENING} WHERE event_id = ? ORDER BY requested_at DESC, opening_id`,
      eventId,
    );
  }

  listWaitingOpenings(at: string, limit: number): Opening[] {
    return this.#all<Opening>(
      `${OPENING} WHERE decision IS NULL AND lapses_at > ? ORDER BY requested_at LIMIT ?`,
      at,
      limit,
    );
  }

  findGrant(eventId: string, username: string, at: string): Opening | undefined {
    return this.#all<Opening>(
      `${OPENING} WHERE event_id = ? AND requested_by = ? AND decision = 'granted' AND open_until > ?
         ORDER BY open_until DESC LIMIT 1`,
      ...[eventId, username, at],
    )[0];
  }

  placeHold(hold: Parameters<PrivacyStore['placeHold']>[0]): LegalHold | undefined {
    return this.#work.transact(() => {
      const known = this.#database.prepare('SELECT 1 FROM event WHERE event_id = ?').get(hold.eventId);
      if (known === undefined) return undefined;
      this.#database
        .prepare(
          `INSERT INTO legal_hold (hold_id, event_id, reason, placed_by, placed_at)
             VALUES (@holdId, @eventId, @reason, @placedBy, @placedAt)`,
        )
        .run(hold);
      return hold;
    });
  }

  liftHold(holdId: string, lift: Parameters<PrivacyStore['liftHold']>[1]): boolean {
    return this.#work.transact(
      () =>
        this.#database
          .prepare(
            `UPDATE legal_hold SET lifted_by = @by, lifted_at = @at, lift_reason = @reason
               WHERE hold_id = @holdId AND lifted_at IS NULL`,
          )
          .run({ ...lift, holdId }).changes > 0,
    );
  }

  listHolds(eventId: string): LegalHold[] {
    return this.#all<LegalHold>(`${HOLD} WHERE event_id = ? ORDER BY placed_at`, eventId);
  }

  listDue(rule: RetentionRule, nowMs: number, limit: number): DueCase[] {
    const due: DueCase[] = [];
    for (const { kind, review, isLetPass } of this.#all<CaseGroup>(CASE_GROUPS)) {
      const outcome: DueCase['outcome'] = isLetPass === 1 ? 'let-pass' : review;
      const endedBefore = new Date(nowMs - rule(kind, outcome) * DAY_MS).toISOString();
      const rows = this.#all<Pick<DueCase, 'eventId' | 'since'>>(
        isLetPass === 1 ? DUE_LET_PASS : DUE_CASES,
        ...[kind, review, endedBefore, endedBefore, limit - due.length],
      );
      due.push(...rows.map(({ eventId, since }) => ({ eventId, kind, outcome, since })));
      if (due.length >= limit) break;
    }
    return due;
  }

  findCases(query: CaseQuery, limit: number): string[] {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const add = (condition: string, value: string | number | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    add('site = ?', query.site);
    add('node = ?', query.node);
    add('camera = ?', query.camera);
    add('captured_at >= ?', query.from);
    add('captured_at < ?', query.to);
    add(`json_extract(body, '$.subject.trackId') = ?`, query.trackId);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = this.#all<FoundCase>(
      `SELECT event_id AS eventId, body,
         (SELECT group_concat(reason, ' ') FROM review WHERE review.event_id = event.event_id) AS reasons,
         (SELECT group_concat(text, ' ') FROM (${SURE_PLATE_TEXTS})) AS plates
         FROM event ${where} ORDER BY captured_at DESC`,
      ...values,
    );
    const plate = query.plate === undefined ? undefined : normalisePlate(query.plate);
    return rows
      .filter((row) => plate === undefined || mentionsPlate(row, plate))
      .slice(0, limit)
      .map(({ eventId }) => eventId);
  }

  erase(eventId: string, erasure: Parameters<PrivacyStore['erase']>[1]): ErasureOutcome {
    return this.#work.transact(() => this.#erasure.erase(eventId, erasure));
  }

  isErased(eventId: string): boolean {
    return this.#work.read(() => this.#erasure.isErased(eventId));
  }

  listTombstones(limit: number): Tombstone[] {
    return this.#all<Tombstone>(`${TOMBSTONE} ORDER BY erased_at DESC, case_digest LIMIT ?`, limit);
  }

  listFileErasures(limit: number): string[] {
    return this.#all<{ sha256: string }>('SELECT sha256 FROM file_erasure ORDER BY since LIMIT ?', limit).map(
      ({ sha256 }) => sha256,
    );
  }

  settleFileErasure(sha256: string): void {
    this.#run('DELETE FROM file_erasure WHERE sha256 = @sha256', { sha256 });
  }

  listNodeErasures(limit: number): { site: string; node: string; files: string[] }[] {
    const nodes = new Map<string, { site: string; node: string; files: string[] }>();
    const rows = this.#all<{ sha256: string; site: string; node: string }>(
      'SELECT sha256, site, node FROM node_erasure ORDER BY since',
    );
    for (const { sha256, site, node } of rows) {
      const entry = nodes.get(`${site}/${node}`) ?? { site, node, files: [] };
      if (entry.files.length < limit) entry.files.push(sha256);
      nodes.set(`${site}/${node}`, entry);
    }
    return [...nodes.values()];
  }

  settleNodeErasure(file: { sha256: string; site: string; node: string }): void {
    this.#run('DELETE FROM node_erasure WHERE sha256 = @sha256 AND site = @site AND node = @node', file);
  }

  scrub(at: string): boolean {
    return this.#work.read(() => {
      // pages that were freed before this file was opened with secure_delete may hold what was deleted then
      const isClean =
        this.#database.prepare(`SELECT 1 FROM hygiene WHERE name = 'vacuum'`).get() !== undefined;
      if (!isClean) {
        this.#database.exec('VACUUM');
        this.#database.prepare(`INSERT OR REPLACE INTO hygiene (name, done_at) VALUES ('vacuum', ?)`).run(at);
      }
      const [result] = this.#database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      return result?.busy === 0;
    });
  }

  openCase(subjectCase: Parameters<PrivacyStore['openCase']>[0]): void {
    this.#run(
      `INSERT INTO subject_case (case_id, kind, received_at, acknowledge_by, handled_by)
         VALUES (@caseId, @kind, @receivedAt, @acknowledgeBy, @handledBy)`,
      subjectCase,
    );
  }

  closeCase(caseId: string, end: Parameters<PrivacyStore['closeCase']>[1]): void {
    this.#run(
      `UPDATE subject_case SET closed_at = @closedAt, found = @found, erased = @erased, held = @held, outcome = @outcome
         WHERE case_id = @caseId`,
      { closedAt: null, found: null, erased: null, held: null, outcome: null, ...end, caseId },
    );
  }

  acknowledgeCase(caseId: string, at: string): boolean {
    return this.#work.transact(
      () =>
        this.#database
          .prepare('UPDATE subject_case SET acknowledged_at = coalesce(acknowledged_at, ?) WHERE case_id = ?')
          .run(at, caseId).changes > 0,
    );
  }

  listCases(limit: number): SubjectCase[] {
    return this.#all<SubjectCase>(`${SUBJECT_CASE} ORDER BY received_at DESC LIMIT ?`, limit);
  }

  #run(sql: string, values: object): void {
    this.#work.transact(() => this.#database.prepare(sql).run(values));
  }

  #all<T extends object>(sql: string, ...values: (string | number)[]): T[] {
    return this.#work.read(() =>
      this.#database
        .prepare<(string | number)[], Record<string, unknown>>(sql)
        .all(...values)
        // only the columns that may be null are optional in a record
        .map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as T),
    );
  }
}

interface FoundCase {
  readonly eventId: string;
  readonly body: string;
  readonly reasons?: string;
  /** What was read on its plate or said of it by persons, with spaces in between. */
  readonly plates?: string;
}

/** A plate may have been read, or stand in the event itself, or in what a reviewer wrote. */
function mentionsPlate({ body, reasons, plates }: FoundCase, plate: string): boolean {
  if (plate.length < 4) return false;
  if (plates?.split(' ').includes(plate) === true) return true;
  if (reasons !== undefined && normalisePlate(reasons).includes(plate)) return true;
  // only what was written: digits of times and boxes that stand side by side make no plate
  const { explanation } = JSON.parse(body) as Event;
  return Object.values(explanation).some((text) => normalisePlate(text).includes(plate));
}
