import { describe, expect, it } from 'vitest';
import { EVENT_KINDS, type EventKind, ROAD_USER_LABELS, type RoadUserLabel } from '../event.ts';
import { findSchemaIssues } from '../schema.ts';
import { LAW_ROWS } from './decree-168-2024.ts';
import { formatLawPage } from './law-page.ts';
import { LawRow } from './law-row.ts';
import { type LawAnswer, resolveLaw } from './resolve-law.ts';

const IN_2025 = Date.parse('2025-06-01T12:00:00+07:00');
const AMENDED = Date.parse('2026-08-15T00:00:00+07:00');

function ask(
  kind: EventKind,
  label: RoadUserLabel,
  atMs = IN_2025,
  measures: Record<string, number> = {},
): LawAnswer {
  return resolveLaw({ kind, label, measures, atMs });
}

/** "clause min–max points", fines in thousand VND; `?` where the points are not recorded. */
const say = ({ rows }: LawAnswer): string[] =>
  rows.map((row) => `${row.clause} ${row.fineMinVnd / 1000}–${row.fineMaxVnd / 1000} ${row.points ?? '?'}`);

/** Written down a second time, apart from the data: kind, class, clauses in 2025, and which are listed as unchanged in 2026. */
const TABLE: readonly [EventKind, RoadUserLabel, readonly string[], readonly string[]][] = [
  ['RED_LIGHT', 'car', ['9.b 18000–20000 4'], ['9.b']],
  ['RED_LIGHT', 'motorbike', ['7.c 4000–6000 4'], ['7.c']],
  ['STOP_LINE', 'car', ['1.a 400–600 0'], ['1.a']],
  ['STOP_LINE', 'motorbike', ['1.a 200–400 0'], []],
  ['WRONG_WAY', 'car', ['9.d 18000–20000 4', '11.đ 30000–40000 10'], ['9.d']],
  ['WRONG_WAY', 'motorbike', ['7.a 4000–6000 2'], ['7.a']],
  ['LANE', 'car', ['5.b 4000–6000 2'], []],
  ['LANE', 'motorbike', ['3.d 600–800 0'], []],
  ['SPEED', 'car', ['3.a 800–1000 0', '5.đ 4000–6000 2', '6.a 6000–8000 4', '7.a 12000–14000 6'], []],
  ['SPEED', 'motorbike', ['2.b 400–600 0', '4.a 800–1000 0', '8.a 6000–8000 4'], ['2.b', '8.a']],
  [
    'STOP_PARK',
    'car',
    ['2.d 600–800 ?', '3.đ 800–1000 ?', '3.e 800–1000 ?', '4.b 2000–3000 2', '5.k 4000–6000 2'],
    ['2.d'],
  ],
  [
    'STOP_PARK',
    'motorbike',
    ['2.a 400–600 ?', '2.d 400–600 ?', '2.e 400–600 ?', '3.c 600–800 ?'],
    ['2.d', '2.e'],
  ],
  ['NO_HELMET', 'motorbike', ['2.h 400–600 0', '2.i 400–600 0'], ['2.i']],
];

describe('the rows', () => {
  it('follow their schema, with fines in order and periods that do not overlap', () => {
    for (const row of LAW_ROWS) {
      expect(findSchemaIssues(LawRow, row), `${row.kind} ${row.clause}`).toEqual([]);
      expect(row.fineMinVnd).toBeLessThan(row.fineMaxVnd);
    }
    const periods = LAW_ROWS.map((row) => `${row.kind} ${row.group} ${row.clause} ${row.validFrom}`);
    expect(new Set(periods).size).toBe(periods.length);
  });

  it('number those of the table, each in two periods', () => {
    const clauses = TABLE.reduce((sum, [, , rows]) => sum + rows.length, 0);
    expect(LAW_ROWS).toHaveLength(2 * clauses);
  });
});

