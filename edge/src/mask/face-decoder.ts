import type { Box, Point } from '../geometry/box.ts';
import { decodeYoloxGrid, YOLOX_FIRST_CLASS } from '../model/yolox-grid.ts';
import type { TensorPlace } from './face-picture.ts';

/** A face that a network found. Coordinates are those of whoever hands it out: network pixels here, picture pixels after. */
export interface FaceFinding {
  readonly box: Box;
  /** That it is a face, 0–1. */
  readonly confidence: number;
  /** Log-odds that the face wears a mask; absent where the network does not tell. */
  readonly maskLogit?: number;
  /** Two eyes, nose, two corners of the mouth; absent where the network does not tell. */
  readonly landmarks?: readonly Point[];
}

export type NetOutputs = ReadonlyMap<string, Float32Array>;

const NOTHING = new Float32Array();
/** A logit of a confidence is no larger than this: a share of 0.998. */
const MAX_LOGIT = 6;
const LANDMARKS = 5;

/** Log-odds of one of two shares that need not add up to 1. */
function compareShares(one: number, other: number): number {
  const lift = (share: number): number => Math.max(0, share) + 1e-3;
  return Math.max(-MAX_LOGIT, Math.min(MAX_LOGIT, Math.log(lift(one) / lift(other))));
}

function isBox([x1, y1, x2, y2]: Box): boolean {
  return x2 > x1 && y2 > y1 && [x1, y1, x2, y2].every(Number.isFinite);
}

/**
 * YuNet: per stride s `cls_s`, `obj_s` `[1, N, 1]`, `bbox_s` `[1, N, 4]`, `kps_s` `[1, N, 10]`:
 * confidence = √(cls · obj), centre = (cell + offset) · s, size = exp(·) · s.
 */
