import { describe, expect, it } from 'vitest';
import { computeAveragePrecision, type PictureFindings, type PixelBox } from './average-precision.ts';

const at = (x: number, size = 10): PixelBox => [x, 0, x + size, size];

function aPicture(found: readonly [number, number][], truth: readonly number[]): PictureFindings {
  return {
    found: found.map(([x, confidence]) => ({ box: at(x), confidence })),
    truth: truth.map((x) => ({ box: at(x) })),
  };
}

describe('computeAveragePrecision', () => {
  it('is 1 where everything is found and nothing else', () => {
    const result = computeAveragePrecision(
      [
        aPicture(
          [
            [0, 0.9],
            [50, 0.4],
          ],
          [0, 50],
        ),
      ],
      0.5,
    );
    expect(result.value).toBe(1);
    expect(result.best).toEqual({ threshold: 0.4, precision: 1, recall: 1 });
  });

  it('is absent without truth, and 0 without findings', () => {
    expect(computeAveragePrecision([aPicture([[0, 0.9]], [])], 0.5)).toEqual({ truths: 0 });
    expect(computeAveragePrecision([aPicture([], [0])], 0.5).value).toBe(0);
  });

  it('gives what the definition of COCO gives by hand', () => {
    // hits at ranks 1 and 3 of 3 truths: precision 1 up to recall 1/3, 2/3 up to 2/3, then 0
    const result = computeAveragePrecision(
      [
        aPicture(
          [
            [0, 0.9],
            [200, 0.8],
            [50, 0.7],
          ],
          [0, 50, 100],
        ),
      ],
      0.5,
    );
    expect(result.value).toBeCloseTo((34 * 1 + 33 * (2 / 3)) / 101, 10);
  });

  it('tells the most that is found while 0.95 of it is right', () => {
    const places = Array.from({ length: 40 }, (_, k) => 20 * k);
    // 30 right ones, a wrong one, one more right one, then two wrong ones
    const found = [
      ...places.slice(0, 30).map((x, k): [number, number] => [x, 0.99 - 0.001 * k]),
      ...([
        [905, 0.8],
        [600, 0.7],
        [925, 0.6],
        [945, 0.5],
      ] as [number, number][]),
    ];
    const result = computeAveragePrecision([aPicture(found, places)], 0.5);
    expect(result.precise).toEqual({ threshold: 0.7, precision: 31 / 32, recall: 31 / 40 });
    expect(computeAveragePrecision([aPicture([[500, 0.9]], [0])], 0.5).precise).toBeUndefined();
  });

  it('counts a second finding of the same truth as false', () => {
    const twice = computeAveragePrecision(
      [
        aPicture(
          [
            [0, 0.9],
            [1, 0.8],
            [50, 0.7],
          ],
          [0, 50],
        ),
      ],
      0.5,
    );
    expect(twice.value).toBeCloseTo((51 * 1 + 50 * (2 / 3)) / 101, 10);
  });

  it('leaves out findings on ignored truth', () => {
    const picture: PictureFindings = {
      found: [
        { box: at(0), confidence: 0.9 },
        { box: at(50), confidence: 0.8 },
      ],
      truth: [{ box: at(0), ignored: true }, { box: at(50) }],
    };
    expect(computeAveragePrecision([picture], 0.5)).toMatchObject({ value: 1, truths: 1 });
  });

  it('asks for the overlap that it is given', () => {
    const picture: PictureFindings = { found: [{ box: at(3), confidence: 0.9 }], truth: [{ box: at(0) }] };
    expect(computeAveragePrecision([picture], 0.5).value).toBe(1);
    expect(computeAveragePrecision([picture], 0.6).value).toBe(0);
  });
});
