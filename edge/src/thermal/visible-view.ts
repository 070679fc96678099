import type { VisibleCamera } from '@ngatu/contract';
import { type Homography, multiply, type Normalisation } from '../geometry/homography.ts';
import { fitHomography } from '../geometry/homography-fit.ts';

/** How well somebody points at a corner of a warm board, px of either picture. */
const POINTING_ERROR_PX = 2;

/** Visible → thermal pixels at the distance of the mark on the floor. Undefined where the pairs do not determine it. */
export function fitVisibleView(pairs: VisibleCamera['pairs']): Homography | undefined {
  const fit = fitHomography(
    pairs.map(({ visible, thermal }) => ({ image: visible, ground: thermal })),
    [],
    { imageErrorPx: POINTING_ERROR_PX, groundErrorM: POINTING_ERROR_PX },
  );
  if (fit === undefined) return undefined;
  return multiply(multiply(outOf(fit.ground), fit.homography), into(fit.image));
}

function into({ centre: [x, y], scale }: Normalisation): Homography {
  return [scale, 0, -x * scale, 0, scale, -y * scale, 0, 0, 1];
}

function outOf({ centre: [x, y], scale }: Normalisation): Homography {
  return [1 / scale, 0, x, 0, 1 / scale, y, 0, 0, 1];
}
