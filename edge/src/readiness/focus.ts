import type { LumaPicture } from './luma-picture.ts';

/** Span of the coarse difference, px: wider than the edges of a picture in focus. */
const COARSE = 4;
/** Of the coarse differences these, the strongest, are edges. */
const EDGE_SHARE = 0.05;
/** Brightness step that is no edge, 0–255. */
const MIN_STEP = 4;

/** Fewer edges tell nothing. */
const MIN_EDGES = 50;
/** The middle of an edge lies anywhere between the samples: the upper fifth is the part that met it. */
const QUANTILE = 0.8;
const BINS = 100;

/**
 * Sharpness: how much of the brightness step of an edge happens from one pixel to the next, 0–1; over the strongest edges, across
 * and down. A ratio, so that neither light nor what stands in the picture matters much; blur of any kind lowers it.
 * Undefined where the picture has no edges.
 */
export function computeSharpness(picture: LumaPicture): number | undefined {
  const strengths = new Uint32Array(256);
  forEachStep(picture, (coarse) => {
    const bin = Math.min(255, Math.floor(coarse));
    strengths[bin] = (strengths[bin] ?? 0) + 1;
  });
  let wanted = Math.max(MIN_EDGES, (EDGE_SHARE * picture.width * picture.height) / 2);
  let limit = 255;
  while (limit > MIN_STEP && wanted > 0) {
    wanted -= strengths[limit] ?? 0;
    limit -= 1;
  }
  const shares = new Uint32Array(BINS + 1);
  let edges = 0;
  forEachStep(picture, (coarse, fine) => {
    if (coarse <= limit) return;
    const bin = Math.round(BINS * Math.min(1, fine / coarse));
    shares[bin] = (shares[bin] ?? 0) + 1;
    edges += 1;
  });
  if (edges < MIN_EDGES) return undefined;
  let below = 0;
  for (let bin = 0; bin <= BINS; bin++) {
    below += shares[bin] ?? 0;
    if (below >= QUANTILE * edges) return bin / BINS;
  }
  return 1;
}

function forEachStep(
  { width, height, values }: LumaPicture,
  visit: (coarse: number, fine: number) => void,
): void {
  for (let y = COARSE; y < height - COARSE; y += 2) {
    for (let x = COARSE; x < width - COARSE; x += 2) {
      for (const stride of [1, width]) {
        const at = y * width + x;
        let coarse = 0;
        for (let k = 0; k < COARSE; k++) {
          coarse += (values[at + (k + 1) * stride] ?? 0) - (values[at - k * stride] ?? 0);
        }
        visit(Math.abs(coarse) / COARSE, Math.abs((values[at + stride] ?? 0) - (values[at] ?? 0)));
      }
    }
  }
}