describe('resolveLaw: the table', () => {
  it.each(TABLE)('%s by a %s in 2025 is found at the primary source', (kind, label, rows) => {
    const answer = ask(kind, label);
    expect(answer.state).toBe('found');
    expect(say(answer)).toEqual(rows);
    expect(new Set(answer.rows.map(({ certainty }) => certainty))).toEqual(new Set(['V']));
  });

  it.each(TABLE)('%s by a %s from 2026-08-15 says what was not verified', (kind, label, rows, unchanged) => {
    const answer = ask(kind, label, AMENDED);
    expect(say(answer)).toEqual(rows);
    for (const { clause, certainty, source } of answer.rows) {
      expect(certainty, clause).toBe(unchanged.includes(clause) ? 'S' : 'U');
      expect(source.vi).toContain('238/2026');
    }
    expect(answer.state).toBe(unchanged.length === rows.length ? 'found' : 'not-verified');
  });

  it.each(
    EVENT_KINDS.flatMap((kind) =>
      ROAD_USER_LABELS.filter(
        (label) =>
          !TABLE.some(
            ([k, l]) => k === kind && (l === label || (l === 'car' && ['bus', 'truck'].includes(label))),
          ),
      ).map((label) => [kind, label] as const),
    ),
  )('%s by a %s is not recorded', (kind, label) => {
    for (const atMs of [IN_2025, AMENDED]) {
      expect(ask(kind, label, atMs)).toMatchObject({ state: 'not-recorded', rows: [] });
    }
  });

  it('puts buses and trucks under the article of cars', () => {
    expect(ask('RED_LIGHT', 'bus').rows).toEqual(ask('RED_LIGHT', 'car').rows);
    expect(ask('RED_LIGHT', 'truck').rows).toEqual(ask('RED_LIGHT', 'car').rows);
  });
});

describe('resolveLaw: boundaries', () => {
  it('begins and changes at midnight in Vietnam, to the millisecond', () => {
    const first = Date.parse('2024-12-31T17:00:00.000Z');
    expect(ask('RED_LIGHT', 'car', first - 1).state).toBe('not-recorded');
    expect(ask('RED_LIGHT', 'car', first).state).toBe('found');
    const amended = Date.parse('2026-08-14T17:00:00.000Z');
    expect(ask('LANE', 'car', amended - 1).rows[0]?.certainty).toBe('V');
    expect(ask('LANE', 'car', amended).rows[0]?.certainty).toBe('U');
    expect(ask('RED_LIGHT', 'car', amended - 1).rows).toHaveLength(1);
    expect(ask('RED_LIGHT', 'car', amended).rows).toHaveLength(1);
  });

  it.each([
    [4.9, [], []],
    [5, ['3.a'], ['2.b']],
    [9.9, ['3.a'], ['2.b']],
    [10, ['5.đ'], ['4.a']],
    [20, ['5.đ'], ['4.a']],
    [20.1, ['6.a'], ['8.a']],
    [35, ['6.a'], ['8.a']],
    [35.1, ['7.a'], ['8.a']],
    [120, ['7.a'], ['8.a']],
  ])('%d km/h over: one band', (over, car, motorbike) => {
    const measures = { limitKmh: 50.1, speedKmh: 250, speedLowKmh: 50.1 + over };
    expect(ask('SPEED', 'car', IN_2025, measures).rows.map(({ clause }) => clause)).toEqual(car);
    expect(ask('SPEED', 'motorbike', IN_2025, measures).rows.map(({ clause }) => clause)).toEqual(motorbike);
  });

  it('takes the speed itself where no lower bound was measured', () => {
    const rows = ask('SPEED', 'car', IN_2025, { limitKmh: 50, speedKmh: 63 }).rows;
    expect(rows.map(({ clause }) => clause)).toEqual(['5.đ']);
  });

  it('keeps to the variants that are known', () => {
    const clauses = (variants: Record<string, boolean>) =>
      resolveLaw({ kind: 'WRONG_WAY', label: 'car', measures: {}, atMs: IN_2025, variants }).rows.map(
        ({ clause }) => clause,
      );
    expect(clauses({})).toEqual(['9.d', '11.đ']);
    expect(clauses({ expressway: false })).toEqual(['9.d']);
    expect(clauses({ expressway: true })).toEqual(['11.đ']);
    const helmet = resolveLaw({
      kind: 'NO_HELMET',
      label: 'motorbike',
      measures: {},
      atMs: IN_2025,
      variants: { rider: false },
    });
    expect(helmet.rows.map(({ clause }) => clause)).toEqual(['2.i']);
  });

  it('lets a case lapse one year later, also one of a leap day', () => {
    const lapses = (at: string) => new Date(ask('RED_LIGHT', 'car', Date.parse(at)).lapsesAtMs).toISOString();
    expect(lapses('2025-06-01T05:00:00Z')).toBe('2026-06-01T05:00:00.000Z');
    expect(lapses('2028-02-29T05:00:00Z')).toBe('2029-03-01T05:00:00.000Z');
  });
});

describe('docs/law.md', () => {
  it('says what the data say', async () => {
    await expect(formatLawPage()).toMatchFileSnapshot('../../../docs/law.md');
  });
});
