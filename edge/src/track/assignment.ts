/**
 * Optimal assignment of rows to columns at least total cost, where a row may stay open at `maxCost` (shortest augmenting
 * paths: R. Jonker, A. Volgenant, Computing 38, 1987). `cost` is row-major `rows × columns`, and not changed; pairs that
 * cost `maxCost` or more are never made. Returns the column of each row, or -1 in the typed array where the row stays open.
 *
 * Rows and columns that are linked by no possible pair are solved apart: in a street most groups are of one and one, which
 * costs `rows × columns` looks. The worst case, all linked with all, is O(n³).
 */
export function assignOptimally(
  cost: Float64Array,
  rows: number,
  columns: number,
  maxCost: number,
): Int32Array {
  const result = new Int32Array(rows).fill(-1);
  const groupOfColumn = new Int32Array(columns).fill(-1);
  const seenRows = new Uint8Array(rows);
  const groupRows: number[] = [];
  const groupColumns: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (seenRows[row] === 1) continue;
    groupRows.length = 0;
    groupColumns.length = 0;
    seenRows[row] = 1;
    groupRows.push(row);
    for (let at = 0; at < groupRows.length; at++) {
      const from = (groupRows[at] as number) * columns;
      for (let column = 0; column < columns; column++) {
        if (groupOfColumn[column] !== -1 || !((cost[from + column] as number) < maxCost)) continue;
        groupOfColumn[column] = row;
        groupColumns.push(column);
        for (let other = row + 1; other < rows; other++) {
          if (seenRows[other] === 1 || !((cost[other * columns + column] as number) < maxCost)) continue;
          seenRows[other] = 1;
          groupRows.push(other);
        }
      }
    }
    if (groupRows.length === 1 && groupColumns.length === 1) result[row] = groupColumns[0] as number;
    else if (groupColumns.length > 0) {
      // the order of the input decides between equals, not the order of the search
      groupRows.sort((a, b) => a - b);
      groupColumns.sort((a, b) => a - b);
      solveGroup({ cost, columns, maxCost, groupRows, groupColumns }, result);
    }
  }
  return result;
}

interface Group {
  readonly cost: Float64Array;
  readonly columns: number;
  readonly maxCost: number;
  readonly groupRows: readonly number[];
  readonly groupColumns: readonly number[];
}

/**
 * Adds the rows one by one, each by the cheapest chain of changes. A chain may end in a free column or in a row that gives
 * its column up and stays open; a row that stays open stays so, since more rows only make columns dearer.
 */
function solveGroup({ cost, columns, maxCost, groupRows, groupColumns }: Group, result: Int32Array): void {
  const [n, m] = [groupRows.length, groupColumns.length];
  const rowPotential = new Float64Array(n);
  const columnPotential = new Float64Array(m);
  const rowOfColumn = new Int32Array(m).fill(-1);
  const columnOfRow = new Int32Array(n).fill(-1);
  const distance = new Float64Array(m);
  const previousRow = new Int32Array(m);
  const done = new Uint8Array(m);
  const at = (row: number, column: number): number => {
    const value = cost[(groupRows[row] as number) * columns + (groupColumns[column] as number)] as number;
    return value < maxCost ? value : Number.POSITIVE_INFINITY;
  };
  for (let start = 0; start < n; start++) {
    distance.fill(Number.POSITIVE_INFINITY);
    done.fill(0);
    let row = start;
    let reached = 0;
    let openRow = -1;
    let openDistance = Number.POSITIVE_INFINITY;
    let end = -1;
    for (;;) {
      const opened = reached + maxCost - (rowPotential[row] as number);
      if (opened < openDistance) {
        openDistance = opened;
        openRow = row;
      }
      let next = -1;
      let least = Number.POSITIVE_INFINITY;
      for (let column = 0; column < m; column++) {
        if (done[column] === 1) continue;
        const length =
          reached + at(row, column) - (rowPotential[row] as number) - (columnPotential[column] as number);
        if (length < (distance[column] as number)) {
          distance[column] = length;
          previousRow[column] = row;
        }
        if ((distance[column] as number) < least) {
          least = distance[column] as number;
          next = column;
        }
      }
      if (next < 0 || openDistance <= least) break;
      done[next] = 1;
      reached = least;
      if (rowOfColumn[next] === -1) {
        end = next;
        break;
      }
      row = rowOfColumn[next] as number;
    }
    const total = end >= 0 ? reached : openDistance;
    rowPotential[start] = (rowPotential[start] as number) + total;
    for (let column = 0; column < m; column++) {
      if (done[column] === 0 || column === end) continue;
      const gain = total - (distance[column] as number);
      columnPotential[column] = (columnPotential[column] as number) - gain;
      const owner = rowOfColumn[column] as number;
      rowPotential[owner] = (rowPotential[owner] as number) + gain;
    }
    let column = end;
    if (end < 0) {
      column = columnOfRow[openRow] as number;
      columnOfRow[openRow] = -1;
    }
    while (column >= 0) {
      const taker = previousRow[column] as number;
      const given = columnOfRow[taker] as number;
      rowOfColumn[column] = taker;
      columnOfRow[taker] = column;
      column = taker === start ? -1 : given;
    }
  }
  for (let row = 0; row < n; row++) {
    const column = columnOfRow[row] as number;
    if (column >= 0) result[groupRows[row] as number] = groupColumns[column] as number;
  }
}
