import {
  computeProportion,
  FEVER_CONFIRMED_FROM_C,
  type GateSelfCheck,
  type GateStatus,
  type GateTime,
  READING_ENTRY_MS,
  type ScreeningReport,
  type ScreeningResult,
  type ThermometerReading,
} from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type {
  EntryOutcome,
  GateName,
  GateRecord,
  ScreeningStore,
  StoredPassage,
  StoredReading,
} from './screening-store.ts';

/** Ways to the database that turn its failures into the product's errors. */
interface DatabaseWork {
  /** Runs work in one immediate transaction. */
  transact<T>(work: () => T): T;
  read<T>(work: () => T): T;
}

const OF_GATE = 'site = @site AND node = @node AND gate = @gate';
type Cell = 'truePositive' | 'falseNegative' | 'trueNegative' | 'falsePositive';
const COLUMN_OF: Readonly<Record<Cell, string>> = {
  truePositive: 'true_positive',
  falseNegative: 'false_negative',
  trueNegative: 'true_negative',
  falsePositive: 'false_positive',
};

interface GateRow extends GateName, Readonly<Record<Cell, number>> {
  readonly heardAt: string;
  readonly status: string | null;
}

interface PassageRow {
  readonly body: string;
  readonly reading: string | null;
}

interface WindowRow {
  readonly passed: number;
  readonly measured: number;
  readonly refused: string;
  readonly time: string;
  readonly learningFrozen: number;
}

const GATE_COLUMNS = `site, node, gate, heard_at AS heardAt, status, true_positive AS truePositive,
  false_negative AS falseNegative, true_negative AS trueNegative, false_positive AS falsePositive`;

function toPassage({ body, reading }: PassageRow): StoredPassage {
  const result = JSON.parse(body) as ScreeningResult;
  return reading === null ? { result } : { result, reading: JSON.parse(reading) as StoredReading };
}

/** Which of the four a decision is, seen by a thermometer. */
function cellOf(outcome: 'pass' | 'measure', celsius: number): Cell {
  if (celsius >= FEVER_CONFIRMED_FROM_C) return outcome === 'measure' ? 'truePositive' : 'falseNegative';
  return outcome === 'measure' ? 'falsePositive' : 'trueNegative';
}

/** Screening in the database of the event store. */
export class SqliteScreeningStore implements ScreeningStore {
  readonly #database: Database.Database;
  readonly #work: DatabaseWork;

  constructor(database: Database.Database, work: DatabaseWork) {
    this.#database = database;
    this.#work = work;
  }

