/** xyxy, source pixels. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];
/** x to the right, y down, source pixels. */
export type Point = readonly [x: number, y: number];

export function computeArea([x1, y1, x2, y2]: Box): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
}

export function computeIntersection(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Share of the area of `part` that lies in `whole`, 0–1; 0 where it has none. */
export function computeShareInside(part: Box, whole: Box): number {
  const area = computeArea(part);
  return area === 0 ? 0 : computeIntersection(part, whole) / area;
}

/** Intersection over union, 0–1. */
export function computeIou(a: Box, b: Box): number {
  const intersection = computeIntersection(a, b);
  if (intersection === 0) return 0;
  return intersection / (computeArea(a) + computeArea(b) - intersection);
}

/** A box that lies in another by this share of its area … */
const PART_SHARE = 0.8;
/** … and stands on the same ground, to this share of that one's height, is a part of it. */
const PART_GROUND = 0.1;

/** Whether a box is a part of a vehicle, as the cab of a lorry or the bike below a rider. Who stands farther off and is half hidden ends higher in the picture. */
export function isPartOf(part: Box, whole: Box): boolean {
  const [, top, , ground] = whole;
  if (Math.abs(part[3] - ground) > PART_GROUND * (ground - top)) return false;
  return computeShareInside(part, whole) >= PART_SHARE;
}

export function computeUnion(a: Box, b: Box): Box {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}

/** The bottom centre: where the object stands on the ground unless a rule names a better estimator. */
export function computeGroundPoint(box: Box): Point {
  return [(box[0] + box[2]) / 2, box[3]];
}
