import { describe, expect, it } from 'vitest';
import { addMotCounts, computeMotMetrics, countMot, type MotMetrics } from './mot-metrics.ts';
import { formatMotText, type MotBox, type MotTrackRow, parseMotText } from './mot-text.ts';
import { prepareMot } from './mot-truth.ts';

const score = (truth: readonly MotTrackRow[], result: readonly MotTrackRow[]): MotMetrics =>
  computeMotMetrics(countMot(truth, result));

function aRow(frame: number, id: number, x = 100 * id, size = 40): MotTrackRow {
  return { frame, id, box: [x, 50, x + size, 50 + size] };
}

/** Three who move to the right for twenty frames. */
const TRUTH = Array.from({ length: 20 }, (_, i) =>
  [1, 2, 3].map((id) => aRow(i + 1, id, 100 * id + 2 * i)),
).flat();
const rename = (rows: readonly MotTrackRow[], names: readonly number[]): MotTrackRow[] =>
  rows.map((row) => ({ ...row, id: names[row.id - 1] ?? row.id }));

describe('computeMotMetrics', () => {
  it('gives 100 to a perfect result, whatever its ids and the order of its rows', () => {
    for (const result of [TRUTH, rename(TRUTH, [7, 2, 40]), [...TRUTH].reverse()]) {
      expect(score(TRUTH, result)).toMatchObject({ mota: 100, idf1: 100, hota: 100, deta: 100, assa: 100 });
      expect(score(TRUTH, result)).toMatchObject({ switches: 0, fragments: 0, falsePositives: 0, misses: 0 });
    }
  });

  it('gives 0 to no result, less than 0 MOTA to errors alone, and no share where there is nothing at all', () => {
    expect(score(TRUTH, [])).toMatchObject({ mota: 0, idf1: 0, hota: 0, misses: 60 });
    const elsewhere = TRUTH.map((row) => aRow(row.frame, row.id, 1000 * row.id));
    expect(score(TRUTH, elsewhere)).toMatchObject({ mota: -100, idf1: 0, hota: 0 });
    expect(score([], TRUTH)).toMatchObject({ idf1: 0, falsePositives: 60 });
    expect(score([], TRUTH).mota).toBeUndefined();
    expect(score([], []).idf1).toBeUndefined();
  });

  it('counts one switch where an id changes half way, and halves its identity', () => {
    const truth = TRUTH.filter(({ id }) => id === 1);
    const result = truth.map((row) => (row.frame > 10 ? { ...row, id: 9 } : row));
    const metrics = score(truth, result);
    expect(metrics).toMatchObject({ switches: 1, fragments: 0, mota: 95, idf1: 50, deta: 100, assa: 50 });
    expect(metrics.hota).toBeCloseTo(100 * Math.SQRT1_2, 9);
  });

  it('counts a fragment and no switch where a track is lost and found again under its id', () => {
    const truth = TRUTH.filter(({ id }) => id < 3);
    const result = truth.filter(({ frame, id }) => id === 2 || frame < 8 || frame > 11);
    expect(score(truth, result)).toMatchObject({ switches: 0, fragments: 1, misses: 4, mota: 90 });
  });

  it('keeps a pair that still overlaps by half rather than one that overlaps more', () => {
    const truth = [aRow(1, 1, 100), aRow(2, 1, 100)];
    const result = [aRow(1, 5, 100), aRow(2, 5, 110), aRow(2, 6, 101)];
    // 30 of 50 columns in common: IoU 0.6, against 0.95 of the newcomer
    expect(score(truth, result)).toMatchObject({ switches: 0, falsePositives: 1, misses: 0 });
  });

  it('matches an overlap of exactly one half, and not less', () => {
    const truth = [aRow(1, 1, 0, 60)];
    const half: MotBox = [0, 50, 30, 110];
    expect(score(truth, [{ frame: 1, id: 1, box: half }])).toMatchObject({ misses: 0, idf1: 100 });
    expect(score(truth, [{ frame: 1, id: 1, box: [0, 50, 29.9, 110] }])).toMatchObject({
      misses: 1,
      idf1: 0,
    });
  });

  it('weighs localisation: HOTA counts a pair of IoU 0.6 at 12 of the 19 limits', () => {
    const metrics = score([aRow(1, 1, 100)], [aRow(1, 1, 110)]);
    expect(metrics.deta).toBeCloseTo((100 * 12) / 19, 6);
    expect(metrics.mota).toBe(100);
  });

  it('adds sequences without mixing their ids', () => {
    const counts = [countMot(TRUTH, TRUTH), countMot(TRUTH, rename(TRUTH, [3, 1, 2]))];
    expect(computeMotMetrics(addMotCounts(counts))).toMatchObject({
      mota: 100,
      idf1: 100,
      hota: 100,
      truthIds: 6,
    });
  });
});

describe('prepareMot', () => {
  const aTruthRow = (id: number, classId: number | undefined, confidence = 1) => ({
    ...aRow(1, id),
    confidence,
    ...(classId === undefined ? {} : { classId }),
  });

  it('leaves out truth with flag 0 but keeps the result that found it, as in MOT15', () => {
    const prepared = prepareMot(
      [aTruthRow(1, undefined), aTruthRow(2, undefined, 0)],
      [aRow(1, 8, 100), aRow(1, 9, 200)],
    );
    expect(prepared.truth.map(({ id }) => id)).toEqual([1]);
    expect(prepared.result.map(({ id }) => id)).toEqual([8, 9]);
  });

  it('counts pedestrians of MOT17 and takes out who matches a distractor, but not who stands on a car', () => {
    const truth = [aTruthRow(1, 1), aTruthRow(2, 7, 0), aTruthRow(3, 3, 0)];
    const prepared = prepareMot(truth, [aRow(1, 8, 100), aRow(1, 9, 200), aRow(1, 10, 300)]);
    expect(prepared.truth.map(({ id }) => id)).toEqual([1]);
    expect(prepared.result.map(({ id }) => id)).toEqual([8, 10]);
  });

  it('counts every class where there are no pedestrians', () => {
    expect(prepareMot([aTruthRow(1, 3), aTruthRow(2, 5)], []).truth).toHaveLength(2);
  });
});

describe('parseMotText', () => {
  const options = { code: 'TRUTH_INVALID', what: 'a test' } as const;

  it('reads commas, blanks, line ends of any kind and a class where there are nine columns', () => {
    const rows = parseMotText('\uFEFF1,2,10,20,30,40,1,3,0.5\r\n\r\n2 3 10 20 30 40 0.7 -1 -1 -1\n', options);
    expect(rows).toEqual([
      { frame: 1, id: 2, box: [10, 20, 40, 60], confidence: 1, classId: 3 },
      { frame: 2, id: 3, box: [10, 20, 40, 60], confidence: 0.7 },
    ]);
  });

  it('reads what it wrote', () => {
    const rows = parseMotText(formatMotText(TRUTH), options);
    expect(rows.map(({ frame, id, box }) => ({ frame, id, box }))).toEqual(TRUTH);
  });

  it.each([
    '1,1,2,3,4',
    '0,1,2,3,4,5,1',
    '1.5,1,2,3,4,5,1',
    '1,1,2,3,-4,5,1',
    '1,1,x,3,4,5,1',
    '1,1,,3,4,5,1',
  ])('refuses "%s" with the number of the line', (line) => {
    expect(() => parseMotText(`1,1,2,3,4,5,1\n${line}\n`, options)).toThrow(/a test, line 2: /);
  });
});
