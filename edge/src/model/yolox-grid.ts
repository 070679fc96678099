import type { Box } from '../geometry/box.ts';

/** The output of a YOLOX network for one size of its input. */
export interface YoloxGrid {
  /** Size of the input, px, a multiple of every stride. */
  readonly columns: number;
  readonly rows: number;
  /** Steps of the grids in the order of the rows of the output, px. */
  readonly strides: readonly number[];
  /** Values of a row: cx, cy, w, h, objectness, and one a class. */
  readonly rowLength: number;
}

/** A row whose object is likely enough. */
export interface YoloxRow {
  /** Where the row's values begin. */
  readonly at: number;
  /** Pixels of the network's input. */
  readonly box: Box;
  /** Objectness times what `rate` says. */
  readonly confidence: number;
}

/** Index of the first class in a row. */
export const YOLOX_FIRST_CLASS = 5;

/**
 * Rows of at least `minConfidence` of `[1, N, rowLength]` (YOLOX, arXiv 2107.08430): `cx = (x + gx) · s`, `w = exp(w) · s`.
 * @param rate what the classes of the row at this index are worth, 0–1
 */
export function decodeYoloxGrid(
  values: Float32Array,
  { columns, rows, strides, rowLength }: YoloxGrid,
  rate: (at: number) => number,
  minConfidence: number,
): YoloxRow[] {
  const found: YoloxRow[] = [];
  let at = 0;
  for (const stride of strides) {
    const across = columns / stride;
    const cells = across * (rows / stride);
    for (let cell = 0; cell < cells; cell++, at += rowLength) {
      const confidence = (values[at + 4] ?? 0) * rate(at);
      if (!(confidence >= minConfidence)) continue;
      const cx = ((values[at] ?? 0) + (cell % across)) * stride;
      const cy = ((values[at + 1] ?? 0) + Math.floor(cell / across)) * stride;
      const w = Math.exp(values[at + 2] ?? 0) * stride;
      const h = Math.exp(values[at + 3] ?? 0) * stride;
      found.push({ at, confidence, box: [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2] });
    }
  }
  return found;
}
