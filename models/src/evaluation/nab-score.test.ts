import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateSeries } from './anomaly-generation.ts';
import { loadNabFolder, parseNabSeries, parseNabWindows } from './nab-folder.ts';
import { computeScaledSigmoid, optimizeNabThreshold, scoreNab } from './nab-score.ts';

const ROWS = 1_000;
const WINDOW = { first: 400, last: 499 };

/** A series of 1,000 rows with one window, and evidence at some rows. */
function aSeries(spoken: Readonly<Record<number, number>>, windows = [WINDOW]) {
  const scores = new Float64Array(ROWS);
  for (const [row, score] of Object.entries(spoken)) scores[Number(row)] = score;
  return { scores, windows };
}

describe('the score of NAB', () => {
  it('has the values of its scaled sigmoid', () => {
    // of nab/sweeper.py: S(−1) = 0.98661, S(−0.5) = 0.84828, S(0) = 0, S(1) = −0.98661, and −1 from 3 on
    const known = [
      [-1, 0.986_61],
      [-0.5, 0.848_28],
      [0, 0],
      [1, -0.986_61],
      [3, -1],
      [9, -1],
    ] as const;
    for (const [position, value] of known) expect(computeScaledSigmoid(position)).toBeCloseTo(value, 5);
  });

  it('is 0 for silence, 100 for each window at its first row, and less the later', () => {
    expect(scoreNab([aSeries({})], 0.5)).toMatchObject({
      score: 0,
      windowsFound: 0,
      windows: 1,
      falseRows: 0,
    });
    expect(scoreNab([aSeries({ 400: 1 })], 0.5).score).toBeCloseTo(100, 9);
    // row 450: position −(499 − 450 + 1) / 100 = −0.5, worth 0.84828 / 0.98661; with the miss avoided (1 + 0.85979) / 2
    expect(scoreNab([aSeries({ 450: 1 })], 0.5).score).toBeCloseTo(50 * (1 + 0.848_284 / 0.986_614), 3);
    expect(scoreNab([aSeries({ 450: 1, 460: 1, 499: 1 })], 0.5).score).toBeCloseTo(92.99, 1);
  });

  it('takes 0.11 for a false row, less for one just behind a window', () => {
    expect(scoreNab([aSeries({ 300: 1 })], 0.5)).toMatchObject({
      score: expect.closeTo(-5.5, 9),
      falseRows: 1,
    });
    expect(scoreNab([aSeries({ 999: 1 })], 0.5).score).toBeCloseTo(-5.5, 9);
    // 10 rows behind: 2·sigmoid(−5 · 10/99) − 1 = −0.24728
    expect(scoreNab([aSeries({ 509: 1 })], 0.5).score).toBeCloseTo(-50 * 0.11 * 0.247_28, 3);
  });

  it('leaves out the probation, of which a long series has 750 rows', () => {
    expect(scoreNab([aSeries({ 149: 1 })], 0.5).falseRows).toBe(0);
    expect(scoreNab([aSeries({ 150: 1 })], 0.5).falseRows).toBe(1);
    const long = {
      scores: new Float64Array(20_000).fill(1, 749, 751),
      windows: [{ first: 9_000, last: 9_100 }],
    };
    expect(scoreNab([long], 0.5).falseRows).toBe(1);
    expect(scoreNab([aSeries({}, [{ first: 10, last: 20 }, WINDOW])], 0.5).windows).toBe(1);
  });

  it('finds the best threshold over all series', () => {
    const series = [aSeries({ 400: 3, 300: 2 }), aSeries({ 450: 2.5, 200: 1, 210: 1 })];
    const best = optimizeNabThreshold(series);
    expect(best.threshold).toBe(2.5);
    expect(best.score).toBeCloseTo(scoreNab(series, 2.5).score, 9);
    expect(optimizeNabThreshold([aSeries({ 300: 1 })])).toEqual({ threshold: 1.1, score: 0 });
  });
});

describe('a folder of series', () => {
  const rows = Array.from({ length: 30 }, (_, row) => `2015-09-01 00:${String(row + 10)}:00,${row}`);
  const text = `timestamp,value\n${rows.join('\n')}\n`;

  it('is read with its windows, by path or by name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ngatu-nab-'));
    try {
      writeFileSync(join(folder, 'a.csv'), text);
      const windows = { 'traffic/a.csv': [['2015-09-01 00:12:00.000000', '2015-09-01 00:14:30.000000']] };
      writeFileSync(join(folder, 'windows.json'), JSON.stringify(windows));
      const [series] = await loadNabFolder(folder);
      expect(series).toMatchObject({ name: 'traffic/a.csv', windows: [{ first: 2, last: 4 }] });
      expect([...(series?.values.slice(0, 3) ?? [])]).toEqual([0, 1, 2]);
      writeFileSync(join(folder, 'windows.json'), JSON.stringify({ '../a.csv': [] }));
      await expect(loadNabFolder(folder)).rejects.toMatchObject({ code: 'TRUTH_INVALID' });
      writeFileSync(join(folder, 'windows.json'), JSON.stringify({ 'b.csv': [] }));
      await expect(loadNabFolder(folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
      writeFileSync(
        join(folder, 'windows.json'),
        JSON.stringify({ 'a.csv': [['2016-01-01 00:00:00', '2016-01-02 00:00:00']] }),
      );
      await expect(loadNabFolder(folder)).rejects.toMatchObject({ code: 'TRUTH_INVALID' });
    } finally {
      rmSync(folder, { recursive: true });
    }
    await expect(loadNabFolder(folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  it.each([
    ['no columns', 'a,b\n1,2\n'],
    ['few rows', 'timestamp,value\n2015-09-01 00:00:00,1\n'],
    ['no number', text.replace(',7\n', ',seven\n')],
    ['an empty cell', text.replace(',7\n', ',\n')],
    ['no time', text.replace('00:15', '25:99')],
    ['days out of order', text.replace('2015-09-01 00:30', '2015-08-01 00:30')],
  ])('is refused with %s', (_name, broken) => {
    expect(() => parseNabSeries(broken, 'a.csv')).toThrow(/a\.csv/);
  });

  it.each([
    '[',
    '[]',
    '{}',
    '{"a":1}',
    '{"a":[["x","y"]]}',
    '{"a":[["2015-01-02 00:00:00","2015-01-01 00:00:00"]]}',
  ])('is refused with windows %s', (windows) => {
    expect(() => parseNabWindows(windows, 'windows.json')).toThrow(/windows\.json/);
  });

  it('is generated the same from the same seed, with windows behind the probation', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const series = generateSeries(seed);
      expect(generateSeries(seed)).toEqual(series);
      expect(series.windows.length).toBeGreaterThan(0);
      expect(Math.min(...series.windows.map(({ first }) => first))).toBeGreaterThan(375);
      expect(Math.max(...series.windows.map(({ last }) => last))).toBeLessThan(series.values.length);
      expect(series.values.every(Number.isFinite)).toBe(true);
    }
  });
});
