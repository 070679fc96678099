import type { PlateFinding } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type {
  PlateGlance,
  PlateJudgement,
  PlateQuery,
  PlateRecord,
  PlateSource,
  PlateStore,
} from './plate-store.ts';
import { maskPlate } from './plate-text.ts';

/** Ways to the database that turn its failures into the product's errors. */
interface DatabaseWork {
  /** Runs work in one immediate transaction. */
  transact<T>(work: () => T): T;
  read<T>(work: () => T): T;
  /** Gives the event a new place in the order of changes. */
  touch(eventId: string): void;
}

/** Columns of a list that `toGlance` reads; `event` is the table around it. */
export const PLATE_COLUMNS = `(SELECT state FROM plate_reading WHERE plate_reading.event_id = event.event_id) AS plateState,
  (SELECT text FROM plate_reading WHERE plate_reading.event_id = event.event_id) AS plateText,
  (SELECT json_array(verdict, text) FROM plate_judgement WHERE plate_judgement.event_id = event.event_id
     ORDER BY judgement_id DESC LIMIT 1) AS plateJudgement`;

export interface PlateColumns {
  readonly plateState: PlateFinding['state'] | null;
  readonly plateText: string | null;
  readonly plateJudgement: string | null;
}

/** What persons said counts before what was read; a text that nobody is sure of is not shown in a list. */
export function toGlance({ plateState, plateText, plateJudgement }: PlateColumns): PlateGlance | undefined {
  if (plateJudgement !== null) {
    const [state, text] = JSON.parse(plateJudgement) as [PlateJudgement['verdict'], string | null];
    return { state, ...(text === null ? {} : { masked: maskPlate(text) }) };
  }
  if (plateState === null) return undefined;
  const isSure = plateState === 'read' || plateState === 'ambiguous';
  return { state: plateState, ...(isSure && plateText !== null ? { masked: maskPlate(plateText) } : {}) };
}

/** What persons said, and where nobody did what was read surely: the texts by which a person finds what is kept of him. */
export const SURE_PLATE_TEXTS = `SELECT text FROM plate_text WHERE plate_text.event_id = event.event_id
  AND source = iif(EXISTS (SELECT 1 FROM plate_judgement WHERE plate_judgement.event_id = event.event_id), 'person', 'read')`;

interface JudgementRow extends Omit<PlateJudgement, 'text'> {
  readonly text: string | null;
}

/** The surer first. */
const SOURCES: readonly PlateSource[] = ['person', 'read', 'candidate'];
const SOURCE_RANK = `CASE source WHEN 'person' THEN 0 WHEN 'read' THEN 1 ELSE 2 END`;

/** Plates in the centre's database. */
export class SqlitePlateStore implements PlateStore {
  readonly #database: Database.Database;
  readonly #work: DatabaseWork;
  readonly #isKnown: Database.Statement<[string], unknown>;
  readonly #finding: Database.Statement<[string], { finding: string }>;
  readonly #judgements: Database.Statement<[string], JudgementRow>;
  readonly #insertReading: Database.Statement<(string | null)[]>;
  readonly #insertJudgement: Database.Statement<(string | null)[]>;
  readonly #insertText: Database.Statement<[string, string, PlateSource]>;
  readonly #dropPersonText: Database.Statement<[string]>;

  constructor(database: Database.Database, work: DatabaseWork) {
    this.#database = database;
    this.#work = work;
    this.#isKnown = database.prepare('SELECT 1 FROM event WHERE event_id = ?');
    this.#finding = database.prepare('SELECT finding FROM plate_reading WHERE event_id = ?');
    this.#judgements = database.prepare(
      `SELECT verdict, text, reason, judged_by AS judgedBy, judged_at AS judgedAt FROM plate_judgement
         WHERE event_id = ? ORDER BY judgement_id`,
    );
    this.#insertReading = database.prepare(
      'INSERT INTO plate_reading (event_id, state, text, finding) VALUES (?, ?, ?, ?)',
    );
    this.#insertJudgement = database.prepare(
      'INSERT INTO plate_judgement (event_id, verdict, text, reason, judged_by, judged_at) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#insertText = database.prepare(
      'INSERT OR IGNORE INTO plate_text (text, event_id, source) VALUES (?, ?, ?)',
    );
    this.#dropPersonText = database.prepare(
      `DELETE FROM plate_text WHERE event_id = ? AND source = 'person'`,
    );
  }

  /** Keeps what a manifest says, inside a transaction of the caller. */
  write(eventId: string, finding: PlateFinding): void {
    const { state, text, alternatives } = finding;
    this.#insertReading.run(eventId, state, text ?? null, JSON.stringify(finding));
    const isSure = state === 'read' || state === 'ambiguous';
    if (text !== undefined) this.#insertText.run(text, eventId, isSure ? 'read' : 'candidate');
    for (const other of alternatives) this.#insertText.run(other.text, eventId, 'candidate');
  }

  find(eventId: string): PlateRecord | undefined {
    return this.#work.read(() => {
      if (this.#isKnown.get(eventId) === undefined) return undefined;
      const row = this.#finding.get(eventId);
      const judgements = this.#judgements
        .all(eventId)
        .map(({ text, ...rest }) => (text === null ? rest : { ...rest, text }));
      return row === undefined
        ? { judgements }
        : { finding: JSON.parse(row.finding) as PlateFinding, judgements };
    });
  }

  judge(
    eventId: string,
    { verdict, text, reason, judgedBy, judgedAt }: PlateJudgement,
    expected: number,
  ): 'appended' | 'conflict' | 'unknown-event' {
    return this.#work.transact(() => {
      if (this.#isKnown.get(eventId) === undefined) return 'unknown-event';
      if (this.#judgements.all(eventId).length !== expected) return 'conflict';
      this.#insertJudgement.run(eventId, verdict, text ?? null, reason, judgedBy, judgedAt);
      this.#dropPersonText.run(eventId);
      if (text !== undefined) this.#insertText.run(text, eventId, 'person');
      this.#work.touch(eventId);
      return 'appended';
    });
  }

  search({ pattern, sites, from, to, limit }: PlateQuery): { eventId: string; source: PlateSource }[] {
    const values = { pattern, sites: sites === undefined ? null : JSON.stringify(sites) };
    return this.#work.read(() =>
      this.#database
        .prepare<object, { eventId: string; rank: number }>(
          `SELECT event_id AS eventId, min(${SOURCE_RANK}) AS rank FROM plate_text JOIN event USING (event_id)
             WHERE text GLOB @pattern AND (@sites IS NULL OR site IN (SELECT value FROM json_each(@sites)))
               AND (@from IS NULL OR captured_at >= @from) AND (@to IS NULL OR captured_at < @to)
             GROUP BY event_id ORDER BY rank, captured_at DESC LIMIT @limit`,
        )
        .all({ ...values, from: from ?? null, to: to ?? null, limit })
        .map(({ eventId, rank }) => ({ eventId, source: SOURCES[rank] ?? 'candidate' })),
    );
  }
}
