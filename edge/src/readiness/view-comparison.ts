import type { LumaPicture } from './luma-picture.ts';

/** How a picture lies against the reference; px of the pictures compared. */
export interface ViewComparison {
  /** Movement of the corner of the picture that moved most, from a rigid motion fitted to the tiles; absent where too few tiles are found again. */
  readonly movedPx?: number;
  readonly rotationDeg?: number;
  /** Tiles with something to see in the reference. */
  readonly tiles: number;
  /** … of which so many are found again. */
  readonly found: number;
  /** Small blocks with something to see in the reference. */
  readonly blocks: number;
  /** Share of them that show something else now (traffic that stands does as well). */
  readonly changedShare: number;
  /** Share of them where nothing is left to see: what is close before the lens is a blur without detail. */
  readonly lostShare: number;
}

const COLUMNS = 6;
const ROWS = 4;
/** Search in each direction, px of the small picture: 5 % of its width. */
const REACH = 8;
/** Correlation from which a tile is the same place. */
const MIN_CORRELATION = 0.45;
/** … and this much better than anywhere further away. */
const MIN_LEAD = 0.08;
/** Deviation of brightness from which a tile or block has something to see, 0–255. */
const MIN_TEXTURE = 3;
const MIN_TILES = 4;
/** Side of the blocks in which something covered is looked for, px. */
const BLOCK = 10;
/** A block whose best correlation nearby is below this shows something else. */
const CHANGED_CORRELATION = 0.3;
/** A block whose deviation of brightness is below this share of the reference's has lost what it showed. */
const LOST_TEXTURE_SHARE = 0.3;
/** Tiles whose shift disagrees with the motion by more are traffic that stands, or chance, px. */
const TILE_TOLERANCE = 0.75;

interface TileShift {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}

/**
 * Compares two pictures of one size by what stands still. Both are normalised to even local contrast first, so that light, shade
 * and gain do not count. Each tile of the reference is searched for nearby with a part of a pixel; a rotation and a
 * shift are fitted to the tiles that are found. Then each small block is looked for where the motion puts it.
 */
export function compareViews(reference: LumaPicture, now: LumaPicture): ViewComparison {
  const from = normaliseContrast(reference);
  const to = normaliseContrast(now);
  const tileWidth = Math.floor((from.width - 2 * REACH) / COLUMNS);
  const tileHeight = Math.floor((from.height - 2 * REACH) / ROWS);
  const shifts: TileShift[] = [];
  let tiles = 0;
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const area = {
        x: REACH + column * tileWidth,
        y: REACH + row * tileHeight,
        width: tileWidth,
        height: tileHeight,
      };
      if (computeDeviation(reference, area) < MIN_TEXTURE) continue;
      tiles += 1;
      const shift = findShift(from, to, area);
      if (shift !== undefined) shifts.push(shift);
    }
  }
  const motion = fitMotion(shifts, from);
  const changed = countChanged({ reference, now, from, to }, motion);
  return {
    tiles,
    found: shifts.length,
    ...changed,
    ...(motion === undefined
      ? {}
      : { movedPx: motion.movedPx, rotationDeg: (motion.rotation * 180) / Math.PI }),
  };
}

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Values of mean 0 and even deviation, row-major. */
interface EvenPicture {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

const WINDOW = 4;
/** Deviation that counts as noise, 0–255. */
const NOISE = 3;

/** Each value less the mean around it, over the deviation around it. */
function normaliseContrast({ width, height, values }: LumaPicture): EvenPicture {
  const sums = new Float64Array((width + 1) * (height + 1));
  const squares = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = values[y * width + x] ?? 0;
      const at = (y + 1) * (width + 1) + x + 1;
      const up = at - width - 1;
      sums[at] = value + (sums[at - 1] ?? 0) + (sums[up] ?? 0) - (sums[up - 1] ?? 0);
      squares[at] = value * value + (squares[at - 1] ?? 0) + (squares[up] ?? 0) - (squares[up - 1] ?? 0);
    }
  }
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - WINDOW), Math.min(height, y + WINDOW + 1)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - WINDOW), Math.min(width, x + WINDOW + 1)];
      const over = (table: Float64Array): number =>
        (table[bottom * (width + 1) + right] ?? 0) -
        (table[top * (width + 1) + right] ?? 0) -
        (table[bottom * (width + 1) + left] ?? 0) +
        (table[top * (width + 1) + left] ?? 0);
      const count = (bottom - top) * (right - left);
      const mean = over(sums) / count;
      const variance = Math.max(0, over(squares) / count - mean * mean);
      out[y * width + x] = ((values[y * width + x] ?? 0) - mean) / (Math.sqrt(variance) + NOISE);
    }
  }
  return { width, height, values: out };
}

function computeDeviation({ width, values }: LumaPicture, area: Area): number {
  let sum = 0;
  let square = 0;
  for (let y = area.y; y < area.y + area.height; y++) {
    for (let x = area.x; x < area.x + area.width; x++) {
      const value = values[y * width + x] ?? 0;
      sum += value;
      square += value * value;
    }
  }
  const count = area.width * area.height;
  return Math.sqrt(Math.max(0, square / count - (sum / count) ** 2));
}

/** Normalised cross-correlation of an area with the other picture, shifted by whole pixels; 0 outside. */
function correlate(from: EvenPicture, to: EvenPicture, area: Area, dx: number, dy: number): number {
  if (area.x + dx < 0 || area.y + dy < 0) return 0;
  if (area.x + area.width + dx > to.width || area.y + area.height + dy > to.height) return 0;
  let product = 0;
  let a2 = 0;
  let b2 = 0;
  for (let y = area.y; y < area.y + area.height; y++) {
    const row = y * from.width;
    const other = (y + dy) * to.width + dx;
    for (let x = area.x; x < area.x + area.width; x++) {
      const a = from.values[row + x] ?? 0;
      const b = to.values[other + x] ?? 0;
      product += a * b;
      a2 += a * a;
      b2 += b * b;
    }
  }
  return a2 > 0 && b2 > 0 ? product / Math.sqrt(a2 * b2) : 0;
}

