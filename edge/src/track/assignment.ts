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
function solveGroup(group: Group, result: Int32Array): void {
  const solver = new GroupSolver(group);
  for (let row = 0; row < group.groupRows.length; row++) solver.add(row);
  group.groupRows.forEach((row, index) => {
    const column = solver.columnOfRow[index] as number;
    if (column >= 0) result[row] = group.groupColumns[column] as number;
  });
}

class GroupSolver {
  /** Column of each row within the group, -1 where it stays open. */
  readonly columnOfRow: Int32Array;
  readonly #group: Group;
  readonly #rowPotential: Float64Array;
  readonly #columnPotential: Float64Array;
  readonly #rowOfColumn: Int32Array;
  /** Of the search for one row: length of the cheapest chain to each column, the row before it, whether it is final. */
  readonly #distance: Float64Array;
  readonly #previousRow: Int32Array;
  readonly #done: Uint8Array;

  constructor(group: Group) {
    const [rows, columns] = [group.groupRows.length, group.groupColumns.length];
    this.#group = group;
    this.columnOfRow = new Int32Array(rows).fill(-1);
    this.#rowPotential = new Float64Array(rows);
    this.#columnPotential = new Float64Array(columns);
    this.#rowOfColumn = new Int32Array(columns).fill(-1);
    this.#distance = new Float64Array(columns);
    this.#previousRow = new Int32Array(columns);
    this.#done = new Uint8Array(columns);
  }

  add(start: number): void {
    this.#distance.fill(Number.POSITIVE_INFINITY);
    this.#done.fill(0);
    let row = start;
    let reached = 0;
    let openRow = start;
    let openLength = Number.POSITIVE_INFINITY;
    for (;;) {
      const opened = reached + this.#group.maxCost - (this.#rowPotential[row] as number);
      if (opened < openLength) {
        openLength = opened;
        openRow = row;
      }
      const column = this.#reach(row, reached);
      const length = column < 0 ? Number.POSITIVE_INFINITY : (this.#distance[column] as number);
      if (openLength <= length) {
        this.#raisePotentials(start, openLength);
        this.#change(start, this.columnOfRow[openRow] as number);
        if (openRow !== start) this.columnOfRow[openRow] = -1;
        return;
      }
      const owner = this.#rowOfColumn[column] as number;
      if (owner < 0) {
        this.#raisePotentials(start, length);
        this.#change(start, column);
        return;
      }
      this.#done[column] = 1;
      reached = length;
      row = owner;
    }
  }

  /** Lengthens the chains over one more row; returns the nearest column that is not final, or -1. */
  #reach(row: number, reached: number): number {
    const { cost, columns, maxCost, groupRows, groupColumns } = this.#group;
    const from = (groupRows[row] as number) * columns;
    const base = reached - (this.#rowPotential[row] as number);
    let nearest = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let column = 0; column < groupColumns.length; column++) {
      if (this.#done[column] === 1) continue;
      const value = cost[from + (groupColumns[column] as number)] as number;
      const length = base + value - (this.#columnPotential[column] as number);
      if (value < maxCost && length < (this.#distance[column] as number)) {
        this.#distance[column] = length;
        this.#previousRow[column] = row;
      }
      if ((this.#distance[column] as number) < least) {
        least = this.#distance[column] as number;
        nearest = column;
      }
    }
    return nearest;
  }

  #raisePotentials(start: number, total: number): void {
    this.#rowPotential[start] = (this.#rowPotential[start] as number) + total;
    for (let column = 0; column < this.#done.length; column++) {
      if (this.#done[column] === 0) continue;
      const gain = total - (this.#distance[column] as number);
      this.#columnPotential[column] = (this.#columnPotential[column] as number) - gain;
      const owner = this.#rowOfColumn[column] as number;
      this.#rowPotential[owner] = (this.#rowPotential[owner] as number) + gain;
    }
  }

  /** Gives `column` to the row before it in the chain, that row's column to the row before that, and so on to `start`. */
  #change(start: number, column: number): void {
    let at = column;
    while (at >= 0) {
      const taker = this.#previousRow[at] as number;
      const given = this.columnOfRow[taker] as number;
      this.#rowOfColumn[at] = taker;
      this.columnOfRow[taker] = at;
      at = taker === start ? -1 : given;
    }
  }
}
