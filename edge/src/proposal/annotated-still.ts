import type { Scene } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import type { StillPicture } from './background.ts';
import { PictureOverlay } from './picture-overlay.ts';

const COLOURS = ['#00e5ff', '#ffb300', '#76ff03', '#ff4081', '#b388ff', '#ffff00'];

/**
 * Draws a scene over a picture: zones, tripwires with their forward side, signals, close-ups, lookalikes, arrows, each with its name.
 * @returns a PNG
 */
export function drawScene(picture: StillPicture, scene: Scene): Promise<Buffer> {
  const overlay = new PictureOverlay(picture);
  const path = (points: readonly Point[]): string => points.map((point) => overlay.at(point)).join(' ');
  scene.zones.forEach(({ name, polygon }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '#fff';
    const fill = `fill="${colour}" fill-opacity="0.13" stroke="${colour}" stroke-width="2"`;
    overlay.add(`<polygon points="${path(polygon)}" ${fill}/>`);
    overlay.write(name, middleOf(polygon), colour);
  });
  for (const { name, points, forwardTowards } of scene.tripwires) {
    const middle = middleOf(points);
    overlay.add(`<polyline points="${path(points)}" fill="none" stroke="#ff1744" stroke-width="4"/>`);
    overlay.add(drawArrow(overlay, middle, towards(middle, forwardTowards, 40 / overlay.zoom), '#ff1744'));
    overlay.write(name, points[0] ?? middle, '#ff8a80');
  }
  const frame = (name: string, box: readonly [number, number, number, number], stroke: string): void => {
    const [x1, y1, x2, y2] = box.map((value) => value * overlay.zoom) as [number, number, number, number];
    const size = `width="${x2 - x1}" height="${y2 - y1}"`;
    overlay.add(`<rect x="${x1}" y="${y1}" ${size} fill="none" stroke-width="2" ${stroke}/>`);
    overlay.write(name, [box[0], box[1]], '#fff', [0, -4]);
  };
  for (const { name, box } of scene.signals) frame(name, box, 'stroke="#fff"');
  for (const { box, enlarge } of scene.analysis.closeUps ?? [])
    frame(`close-up ×${enlarge}`, box, 'stroke="#00b0ff" stroke-dasharray="8 6"');
  for (const { box } of scene.analysis.lookalikes ?? [])
    frame('no road user', box, 'stroke="#ff9100" stroke-dasharray="3 3"');
  for (const rule of scene.rules) {
    if (rule.kind === 'WRONG_WAY')
      overlay.add(drawArrow(overlay, rule.allowed.from, rule.allowed.to, '#fff'));
  }
  return overlay.render();
}

function drawArrow(overlay: PictureOverlay, from: Point, to: Point, colour: string): string {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const head = Math.min(12, length / 2);
  const wing = (side: number): Point => [
    to[0] - head * ux - side * 0.5 * head * uy,
    to[1] - head * uy + side * 0.5 * head * ux,
  ];
  return (
    `<polyline points="${overlay.at(from)} ${overlay.at(to)}" fill="none" stroke="${colour}" stroke-width="3"/>` +
    `<polygon points="${overlay.at(to)} ${overlay.at(wing(1))} ${overlay.at(wing(-1))}" fill="${colour}"/>`
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