function findShift(from: EvenPicture, to: EvenPicture, area: Area): TileShift | undefined {
  const side = 2 * REACH + 1;
  const scores = new Float32Array(side * side);
  let best = 0;
  for (let i = 0; i < scores.length; i++) {
    scores[i] = correlate(from, to, area, (i % side) - REACH, Math.floor(i / side) - REACH);
    if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  }
  const [bx, by] = [best % side, Math.floor(best / side)];
  const top = scores[best] ?? 0;
  if (top < MIN_CORRELATION || bx === 0 || by === 0 || bx === side - 1 || by === side - 1) return undefined;
  const elsewhere = scores.reduce((high, score, i) => {
    const isNear = Math.abs((i % side) - bx) <= 2 && Math.abs(Math.floor(i / side) - by) <= 2;
    return isNear ? high : Math.max(high, score);
  }, 0);
  if (top - elsewhere < MIN_LEAD) return undefined;
  return {
    x: area.x + area.width / 2,
    y: area.y + area.height / 2,
    dx: bx - REACH + findPeak(scores[best - 1] ?? 0, top, scores[best + 1] ?? 0),
    dy: by - REACH + findPeak(scores[best - side] ?? 0, top, scores[best + side] ?? 0),
  };
}

/** Where a parabola through three values has its top, −0.5 to 0.5 of their distance. */
function findPeak(before: number, top: number, after: number): number {
  const bend = before - 2 * top + after;
  return bend >= 0 ? 0 : Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend)));
}

interface Motion {
  readonly shiftX: number;
  readonly shiftY: number;
  readonly rotation: number;
  readonly centre: readonly [number, number];
  readonly movedPx: number;
}

/** Shift and small rotation by least squares; tiles that disagree leave one by one. */
function fitMotion(tiles: readonly TileShift[], { width, height }: EvenPicture): Motion | undefined {
  let kept = [...tiles];
  while (kept.length >= MIN_TILES) {
    const motion = fitRigid(kept, width, height);
    const misses = kept.map((tile) => {
      const [dx, dy] = moveBy(motion, tile);
      return Math.hypot(tile.dx - dx, tile.dy - dy);
    });
    const worst = Math.max(...misses);
    if (worst <= TILE_TOLERANCE) return motion;
    kept = kept.filter((_, index) => misses[index] !== worst);
  }
  return undefined;
}

function fitRigid(tiles: readonly TileShift[], width: number, height: number): Motion {
  const mean = (pick: (tile: TileShift) => number): number =>
    tiles.reduce((sum, tile) => sum + pick(tile), 0) / tiles.length;
  const centre = [mean(({ x }) => x), mean(({ y }) => y)] as const;
  const [shiftX, shiftY] = [mean(({ dx }) => dx), mean(({ dy }) => dy)];
  let turn = 0;
  let spread = 0;
  for (const { x, y, dx, dy } of tiles) {
    const [rx, ry] = [x - centre[0], y - centre[1]];
    turn += rx * (dy - shiftY) - ry * (dx - shiftX);
    spread += rx * rx + ry * ry;
  }
  const rotation = spread > 0 ? turn / spread : 0;
  const motion = { shiftX, shiftY, rotation, centre, movedPx: 0 };
  const corners = [0, width].flatMap((x) => [0, height].map((y) => ({ x, y })));
  return { ...motion, movedPx: Math.max(...corners.map((corner) => Math.hypot(...moveBy(motion, corner)))) };
}

function moveBy(
  { shiftX, shiftY, rotation, centre }: Motion,
  { x, y }: { x: number; y: number },
): readonly [number, number] {
  return [shiftX - rotation * (y - centre[1]), shiftY + rotation * (x - centre[0])];
}

interface Compared {
  readonly reference: LumaPicture;
  readonly now: LumaPicture;
  readonly from: EvenPicture;
  readonly to: EvenPicture;
}

function countChanged(
  { reference, now, from, to }: Compared,
  motion: Motion | undefined,
): Pick<ViewComparison, 'blocks' | 'changedShare' | 'lostShare'> {
  let blocks = 0;
  let changed = 0;
  let lost = 0;
  for (let y = 0; y + BLOCK <= from.height; y += BLOCK) {
    for (let x = 0; x + BLOCK <= from.width; x += BLOCK) {
      const area = { x, y, width: BLOCK, height: BLOCK };
      const texture = computeDeviation(reference, area);
      if (texture < MIN_TEXTURE) continue;
      const [dx, dy] = motion === undefined ? [0, 0] : moveBy(motion, { x: x + BLOCK / 2, y: y + BLOCK / 2 });
      const [left, top] = [Math.round(dx), Math.round(dy)];
      if (x + left < 1 || y + top < 1) continue;
      if (x + left + BLOCK >= to.width || y + top + BLOCK >= to.height) continue;
      blocks += 1;
      const near = [-1, 0, 1].flatMap((sx) =>
        [-1, 0, 1].map((sy) => correlate(from, to, area, left + sx, top + sy)),
      );
      if (Math.max(...near) >= CHANGED_CORRELATION) continue;
      changed += 1;
      const there = { ...area, x: x + left, y: y + top };
      if (computeDeviation(now, there) < LOST_TEXTURE_SHARE * texture) lost += 1;
    }
  }
  const share = (count: number): number => (blocks === 0 ? 0 : count / blocks);
  return { blocks, changedShare: share(changed), lostShare: share(lost) };
}
