import { describe, expect, it } from 'vitest';
import { scorePlateDetector } from './plate-detector-evaluation.ts';
import { formatPlateTable, type PlatePrediction, scorePlates } from './plate-evaluation.ts';

function aPrediction(fields: Partial<PlatePrediction>): PlatePrediction {
  return {
    ...{ picture: 'a.jpg', truth: '30A00001', truthLayout: 'one-line', layout: 'one-line', text: '30A00001' },
    ...{ confidence: 0.99, state: 'read', alternatives: [] },
    ...fields,
  };
}

describe('scores of plates', () => {
  const predictions = [
    aPrediction({}),
    aPrediction({ text: '30A00007', confidence: 0.4, state: 'unreadable' }),
    aPrediction({
      truthLayout: 'two-line',
      layout: 'two-line',
      truth: '59P100002',
      text: '59P100002',
      state: 'ambiguous',
      confidence: 0.95,
    }),
    aPrediction({
      truthLayout: 'two-line',
      truth: '59P100003',
      text: '59P10003',
      confidence: 0.97,
      alternatives: [{ text: '59P100003', confidence: 0.02 }],
    }),
  ];

  it('counts an abstention as a miss at full coverage, and leaves it out of the precision', () => {
    const { layouts, atDefault, characters, brier } = scorePlates(predictions, ['x'], [1, 2, 3]);
    const [one, two, all] = layouts;
    expect(one?.exact).toMatchObject({ hits: 1, total: 2 });
    expect(two?.exact).toMatchObject({ hits: 1, total: 2 });
    expect(two?.among).toMatchObject({ hits: 2, total: 2 });
    expect(two?.layoutRight).toMatchObject({ hits: 1, total: 2 });
    expect(all?.exact.value).toBeCloseTo(0.5);
    expect(atDefault.coverage).toMatchObject({ hits: 3, total: 4 });
    expect(atDefault.precision).toMatchObject({ hits: 2, total: 3 });
    expect(characters).toMatchObject({ hits: 32, total: 34 });
    expect(brier).toBeCloseTo((0.01 ** 2 + 0.4 ** 2 + 0.05 ** 2 + 0.97 ** 2) / 4, 6);
  });

  it('misses what has no text, and prints no plate', () => {
    const { text: _text, ...silent } = aPrediction({ state: 'unreadable', confidence: 0 });
    const metrics = scorePlates([silent, ...predictions], ['x'], [1]);
    expect(metrics.layouts[0]?.exact).toMatchObject({ hits: 1, total: 3 });
    expect(formatPlateTable(metrics)).not.toMatch(/\d{2}[A-Z]\d{4}/);
  });
});

describe('scores of plate detectors', () => {
  it('takes each label once, at IoU 0.5, the surest finding first', () => {
    const truth = [0, 0, 100, 50] as const;
    const metrics = scorePlateDetector(
      [
        {
          picture: 'a',
          truths: [truth, [200, 0, 208, 6]],
          found: [
            { confidence: 0.9, box: [2, 2, 98, 52] },
            { confidence: 0.8, box: [0, 0, 100, 50] },
            { confidence: 0.7, box: [60, 0, 160, 50] },
            { confidence: 0.06, box: [200, 0, 208, 6] },
          ],
        },
        { picture: 'empty', truths: [], found: [] },
      ],
      'x',
      [5],
    );
    expect(metrics.plates).toBe(2);
    expect(metrics.atDefault.recall).toMatchObject({ hits: 1, total: 2 });
    expect(metrics.atDefault.precision).toMatchObject({ hits: 1, total: 3 });
    expect(metrics.curve[0]?.recall).toMatchObject({ hits: 2, total: 2 });
    expect(metrics.recallBySide[0]?.recall).toMatchObject({ hits: 0, total: 1 });
    expect(() => scorePlateDetector([{ picture: 'a', truths: [], found: [] }], 'x', [])).toThrow(/no plate/);
  });
});
