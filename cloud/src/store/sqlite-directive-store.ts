import { DIRECTIVE_MEMORY_MS, DIRECTIVES_MAX, type DirectiveSet } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { DirectiveFilter, DirectiveRecord, DirectiveStore } from './directive-store.ts';

type Row = { [K in keyof DirectiveRecord]-?: DirectiveRecord[K] | null };

/** Ways to the database that turn its failures into the product's errors. */
interface DatabaseWork {
  /** Runs work in one immediate transaction. */
  transact<T>(work: () => T): T;
  read<T>(work: () => T): T;
}

const COLUMNS = `directive_id AS directiveId, site, node, camera, kind, from_at AS "from", until_at AS until,
  planned_until_at AS plannedUntil, reason, declared_by AS declaredBy, declared_at AS declaredAt, ended_by AS endedBy,
  ended_at AS endedAt, end_reason AS endReason, revision`;

function toRecord(row: Row): DirectiveRecord {
  const known = Object.entries(row).filter(([, value]) => value !== null);
  // Only the columns that may be null are optional in a record.
  return Object.fromEntries(known) as unknown as DirectiveRecord;
}

/** The directives in the database of the event store. */
export class SqliteDirectiveStore implements DirectiveStore {
  readonly #database: Database.Database;
  readonly #work: DatabaseWork;

  constructor(database: Database.Database, work: DatabaseWork) {
    this.#database = database;
    this.#work = work;
  }

  declare(directive: Parameters<DirectiveStore['declare']>[0]): DirectiveRecord | undefined {
    return this.#work.transact(() => {
      const { site, node, declaredAt } = directive;
      if (this.#listToTell({ site, node }, declaredAt).length >= DIRECTIVES_MAX) return undefined;
      const record = {
        ...directive,
        plannedUntil: directive.until,
        revision: this.#countRevision(directive, declaredAt),
      };
      this.#database
        .prepare(
          `INSERT INTO directive (directive_id, site, node, camera, kind, from_at, until_at, planned_until_at, reason,
             declared_by, declared_at, revision)
           VALUES (@directiveId, @site, @node, @camera, @kind, @from, @until, @plannedUntil, @reason, @declaredBy,
             @declaredAt, @revision)`,
        )
        .run(record);
      return record;
    });
  }

  end(
    directiveId: string,
    { actor, at, reason, sites }: Parameters<DirectiveStore['end']>[1],
  ): ReturnType<DirectiveStore['end']> {
    return this.#work.transact(() => {
      const record = this.#get(directiveId);
      if (record === undefined || sites?.includes(record.site) === false) return { outcome: 'unknown' };
      if (record.until <= at || record.endedAt !== undefined) return { outcome: 'already-ended', record };
      const until = at < record.from ? record.from : at;
      this.#database
        .prepare(
          `UPDATE directive SET until_at = ?, ended_by = ?, ended_at = ?, end_reason = ?, revision = ?
             WHERE directive_id = ?`,
        )
        .run(until, actor, at, reason, this.#countRevision(record, at), directiveId);
      return { outcome: 'ended', record: this.#get(directiveId) ?? record };
    });
  }

  list({ camera, sites, endsAfter, limit }: DirectiveFilter): DirectiveRecord[] {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    if (camera !== undefined) {
      conditions.push('site = ? AND node = ? AND camera = ?');
      values.push(camera.site, camera.node, camera.camera);
    }
    if (sites !== undefined) {
      conditions.push('site IN (SELECT value FROM json_each(?))');
      values.push(JSON.stringify(sites));
    }
    if (endsAfter !== undefined) {
      conditions.push('until_at > ?');
      values.push(endsAfter);
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    return this.#work.read(() =>
      this.#database
        .prepare<(string | number)[], Row>(
          `SELECT ${COLUMNS} FROM directive ${where} ORDER BY declared_at DESC, directive_id DESC LIMIT ?`,
        )
        .all(...values, limit)
        .map(toRecord),
    );
  }

  listRevisions(): { site: string; node: string; revision: number }[] {
    return this.#work.read(() =>
      this.#database
        .prepare<[], { site: string; node: string; revision: number }>(
          'SELECT site, node, revision FROM directive_revision ORDER BY site, node',
        )
        .all(),
    );
  }

  buildSet(owner: { site: string; node: string }, at: string): DirectiveSet | undefined {
    return this.#work.read(() => {
      const row = this.#database
        .prepare<[string, string], { revision: number }>(
          'SELECT revision FROM directive_revision WHERE site = ? AND node = ?',
        )
        .get(owner.site, owner.node);
      if (row === undefined) return undefined;
      const directives = this.#listToTell(owner, at).map(
        ({ directiveId, camera, kind, from, until, reason }) => ({
          ...{ directiveId, camera, kind, from, until, reason },
        }),
      );
      return { schemaVersion: 1, revision: row.revision, publishedAt: at, directives };
    });
  }

  #listToTell({ site, node }: { site: string; node: string }, at: string): DirectiveRecord[] {
    const endsAfter = new Date(Date.parse(at) - DIRECTIVE_MEMORY_MS).toISOString();
    return this.#database
      .prepare<[string, string, string, number], Row>(
        `SELECT ${COLUMNS} FROM directive WHERE site = ? AND node = ? AND until_at > ?
           ORDER BY until_at DESC, directive_id LIMIT ?`,
      )
      .all(site, node, endsAfter, DIRECTIVES_MAX)
      .map(toRecord);
  }

  #get(directiveId: string): DirectiveRecord | undefined {
    const row = this.#database
      .prepare<[string], Row>(`SELECT ${COLUMNS} FROM directive WHERE directive_id = ?`)
      .get(directiveId);
    return row === undefined ? undefined : toRecord(row);
  }

  /**
   * The node's next revision: never below the clock in milliseconds, so that it goes on rising where the database was brought back
   * from a backup and the nodes have seen more than it remembers.
   */
  #countRevision({ site, node }: { site: string; node: string }, at: string): number {
    const row = this.#database
      .prepare<[string, string, number], { revision: number }>(
        `INSERT INTO directive_revision (site, node, revision) VALUES (?, ?, ?)
           ON CONFLICT (site, node) DO UPDATE SET revision = max(revision + 1, excluded.revision) RETURNING revision`,
      )
      .get(site, node, Date.parse(at));
    if (row === undefined) throw new Error('the revision of the directives was not counted');
    return row.revision;
  }
}
