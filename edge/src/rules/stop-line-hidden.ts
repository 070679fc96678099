import type { Box } from '../geometry/box.ts';
import type { Observation } from './rule.ts';
import type { MeasuredBox } from './stop-line-position.ts';

/** Sizes of this long before a sight tell where hidden wheels stand, ms … */
const MEMORY_MS = 2_000;
/** … where there are so many. */
const MIN_SIGHTS = 3;
const MAX_SIGHTS = 15;
/** Heads turn, riders lean: the upper edge stands this surely above the wheels, as a share of the height. */
const POSTURE_ERROR = 0.035;
/** The height changes with the distance by about this share for each box height that the upper edge moved meanwhile. */
const PERSPECTIVE_SHARE = 0.2;
/** Without a size of its own the lower edge is anybody's guess within this share of the height. */
const UNKNOWN_ERROR = 0.12;

interface Size {
  readonly atMs: number;
  readonly top: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Where the wheels of one road user stand while another one hides them: as far below its upper edge as they did when they
 * were last seen. Takes the sights in order.
 */
export class HiddenGround {
  readonly #sizes: Size[] = [];

  take({ box, frame, groundSeen }: Observation): MeasuredBox {
    const [x1, y1, x2, y2] = box;
    if (groundSeen) {
      this.#sizes.push({ atMs: frame.mediaTimeMs, top: y1, height: y2 - y1, width: x2 - x1 });
      if (this.#sizes.length > MAX_SIGHTS) this.#sizes.shift();
      return { box, hiddenErrorPx: 0 };
    }
    const newest = this.#sizes.at(-1);
    const recent = this.#sizes.filter(({ atMs }) => newest !== undefined && newest.atMs - atMs <= MEMORY_MS);
    if (newest === undefined || recent.length < MIN_SIGHTS)
      return { box, hiddenErrorPx: UNKNOWN_ERROR * (y2 - y1) };
    const height = median(recent.map((size) => size.height));
    const width = median(recent.map((size) => size.width));
    const centre = (x1 + x2) / 2;
    const inferred: Box = [centre - width / 2, y1, centre + width / 2, y1 + height];
    const spread = 1.5 * median(recent.map((size) => Math.abs(size.height - height)));
    const moved = PERSPECTIVE_SHARE * Math.abs(y1 - newest.top);
    return {
      box: inferred,
      hiddenErrorPx: Math.hypot(POSTURE_ERROR * height, spread / Math.sqrt(recent.length), moved),
    };
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
