import type { MotBox, MotTrackRow } from './mot-text.ts';

/** One frame of truth and result. Identities are numbered from 0 in order of first sight. */
export interface MotFrame {
  readonly truthIds: Int32Array;
  readonly resultIds: Int32Array;
  /** Intersection over union, row-major `truth × result`. */
  readonly similarity: Float64Array;
}

/** A sequence made ready for the scores. */
export interface MotComparison {
  readonly frames: readonly MotFrame[];
  readonly truthIdCount: number;
  readonly resultIdCount: number;
  readonly truthCount: number;
  readonly resultCount: number;
}

/** Pairs truth and result frame by frame. Ids are told apart within a file, not between the two. */
export function compareTracks(truth: readonly MotTrackRow[], result: readonly MotTrackRow[]): MotComparison {
  const truthIndex = new IdIndex();
  const resultIndex = new IdIndex();
  const truthFrames = groupByFrame(truth);
  const resultFrames = groupByFrame(result);
  const numbers = [...new Set([...truthFrames.keys(), ...resultFrames.keys()])].sort((a, b) => a - b);
  const frames = numbers.map((number): MotFrame => {
    const truthRows = truthFrames.get(number) ?? [];
    const resultRows = resultFrames.get(number) ?? [];
    return {
      truthIds: Int32Array.from(truthRows, ({ id }) => truthIndex.of(id)),
      resultIds: Int32Array.from(resultRows, ({ id }) => resultIndex.of(id)),
      similarity: computeSimilarity(truthRows, resultRows),
    };
  });
  return {
    frames,
    truthIdCount: truthIndex.size,
    resultIdCount: resultIndex.size,
    truthCount: truth.length,
    resultCount: result.length,
  };
}

class IdIndex {
  readonly #indices = new Map<number, number>();

  get size(): number {
    return this.#indices.size;
  }

  of(id: number): number {
    const known = this.#indices.get(id);
    if (known !== undefined) return known;
    this.#indices.set(id, this.#indices.size);
    return this.#indices.size - 1;
  }
}

export function groupByFrame<Row extends { readonly frame: number }>(
  rows: readonly Row[],
): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.frame);
    if (group === undefined) groups.set(row.frame, [row]);
    else group.push(row);
  }
  return groups;
}

type Boxed = { readonly box: MotBox };

/** Intersection over union of each pair, row-major `rows × columns`. */
export function computeSimilarity(rows: readonly Boxed[], columns: readonly Boxed[]): Float64Array {
  const similarity = new Float64Array(rows.length * columns.length);
  rows.forEach(({ box: a }, row) => {
    const areaA = (a[2] - a[0]) * (a[3] - a[1]);
    columns.forEach(({ box: b }, column) => {
      const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
      const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
      if (width <= 0 || height <= 0) return;
      const intersection = width * height;
      similarity[row * columns.length + column] =
        intersection / (areaA + (b[2] - b[0]) * (b[3] - b[1]) - intersection);
    });
  });
  return similarity;
}
