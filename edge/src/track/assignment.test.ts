import { describe, expect, it } from 'vitest';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import { assignOptimally } from './assignment.ts';

const MAX_COST = 0.8;

/** Row-major costs; about a third of the pairs is forbidden, some by infinity. */
function drawCosts(random: SeededRandom, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: rows * columns }, () => {
    const kind = random.next();
    if (kind < 0.1) return Number.POSITIVE_INFINITY;
    return kind < 0.35 ? random.between(MAX_COST, 2) : random.between(0, MAX_COST);
  });
}

/** Least total cost over every possible assignment; a row that stays open costs `MAX_COST`. */
function findLeastCost(cost: Float64Array, rows: number, columns: number): number {
  const search = (row: number, taken: ReadonlySet<number>): number => {
    if (row === rows) return 0;
    let best = MAX_COST + search(row + 1, taken);
    for (let column = 0; column < columns; column++) {
      const value = cost[row * columns + column] ?? MAX_COST;
      if (taken.has(column) || value >= MAX_COST) continue;
      best = Math.min(best, value + search(row + 1, new Set([...taken, column])));
    }
    return best;
  };
  return search(0, new Set());
}

function computeTotal(cost: Float64Array, columns: number, assignment: Int32Array): number {
  return assignment.reduce(
    (sum, column, row) => sum + (column < 0 ? MAX_COST : (cost[row * columns + column] ?? Number.NaN)),
    0,
  );
}

describe('assignOptimally', () => {
  it('prefers the best whole over the best single pair', () => {
    // greedy takes 0.1 first and pays 0.7 for the other
    expect([...assignOptimally(Float64Array.of(0.1, 0.2, 0.15, 0.7), 2, 2, MAX_COST)]).toEqual([1, 0]);
  });

  it('leaves open what costs the limit or more', () => {
    expect([...assignOptimally(Float64Array.of(0.8, 0.9, 0.79, 5), 2, 2, MAX_COST)]).toEqual([-1, 0]);
    expect([...assignOptimally(Float64Array.of(Number.POSITIVE_INFINITY), 1, 1, MAX_COST)]).toEqual([-1]);
  });

  it('answers for no rows, no columns, more rows than columns and the other way round', () => {
    expect(assignOptimally(new Float64Array(), 0, 3, MAX_COST)).toHaveLength(0);
    expect([...assignOptimally(new Float64Array(), 2, 0, MAX_COST)]).toEqual([-1, -1]);
    expect([...assignOptimally(Float64Array.of(0.3, 0.2, 0.1), 3, 1, MAX_COST)]).toEqual([-1, -1, 0]);
    expect([...assignOptimally(Float64Array.of(0.3, 0.1, 0.2), 1, 3, MAX_COST)]).toEqual([1]);
  });

  it('is as cheap as the best of all assignments, uses no column twice and no forbidden pair', () => {
    forAll(400, (random) => {
      const [rows, columns] = [random.integer(1, 6), random.integer(1, 6)];
      const cost = drawCosts(random, rows, columns);
      const assignment = assignOptimally(cost, rows, columns, MAX_COST);
      const used = [...assignment].filter((column) => column >= 0);
      expect(new Set(used).size).toBe(used.length);
      assignment.forEach((column, row) => {
        if (column >= 0) expect(cost[row * columns + column]).toBeLessThan(MAX_COST);
      });
      // forbidden pairs are very dear inside, which costs the last digits
      expect(computeTotal(cost, columns, assignment)).toBeCloseTo(findLeastCost(cost, rows, columns), 5);
    });
  });

  it('does not change its input', () => {
    const cost = Float64Array.of(0.1, 0.9, 0.3, 0.2);
    assignOptimally(cost, 2, 2, MAX_COST);
    expect([...cost]).toEqual([0.1, 0.9, 0.3, 0.2]);
  });
});
