import type { Scene } from '@ngatu/contract';
import sharp from 'sharp';
import type { Point } from '../geometry/box.ts';
import type { StillPicture } from './background.ts';

/** Small pictures are enlarged to this width, so that the writing can be read. */
const MIN_WIDTH = 1280;
const COLOURS = ['#00e5ff', '#ffb300', '#76ff03', '#ff4081', '#b388ff', '#ffff00'];

/**
 * Draws a scene over a picture: zones, tripwires with their forward side, signals, arrows, each with its name.
 * @returns a PNG
 */
export async function drawScene(picture: StillPicture, scene: Scene): Promise<Buffer> {
  const zoom = Math.max(1, MIN_WIDTH / scene.picture.width);
  const width = Math.round(scene.picture.width * zoom);
  const height = Math.round(scene.picture.height * zoom);
  const at = ([x, y]: Point): string => `${(x * zoom).toFixed(1)},${(y * zoom).toFixed(1)}`;
  const label = (text: string, [x, y]: Point, colour: string): string =>
    `<text x="${(x * zoom).toFixed(1)}" y="${(y * zoom).toFixed(1)}" fill="${colour}" stroke="#000" stroke-width="3" ` +
    `paint-order="stroke" font-family="sans-serif" font-size="18">${text}</text>`;
  const shapes: string[] = [];
  scene.zones.forEach(({ name, polygon }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '#fff';
    const points = polygon.map(at).join(' ');
    shapes.push(
      `<polygon points="${points}" fill="${colour}" fill-opacity="0.13" stroke="${colour}" stroke-width="2"/>`,
    );
    shapes.push(label(name, middleOf(polygon), colour));
  });
  for (const { name, points, forwardTowards } of scene.tripwires) {
    const middle = middleOf(points);
    shapes.push(
      `<polyline points="${points.map(at).join(' ')}" fill="none" stroke="#ff1744" stroke-width="4"/>`,
    );
    shapes.push(drawArrow(middle, towards(middle, forwardTowards, 40 / zoom), '#ff1744', at));
    shapes.push(label(name, points[0] ?? middle, '#ff8a80'));
  }
  for (const { name, box } of scene.signals) {
    const [x1, y1, x2, y2] = box.map((value) => value * zoom) as [number, number, number, number];
    shapes.push(
      `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="#fff" stroke-width="2"/>`,
    );
    shapes.push(label(name, [box[0], box[1] - 4 / zoom], '#fff'));
  }
  for (const rule of scene.rules) {
    if (rule.kind === 'WRONG_WAY') shapes.push(drawArrow(rule.allowed.from, rule.allowed.to, '#fff', at));
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`;
  return sharp(toRgb(picture.pixels), { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .resize(width, height, { kernel: 'lanczos3' })
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
}

function drawArrow(from: Point, to: Point, colour: string, at: (point: Point) => string): string {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const head = Math.min(12, length / 2);
  const wing = (side: number): Point => [
    to[0] - head * ux - side * 0.5 * head * uy,
    to[1] - head * uy + side * 0.5 * head * ux,
  ];
  return (
    `<polyline points="${at(from)} ${at(to)}" fill="none" stroke="${colour}" stroke-width="3"/>` +
    `<polygon points="${at(to)} ${at(wing(1))} ${at(wing(-1))}" fill="${colour}"/>`
  );
}

function middleOf(points: readonly Point[]): Point {
  const [x, y] = points.reduce<Point>((sum, point) => [sum[0] + point[0], sum[1] + point[1]], [0, 0]);
  return [x / points.length, y / points.length];
}

function towards(from: Point, to: Point, lengthPx: number): Point {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  return [
    from[0] + (lengthPx * (to[0] - from[0])) / length,
    from[1] + (lengthPx * (to[1] - from[1])) / length,
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
