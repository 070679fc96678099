import type { Calibration } from '@ngatu/contract';
import sharp from 'sharp';
import type { Point } from '../geometry/box.ts';
import { computeGroundGrid } from '../geometry/ground-grid.ts';
import type { GroundPlane } from '../geometry/ground-plane.ts';
import type { StillPicture } from '../proposal/background.ts';

/** Small pictures are enlarged to this width, so that the writing can be read. */
const MIN_WIDTH = 1280;

/**
 * Draws the metre grid of a calibration over a picture, with the marked points and their numbers: the grid must lie along
 * lanes and curbs.
 * @param picture BGR, of the source's proportions
 * @returns a PNG
 */
export async function drawCalibration(
  picture: StillPicture,
  { plane, calibration, sourceWidth }: { plane: GroundPlane; calibration: Calibration; sourceWidth: number },
): Promise<Buffer> {
  const width = Math.max(MIN_WIDTH, picture.width);
  const height = Math.round((picture.height * width) / picture.width);
  const zoom = width / sourceWidth;
  const at = ([x, y]: Point): string => `${(x * zoom).toFixed(1)},${(y * zoom).toFixed(1)}`;
  const text = (content: string, [x, y]: Point, colour: string): string =>
    `<text x="${(x * zoom + 6).toFixed(1)}" y="${(y * zoom - 6).toFixed(1)}" fill="${colour}" stroke="#000" ` +
    `stroke-width="3" paint-order="stroke" font-family="sans-serif" font-size="15">${content}</text>`;
  const marks = listMarks(calibration);
  const { lines, stepM } = computeGroundGrid(plane, marks);
  const shapes = lines.flatMap(({ points, atM, axis }) => {
    const colour = axis === 'x' ? '#00e5ff' : '#ffb300';
    const line = `<polyline points="${points.map(at).join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
    const [end] = points;
    return end === undefined || atM % (5 * stepM) !== 0 ? [line] : [line, text(`${atM} m`, end, colour)];
  });
  for (const { from, to, metres } of calibration.lengths) {
    shapes.push(`<polyline points="${at(from)} ${at(to)}" stroke="#76ff03" stroke-width="3"/>`);
    shapes.push(text(`${metres} m`, from, '#76ff03'));
  }
  calibration.pairs.forEach(({ image }, index) => {
    const [x, y] = at(image).split(',');
    shapes.push(`<circle cx="${x}" cy="${y}" r="5" fill="none" stroke="#ff1744" stroke-width="2"/>`);
    shapes.push(text(String(index + 1), image, '#ff8a80'));
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`;
  return sharp(toRgb(picture.pixels), { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .resize(width, height, { kernel: 'lanczos3' })
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
}

function listMarks({ pairs, lengths }: Calibration): Point[] {
  return [
    ...pairs.map(({ image }): Point => image),
    ...lengths.flatMap(({ from, to }): Point[] => [from, to]),
  ];
}

function toRgb(bgr: Uint8Array): Buffer {
  const rgb = Buffer.from(bgr);
  for (let i = 0; i < rgb.length; i += 3) {
    const blue = rgb[i] ?? 0;
    rgb[i] = rgb[i + 2] ?? 0;
    rgb[i + 2] = blue;
  }
  return rgb;
}
