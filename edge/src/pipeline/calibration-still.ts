import type { Calibration } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import { computeGroundGrid } from '../geometry/ground-grid.ts';
import type { GroundPlane } from '../geometry/ground-plane.ts';
import type { StillPicture } from '../proposal/background.ts';
import { PictureOverlay } from '../proposal/picture-overlay.ts';

/**
 * Draws the metre grid of a calibration over a picture, with the marked points and their numbers: the grid must lie along
 * lanes and curbs.
 * @param picture BGR, of the source's proportions
 * @returns a PNG
 */
export function drawCalibration(
  picture: StillPicture,
  { plane, calibration }: { plane: GroundPlane; calibration: Calibration },
): Promise<Buffer> {
  const overlay = new PictureOverlay(picture);
  const shift: [number, number] = [6, -6];
  const { lines, stepM } = computeGroundGrid(plane, listMarks(calibration));
  for (const { points, atM, axis } of lines) {
    const colour = axis === 'x' ? '#00e5ff' : '#ffb300';
    const path = points.map((point) => overlay.at(point)).join(' ');
    overlay.add(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
    const [end] = points;
    if (end !== undefined && atM % (5 * stepM) === 0) overlay.write(`${atM} m`, end, colour, shift);
  }
  for (const { from, to, metres } of calibration.lengths) {
    overlay.add(
      `<polyline points="${overlay.at(from)} ${overlay.at(to)}" stroke="#76ff03" stroke-width="3"/>`,
    );
    overlay.write(`${metres} m`, from, '#76ff03', shift);
  }
  calibration.pairs.forEach(({ image }, index) => {
    const [x, y] = overlay.at(image).split(',');
    overlay.add(`<circle cx="${x}" cy="${y}" r="5" fill="none" stroke="#ff1744" stroke-width="2"/>`);
    overlay.write(String(index + 1), image, '#ff8a80', shift);
  });
  return overlay.render();
}

function listMarks({ pairs, lengths }: Calibration): Point[] {
  return [
    ...pairs.map(({ image }): Point => image),
    ...lengths.flatMap(({ from, to }): Point[] => [from, to]),
  ];
}