  /** Takes one committed report. To be used inside a transaction of the caller; a repetition changes nothing. */
  write({ site, node, gate, ...report }: ScreeningReport, arrivedAt: string): void {
    const name = { site, node, gate };
    this.#run(
      `INSERT INTO screening_gate (site, node, gate, heard_at) VALUES (@site, @node, @gate, @arrivedAt)
         ON CONFLICT (site, node, gate) DO UPDATE SET heard_at = max(heard_at, excluded.heard_at)`,
      { ...name, arrivedAt },
    );
    if (report.status !== undefined) {
      // what comes out of a backlog does not replace what the gate shows now
      this.#run(
        `UPDATE screening_gate SET status = @status, status_at = @at WHERE ${OF_GATE}
           AND (status_at IS NULL OR status_at <= @at)`,
        { ...name, status: JSON.stringify(report.status), at: report.status.at },
      );
    }
    for (const result of report.results) {
      this.#run(
        `INSERT OR IGNORE INTO screening_passage (screening_id, site, node, gate, at, arrived_at, body)
           VALUES (@screeningId, @site, @node, @gate, @at, @arrivedAt, @body)`,
        { ...name, screeningId: result.screeningId, at: result.at, arrivedAt, body: JSON.stringify(result) },
      );
    }
    for (const check of report.selfChecks) {
      this.#run(
        `INSERT OR IGNORE INTO screening_self_check (site, node, gate, at, arrived_at, body)
           VALUES (@site, @node, @gate, @at, @arrivedAt, @body)`,
        { ...name, at: check.at, arrivedAt, body: JSON.stringify(check) },
      );
    }
    if (report.window !== undefined) this.#writeWindow(name, report.window, arrivedAt);
  }

  #writeWindow(
    name: GateName,
    { counts, time }: NonNullable<ScreeningReport['window']>,
    arrivedAt: string,
  ): void {
    this.#run(
      `INSERT OR IGNORE INTO screening_window (site, node, gate, from_at, to_at, arrived_at, passed, measured, refused, time,
         learning_frozen) VALUES (@site, @node, @gate, @from, @to, @arrivedAt, @passed, @measured, @refused, @time, @frozen)`,
      {
        ...name,
        ...{ from: counts.from, to: counts.to, arrivedAt, passed: counts.passed, measured: counts.measured },
        refused: JSON.stringify(counts.refused),
        time: JSON.stringify(time),
        frozen: counts.learningFrozen ? 1 : 0,
      },
    );
  }

  listGates(period: { from: string; to: string }, sites?: readonly string[]): GateRecord[] {
    return this.#work.read(() =>
      this.#all<GateRow>(`SELECT ${GATE_COLUMNS} FROM screening_gate ORDER BY site, node, gate`, {})
        .filter(({ site }) => sites?.includes(site) !== false)
        .map((row) => this.#describe(row, period)),
    );
  }

  getGate(name: GateName): Pick<GateRecord, 'heardAt' | 'status'> | undefined {
    return this.#work.read(() => {
      const [row] = this.#all<GateRow>(`SELECT ${GATE_COLUMNS} FROM screening_gate WHERE ${OF_GATE}`, name);
      return row === undefined ? undefined : { heardAt: row.heardAt, ...statusOf(row) };
    });
  }

  listPassages(name: GateName, limit: number): StoredPassage[] {
    return this.#work.read(() =>
      this.#all<PassageRow>(
        `SELECT body, reading FROM screening_passage WHERE ${OF_GATE} ORDER BY at DESC LIMIT @limit`,
        { ...name, limit },
      ).map(toPassage),
    );
  }

  listSelfChecks(name: GateName, limit: number): GateSelfCheck[] {
    return this.#work.read(() =>
      this.#all<{ body: string }>(
        `SELECT body FROM screening_self_check WHERE ${OF_GATE} ORDER BY at DESC LIMIT @limit`,
        { ...name, limit },
      ).map(({ body }) => JSON.parse(body) as GateSelfCheck),
    );
  }

  enterReading(
    name: GateName,
    { screeningId, at, celsius, place }: ThermometerReading,
    by: { enteredBy: string; at: string },
  ): EntryOutcome {
    return this.#work.transact(() => {
      const key = { ...name, screeningId };
      const where = `${OF_GATE} AND screening_id = @screeningId`;
      const [row] = this.#all<PassageRow>(`SELECT body, reading FROM screening_passage WHERE ${where}`, key);
      if (row === undefined) return { outcome: 'unknown' };
      const { result, reading: before } = toPassage(row);
      if (result.outcome === 'refused') return { outcome: 'no-decision' };
      if (Date.parse(by.at) - Date.parse(result.at) > READING_ENTRY_MS) return { outcome: 'closed' };
      const reading: StoredReading = { celsius, place, at, enteredBy: by.enteredBy };
      if (before !== undefined) this.#count(name, cellOf(result.outcome, before.celsius), -1);
      this.#count(name, cellOf(result.outcome, celsius), 1);
      this.#run(`UPDATE screening_passage SET reading = @reading WHERE ${where}`, {
        ...key,
        reading: JSON.stringify(reading),
      });
      return { outcome: before === undefined ? 'entered' : 'corrected', passage: { result, reading } };
    });
  }

  erase({ passages, counts }: { passages: string; counts: string }): number {
    return this.#work.transact(() => {
      const gone = this.#run('DELETE FROM screening_passage WHERE arrived_at < @passages', { passages });
      this.#run('DELETE FROM screening_window WHERE arrived_at < @counts', { counts });
      this.#run('DELETE FROM screening_self_check WHERE arrived_at < @counts', { counts });
      // what a gate showed last tells of whoever stood before it
      this.#run('UPDATE screening_gate SET status = NULL, status_at = NULL WHERE heard_at < @passages', {
        passages,
      });
      return gone;
    });
  }

  #count(name: GateName, cell: Cell, by: 1 | -1): void {
    const column = COLUMN_OF[cell];
    this.#run(`UPDATE screening_gate SET ${column} = max(0, ${column} + @by) WHERE ${OF_GATE}`, {
      ...name,
      by,
    });
  }

  #describe(row: GateRow, { from, to }: { from: string; to: string }): GateRecord {
    const { site, node, gate, heardAt } = row;
    const windows = this.#all<WindowRow>(
      `SELECT passed, measured, refused, time, learning_frozen AS learningFrozen FROM screening_window
         WHERE ${OF_GATE} AND from_at >= @from AND from_at < @to ORDER BY from_at`,
      { site, node, gate, from, to },
    );
    const { truePositive, falseNegative, trueNegative, falsePositive } = row;
    return {
      ...{ site, node, gate, heardAt, ...statusOf(row) },
      counts: {
        passed: windows.reduce((sum, { passed }) => sum + passed, 0),
        measured: windows.reduce((sum, { measured }) => sum + measured, 0),
        refused: addUp(windows.map(({ refused }) => JSON.parse(refused) as Record<string, number>)),
        learningFrozen: windows.at(-1)?.learningFrozen === 1,
      },
      time: addTimes(windows.flatMap(({ time }) => JSON.parse(time) as GateTime[])),
      confirmed: {
        sensitivity: computeProportion(truePositive, truePositive + falseNegative),
        specificity: computeProportion(trueNegative, trueNegative + falsePositive),
      },
    };
  }

  #run(sql: string, values: object): number {
    return this.#database.prepare(sql).run(values).changes;
  }

  #all<T>(sql: string, values: object): T[] {
    return this.#database.prepare<[object], T>(sql).all(values);
  }
}

function statusOf({ status }: GateRow): { readonly status?: GateStatus } {
  return status === null ? {} : { status: JSON.parse(status) as GateStatus };
}

function addUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const one of counts)
    for (const [name, count] of Object.entries(one)) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries(sums);
}

function addTimes(times: readonly GateTime[]): GateTime[] {
  const sums = new Map<string, GateTime>();
  for (const { ms, ...spent } of times) {
    const key = `${spent.service} ${spent.reason ?? ''}`;
    sums.set(key, { ...spent, ms: (sums.get(key)?.ms ?? 0) + ms });
  }
  return [...sums.values()];
}
