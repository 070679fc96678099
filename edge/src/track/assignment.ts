/**
 * Optimal assignment of rows to columns at least total cost (Jonker & Volgenant's shortest augmenting paths, Computing 38,
 * 1987; the potentials form). `cost` is row-major `rows × columns`; pairs that cost `maxCost` or more are left open.
 * Returns the column of each row, or -1 in the typed array where the row stays open. O(n³).
 */
export function assignOptimally(
  cost: Float64Array,
  rows: number,
  columns: number,
  maxCost: number,
): Int32Array {
  const result = new Int32Array(rows).fill(-1);
  if (rows === 0 || columns === 0) return result;
  // every row may also stay open at `maxCost`: one private column each
  const width = columns + rows;
  const at = (row: number, column: number): number => {
    if (column >= columns) return column - columns === row ? maxCost : 1e9;
    const value = cost[row * columns + column] ?? maxCost;
    return value >= maxCost ? 1e9 : value;
  };
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(width + 1);
  const rowOfColumn = new Int32Array(width + 1);
  const previous = new Int32Array(width + 1);
  for (let row = 1; row <= rows; row++) {
    rowOfColumn[0] = row;
    let column = 0;
    const slack = new Float64Array(width + 1).fill(Number.POSITIVE_INFINITY);
    const used = new Uint8Array(width + 1);
    do {
      used[column] = 1;
      const current = rowOfColumn[column] as number;
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let j = 1; j <= width; j++) {
        if (used[j] === 1) continue;
        const reduced =
          at(current - 1, j - 1) - (rowPotential[current] as number) - (columnPotential[j] as number);
        if (reduced < (slack[j] as number)) {
          slack[j] = reduced;
          previous[j] = column;
        }
        if ((slack[j] as number) < delta) {
          delta = slack[j] as number;
          next = j;
        }
      }
      for (let j = 0; j <= width; j++) {
        if (used[j] === 1) {
          const r = rowOfColumn[j] as number;
          rowPotential[r] = (rowPotential[r] as number) + delta;
          columnPotential[j] = (columnPotential[j] as number) - delta;
        } else slack[j] = (slack[j] as number) - delta;
      }
      column = next;
    } while (rowOfColumn[column] !== 0);
    do {
      const back = previous[column] as number;
      rowOfColumn[column] = rowOfColumn[back] as number;
      column = back;
    } while (column !== 0);
  }
  for (let j = 1; j <= columns; j++) {
    const row = rowOfColumn[j] as number;
    if (row > 0) result[row - 1] = j - 1;
  }
  return result;
}
