/** Means over rectangles of a picture in constant time (summed-area table, F. Crow, SIGGRAPH 1984). NaN pixels count as `hole`. */
export class AreaSum {
  readonly #sums: Float64Array;
  readonly #stride: number;
  readonly #width: number;
  readonly #height: number;

  constructor(
    celsius: Float32Array,
    size: { readonly width: number; readonly height: number },
    hole: number,
  ) {
    const { width, height } = size;
    this.#width = width;
    this.#height = height;
    this.#stride = width + 1;
    this.#sums = new Float64Array((width + 1) * (height + 1));
    for (let y = 0, i = 0; y < height; y++) {
      let row = 0;
      for (let x = 0; x < width; x++, i++) {
        const value = celsius[i] ?? hole;
        row += Number.isNaN(value) ? hole : value;
        this.#sums[(y + 1) * this.#stride + x + 1] = (this.#sums[y * this.#stride + x + 1] ?? 0) + row;
      }
    }
  }

  /** Mean of the square with this middle and half side, cut at the edges of the picture. */
  meanAround(x: number, y: number, half: number): number {
    return this.meanOf(x - half, y - half, x + half + 1, y + half + 1);
  }

  /** Mean of a rectangle; right and lower edges lie outside. Cut at the edges of the picture. */
  meanOf(left: number, top: number, right: number, bottom: number): number {
    const x0 = Math.min(this.#width - 1, Math.max(0, Math.round(left)));
    const y0 = Math.min(this.#height - 1, Math.max(0, Math.round(top)));
    const x1 = Math.max(x0 + 1, Math.min(this.#width, Math.round(right)));
    const y1 = Math.max(y0 + 1, Math.min(this.#height, Math.round(bottom)));
    const s = this.#sums;
    const w = this.#stride;
    const sum = (s[y1 * w + x1] ?? 0) - (s[y0 * w + x1] ?? 0) - (s[y1 * w + x0] ?? 0) + (s[y0 * w + x0] ?? 0);
    return sum / ((x1 - x0) * (y1 - y0));
  }
}
