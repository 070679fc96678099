import type { Box } from '../geometry/box.ts';
import type { Observation } from './rule.ts';

/** Sights in full tell how the upper edge goes with the wheels for this long, ms, where there are so many … */
const MEMORY_MS = 4_000;
const MIN_SIGHTS = 3;
const MAX_SIGHTS = 60;
/** … and the wheels moved by this share of the height meanwhile; else the height is taken to stay. */
const MIN_SPAN_HEIGHTS = 0.12;
/** The upper edge of a high vehicle moves at least this share of what its wheels move. */
const MIN_UPPER_SHARE = 0.2;
/** The upper edge is found within this share of the height. */
const UPPER_ERROR_HEIGHTS = 0.03;
/** A box narrower than this share of what was expected is cut at a side. */
const CUT_WIDTH = 0.92;

/** Edges that stay within this have not moved: jitter of boxes. */
const STAY_PX = 2;
const STAY_SIDES = 0.08;

/** The whole box of a road user, and how much less certain its lower edge is because it was not seen, px. */
interface WholeBox {
  readonly box: Box;
  readonly hiddenErrorPx: number;
}

interface Size {
  readonly atMs: number;
  readonly top: number;
  readonly bottom: number;
  readonly width: number;
}

/**
 * The whole box of one road user, also while another one that is nearer to the camera covers its wheels. Whoever is seen to
 * stay where it was stands; else its wheels are as far below its upper edge as the sights before say. Takes the sights in order.
 *
 * ```
 *   ┌───┐ upper edge, in sight       bottom
 *   │   │                              │   · ·
 *   │ ┌─┴──┐                           │ · ·     line through the sights in full
 *   └─┤ B  │ wheels, covered           └────────  top
 *     └────┘
 * ```
 */
export class WholeBoxMemory {
  readonly #sizes: Size[] = [];
  #last: WholeBox | undefined;

  /** @returns undefined where the wheels are covered and nothing tells where they are */
  take({ box, frame, groundSeen }: Observation): WholeBox | undefined {
    const [x1, y1, x2, y2] = box;
    if (groundSeen) {
      this.#sizes.push({ atMs: frame.mediaTimeMs, top: y1, bottom: y2, width: x2 - x1 });
      if (this.#sizes.length > MAX_SIGHTS) this.#sizes.shift();
      this.#last = { box, hiddenErrorPx: 0 };
    } else if (this.#last === undefined || !isPartOf(box, this.#last.box)) {
      this.#last = this.#infer(box);
    }
    return this.#last;
  }

  #infer([x1, y1, x2]: Box): WholeBox | undefined {
    const newest = this.#sizes.at(-1);
    const sizes = this.#sizes.filter(({ atMs }) => newest !== undefined && newest.atMs - atMs <= MEMORY_MS);
    if (sizes.length < MIN_SIGHTS) return undefined;
    const { bottom, error, growth } = continueLine(sizes, y1);
    const width = average(sizes.map((size) => size.width)) * growth;
    if (x2 - x1 >= CUT_WIDTH * width) return { box: [x1, y1, x2, bottom], hiddenErrorPx: error };
    // cut at the side that moved more
    const [lx1, , lx2] = this.#last?.box ?? [x1, 0, x2];
    const isLeftKept = Math.abs(x1 - lx1) <= Math.abs(x2 - lx2);
    const box: Box = isLeftKept ? [x1, y1, x1 + width, bottom] : [x2 - width, y1, x2, bottom];
    return { box, hiddenErrorPx: error };
  }
}

/** Where the lower edge is when the upper one is at `top`, by the line through the sights; `growth` is that of the height. */
function continueLine(
  sizes: readonly Size[],
  top: number,
): { bottom: number; error: number; growth: number } {
  const meanTop = average(sizes.map((size) => size.top));
  const meanBottom = average(sizes.map((size) => size.bottom));
  const height = meanBottom - meanTop;
  const spread = average(sizes.map((size) => (size.bottom - meanBottom) ** 2));
  const product = average(sizes.map((size) => (size.bottom - meanBottom) * (size.top - meanTop)));
  const span = Math.max(...sizes.map((size) => size.bottom)) - Math.min(...sizes.map((size) => size.bottom));
  const isKnown = span >= MIN_SPAN_HEIGHTS * height && spread > 0;
  const share = isKnown ? Math.min(1.5, Math.max(MIN_UPPER_SHARE, product / spread)) : 1;
  const bottom = meanBottom + (top - meanTop) / share;
  const slopeError = isKnown ? (UPPER_ERROR_HEIGHTS * height) / Math.sqrt(spread * sizes.length) : 0.2;
  const error =
    Math.hypot(UPPER_ERROR_HEIGHTS * height, (slopeError * Math.abs(top - meanTop)) / share) / share;
  return { bottom, error, growth: Math.max(0.5, (bottom - top) / height) };
}

/** What is in sight of one who stays: the upper edge and a side are where they were, and nothing is outside. */
function isPartOf([x1, y1, x2]: Box, whole: Box): boolean {
  const radius = STAY_PX + STAY_SIDES * Math.min(whole[2] - whole[0], whole[3] - whole[1]);
  const upper = STAY_PX + UPPER_ERROR_HEIGHTS * (whole[3] - whole[1]);
  if (Math.abs(y1 - whole[1]) > upper || x1 < whole[0] - radius || x2 > whole[2] + radius) return false;
  return x1 <= whole[0] + radius || x2 >= whole[2] - radius;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
