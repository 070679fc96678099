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

/** Intersection over union, 0–1. */
export function computeIou(a: Box, b: Box): number {
  const intersection = computeIntersection(a, b);
  if (intersection === 0) return 0;
  return intersection / (computeArea(a) + computeArea(b) - intersection);
}

export function computeUnion(a: Box, b: Box): Box {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}

/** The bottom centre: where the object stands on the ground unless a rule names a better estimator. */
export function computeGroundPoint(box: Box): Point {
  return [(box[0] + box[2]) / 2, box[3]];
}