export function decodeYunet(
  outputs: NetOutputs,
  { columns }: TensorPlace,
  minConfidence: number,
): FaceFinding[] {
  const found: FaceFinding[] = [];
  for (const stride of [8, 16, 32]) {
    const of = (part: string): Float32Array => outputs.get(`${part}_${stride}`) ?? NOTHING;
    const [classes, objects, boxes, marks] = [of('cls'), of('obj'), of('bbox'), of('kps')];
    const across = Math.floor(columns / stride);
    for (let cell = 0; cell < classes.length; cell++) {
      const product = (classes[cell] as number) * (objects[cell] as number);
      if (!(product >= minConfidence ** 2)) continue;
      const [column, row] = [cell % across, Math.floor(cell / across)];
      const [dx, dy, lnWidth, lnHeight] = boxes.subarray(cell * 4, cell * 4 + 4) as unknown as Box;
      const [x, y] = [(column + dx) * stride, (row + dy) * stride];
      const [halfWidth, halfHeight] = [(Math.exp(lnWidth) * stride) / 2, (Math.exp(lnHeight) * stride) / 2];
      const box: Box = [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
      if (!isBox(box)) continue;
      found.push({
        box,
        confidence: Math.min(1, Math.sqrt(product)),
        ...(marks.length === 0 ? {} : { landmarks: readLandmarks(marks, { cell, column, row, stride }) }),
      });
    }
  }
  return found;
}

function readLandmarks(
  marks: Float32Array,
  { cell, column, row, stride }: { cell: number; column: number; row: number; stride: number },
): Point[] {
  return Array.from({ length: LANDMARKS }, (_, index): Point => {
    const at = (cell * LANDMARKS + index) * 2;
    return [(column + (marks[at] ?? 0)) * stride, (row + (marks[at + 1] ?? 0)) * stride];
  });
}

/** Anchors of AIZOO's network: maps of 45, 23, 12, 6 and 4 cells, four anchors a cell; x, y, width, height as shares. */
const AIZOO_ANCHORS = buildAizooAnchors();

function buildAizooAnchors(): Float64Array {
  const maps: readonly (readonly [cells: number, size: number, larger: number])[] = [
    [45, 0.04, 0.056],
    [23, 0.08, 0.11],
    [12, 0.16, 0.22],
    [6, 0.32, 0.45],
    [4, 0.64, 0.72],
  ];
  const anchors: number[] = [];
  for (const [cells, size, larger] of maps) {
    for (let cell = 0; cell < cells * cells; cell++) {
      const x = ((cell % cells) + 0.5) / cells;
      const y = (Math.floor(cell / cells) + 0.5) / cells;
      anchors.push(x, y, size, size, x, y, larger, larger);
      for (const ratio of [0.62, 0.42]) anchors.push(x, y, size * Math.sqrt(ratio), size / Math.sqrt(ratio));
    }
  }
  return Float64Array.from(anchors);
}

/** `loc` `[1, 11000, 4]` (centre form, variances 0.1, 0.1, 0.2, 0.2), `cls` `[1, 11000, 2]` (mask, no mask; sigmoid). */
export function decodeAizoo(outputs: NetOutputs, place: TensorPlace, minConfidence: number): FaceFinding[] {
  const [offsets, classes] = [outputs.get('loc') ?? NOTHING, outputs.get('cls') ?? NOTHING];
  const found: FaceFinding[] = [];
  for (let row = 0; row * 2 + 1 < classes.length; row++) {
    const [mask, bare] = [classes[row * 2] as number, classes[row * 2 + 1] as number];
    if (!(Math.max(mask, bare) >= minConfidence)) continue;
    const [x, y, width, height] = AIZOO_ANCHORS.subarray(row * 4, row * 4 + 4) as unknown as Box;
    const [dx, dy, lnWidth, lnHeight] = offsets.subarray(row * 4, row * 4 + 4) as unknown as Box;
    const centreX = (x + dx * 0.1 * width) * place.columns;
    const centreY = (y + dy * 0.1 * height) * place.rows;
    const halfWidth = (Math.exp(lnWidth * 0.2) * width * place.columns) / 2;
    const halfHeight = (Math.exp(lnHeight * 0.2) * height * place.rows) / 2;
    const box: Box = [centreX - halfWidth, centreY - halfHeight, centreX + halfWidth, centreY + halfHeight];
    if (isBox(box))
      found.push({ box, confidence: Math.max(mask, bare), maskLogit: compareShares(mask, bare) });
  }
  return found;
}

/** `scores` `[1, 17640, 3]` = background, face, masked face; `boxes` `[1, 17640, 4]` xyxy as shares. */
export function decodeRfb(outputs: NetOutputs, place: TensorPlace, minConfidence: number): FaceFinding[] {
  const [scores, boxes] = [outputs.get('scores') ?? NOTHING, outputs.get('boxes') ?? NOTHING];
  const found: FaceFinding[] = [];
  for (let row = 0; row * 3 + 2 < scores.length; row++) {
    const [bare, mask] = [scores[row * 3 + 1] as number, scores[row * 3 + 2] as number];
    if (!(Math.max(bare, mask) >= minConfidence)) continue;
    const [x1, y1, x2, y2] = boxes.subarray(row * 4, row * 4 + 4) as unknown as Box;
    const box: Box = [x1 * place.columns, y1 * place.rows, x2 * place.columns, y2 * place.rows];
    if (isBox(box))
      found.push({ box, confidence: Math.max(bare, mask), maskLogit: compareShares(mask, bare) });
  }
  return found;
}

/** Steps of the grids of YOLOX, px. */
const YOLOX_STRIDES = [8, 16, 32];
/** With a mask and without one. */
const YOLOX_CLASSES = 2;

/** `output` `[1, N, 7]`: a row of YOLOX with two classes (mask, no mask; sigmoid). */
export function decodeYoloxFaces(
  outputs: NetOutputs,
  { columns, rows }: TensorPlace,
  minConfidence: number,
): FaceFinding[] {
  const values = outputs.get('output') ?? NOTHING;
  const first = YOLOX_FIRST_CLASS;
  const readClasses = (at: number): [number, number] => [
    values[at + first] ?? 0,
    values[at + first + 1] ?? 0,
  ];
  const grid = { columns, rows, strides: YOLOX_STRIDES, rowLength: first + YOLOX_CLASSES };
  const rate = (at: number): number => Math.min(1, readClasses(at)[0] + readClasses(at)[1]);
  return decodeYoloxGrid(values, grid, rate, minConfidence)
    .filter(({ box }) => isBox(box))
    .map(({ at, box, confidence }) => ({ box, confidence, maskLogit: compareShares(...readClasses(at)) }));
}
