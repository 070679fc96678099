import { expect, it } from 'vitest';
import { decodeYoloxGrid, type YoloxGrid } from './yolox-grid.ts';

const grid: YoloxGrid = { columns: 64, rows: 32, strides: [8, 16, 32], rowLength: 6 };
const ROWS = 8 * 4 + 4 * 2 + 2 * 1;

/** One row that is not empty. */
function aRow(row: number, values: readonly number[]): Float32Array {
  const output = new Float32Array(ROWS * grid.rowLength);
  output.set(values, row * grid.rowLength);
  return output;
}

const decode = (values: Float32Array, minConfidence = 0.1) =>
  decodeYoloxGrid(values, grid, (at) => values[at + 5] ?? 0, minConfidence);

it('finds the cell of a row in the grid of its stride, wider than high', () => {
  // the second row of the second grid: 32 rows before it, four cells across
  const [found, ...others] = decode(aRow(32 + 5, [0.5, 0.25, Math.log(2), 0, 0.8, 0.5]));
  expect(others).toEqual([]);
  expect(found?.confidence).toBeCloseTo(0.4);
  const expected = [1.5 * 16 - 16, 1.25 * 16 - 8, 1.5 * 16 + 16, 1.25 * 16 + 8];
  for (const [side, value] of (found?.box ?? []).entries()) expect(value).toBeCloseTo(expected[side] ?? NaN);
  expect(found?.at).toBe((32 + 5) * grid.rowLength);
});

it('leaves out what is not sure enough, and what is no number', () => {
  expect(decode(aRow(0, [0, 0, 0, 0, 0.8, 0.5]), 0.41)).toEqual([]);
  expect(decode(aRow(0, [0, 0, 0, 0, NaN, 1]))).toEqual([]);
  expect(decode(new Float32Array(3))).toEqual([]);
});
