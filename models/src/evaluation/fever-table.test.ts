import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateFever, formatFeverTable } from './fever-evaluation.ts';
import { loadFeverTables, parseFeverTable } from './fever-table.ts';

/** Numbers in [0, 1) that a seed repeats. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/** A table whose canthi follow the oral temperature with some noise, like the published ones. */
function buildTable(subjects: number, seed = 1): string {
  const next = sequence(seed);
  const head = 'T_offset1,canthi4Max1,T_Max1,T_FHCC1,T_LC14,,canthi4Max2,T_Max2,T_LC1,aveOralM';
  const rows = Array.from({ length: subjects }, () => {
    const oral = next() < 0.12 ? 37.5 + 2 * next() : 36.4 + next();
    const canthus = () => (oral - 1.5 + 0.4 * (next() - 0.5)).toFixed(2);
    const forehead = (oral - 2 + 3 * (next() - 0.5)).toFixed(2);
    return `0.9,${canthus()},${canthus()},${forehead},35.1,,${canthus()},${canthus()},35.2,${oral.toFixed(2)}`;
  });
  return [head, ...rows].join('\r\n');
}

describe('a table of subjects', () => {
  it('is read by the names of its columns', () => {
    const table = parseFeverTable('t.csv', `\ufeff${buildTable(40)}`);
    if (typeof table === 'string') throw new Error(table);
    expect([...table.regions].sort()).toEqual(['T_FHCC', 'T_LC', 'T_Max', 'canthi4Max']);
    expect(table.subjects).toHaveLength(40);
    expect(table.subjects[0]?.regions.get('canthi4Max')).toHaveLength(2);
  });

  it('may have titles, subject numbers, other columns, empty cells and rows without reference', () => {
    const rows = Array.from(
      { length: 20 },
      (_, i) => `S${i},M,21-30,22.4,${35 + i / 100},,${35 + i / 90},${i === 3 ? '' : 36.9}`,
    );
    const text = [
      'Round 1,,,',
      '',
      'SubjectID,Gender,Age,T_atm,T_Max1,T_Max2,canthiMax_1,aveOralM',
      ...rows,
    ].join('\n');
    const table = parseFeverTable('t.csv', text);
    if (typeof table === 'string') throw new Error(table);
    expect(table.subjects).toHaveLength(19);
    expect(table.skippedRows).toBe(1);
    expect(table.subjects[0]?.id).toBe('S0');
    expect(table.regions).toEqual(['T_Max', 'canthiMax']);
  });

  it('is refused in words where it is another one', () => {
    expect(parseFeverTable('t', '')).toMatch(/no column aveOralM/);
    expect(parseFeverTable('t', 'a,b,aveOralM\n1,2,3')).toMatch(/no columns of facial temperatures/);
    expect(parseFeverTable('t', 'T_Max1,x,aveOralM\n35,1,36.9')).toMatch(/only 1 of its 1 rows/);
    const cut = buildTable(40)
      .split('\r\n')
      .map((line, i) => (i > 0 && i % 2 === 0 ? line.slice(0, 9) : line));
    expect(parseFeverTable('t', cut.join('\n'))).toMatch(/cut short/);
  });

  it('is a table or a reason, whatever characters are changed', () => {
    const base = Buffer.from(buildTable(30));
    const next = sequence(5);
    for (let run = 0; run < 400; run++) {
      const bytes = Buffer.from(base);
      for (let count = 1 + Math.floor(next() * 60); count > 0; count--)
        bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
      const table = parseFeverTable('t', new TextDecoder().decode(bytes));
      if (typeof table === 'string') continue;
      for (const { oralC } of table.subjects) expect(oralC).toBeGreaterThan(19);
    }
  });
});

describe('the evaluation of a folder', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-fever-'));
    await writeFile(join(folder, 'one.csv'), buildTable(500));
    await writeFile(join(folder, 'small.csv'), buildTable(24, 9));
    await writeFile(join(folder, 'notes.csv'), 'nothing here');
    await mkdir(join(folder, 'empty'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('judges the other half than the one that the threshold was locked on', async () => {
    const { metrics, predictions } = await evaluateFever(folder);
    expect(metrics.map(({ file }) => file)).toEqual(['one.csv', 'small.csv']);
    const [one] = metrics;
    const [first, second] = one?.decisions ?? [];
    expect((first?.subjects ?? 0) + (second?.subjects ?? 0)).toBe(500);
    expect(predictions.filter(({ file }) => file === 'one.csv')).toHaveLength(first?.subjects ?? 0);
    expect(first?.auc?.value).toBeGreaterThan(0.95);
    expect(first?.sensitivity.value).toBeGreaterThan(0.8);
    expect(first?.specificity.value).toBeGreaterThan(0.8);
    expect(first?.meanAbsoluteError?.value).toBeLessThan(0.15);
    const forehead = one?.regions.find(({ region }) => region === 'T_FHCC');
    expect(forehead?.auc?.value).toBeLessThan(0.9);
    expect(formatFeverTable(metrics)).toContain('one.csv: 500 subjects');
  });

  it('is the same again', async () => {
    expect(await evaluateFever(folder)).toEqual(await evaluateFever(folder));
  });

  it('refuses a folder without such a table', async () => {
    await expect(loadFeverTables(join(folder, 'empty'))).rejects.toMatchObject({ code: 'TRUTH_INVALID' });
    await expect(loadFeverTables(join(folder, 'absent'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
