import type { SignalState } from '@ngatu/contract';
import type { Cutout } from './cutout.ts';
import type { PictureBox } from './ground-camera.ts';
import type { Picture } from './picture-stream.ts';
import type { SceneRandom } from './scene-random.ts';

/** How bright the shadow below a road user leaves the road, share. */
const SHADOW_SHARE = 0.72;
/** Samples of a cutout along one side of a pixel of the picture. */
const SAMPLES = 2;

/** Pastes a cutout so that it fills a box, with its shadow. Whoever stands nearer is pasted later. Writes to `picture`. */
export function pasteCutout(picture: Picture, cutout: Cutout, box: PictureBox): void {
  dropShadow(picture, box);
  const [x1, y1, x2, y2] = box;
  const [scaleX, scaleY] = [cutout.width / (x2 - x1), cutout.height / (y2 - y1)];
  for (let y = Math.max(0, Math.floor(y1)); y < Math.min(picture.height, Math.ceil(y2)); y++) {
    for (let x = Math.max(0, Math.floor(x1)); x < Math.min(picture.width, Math.ceil(x2)); x++) {
      const sum = sampleCutout(cutout, {
        x: (x - x1) * scaleX,
        y: (y - y1) * scaleY,
        stepX: scaleX,
        stepY: scaleY,
      });
      if (sum.alpha === 0) continue;
      const at = (y * picture.width + x) * 3;
      const share = sum.alpha / 255;
      for (let c = 0; c < 3; c++) {
        const own = (sum.colour[c] ?? 0) / sum.alpha;
        picture.pixels[at + c] = Math.round(share * own + (1 - share) * (picture.pixels[at + c] ?? 0));
      }
    }
  }
}

/** The mean of a pixel's samples, weighted by how much of them is the road user. */
function sampleCutout(
  cutout: Cutout,
  { x, y, stepX, stepY }: { x: number; y: number; stepX: number; stepY: number },
): { alpha: number; colour: readonly [number, number, number] } {
  let alpha = 0;
  const colour: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < SAMPLES * SAMPLES; i++) {
    const sx = x + (((i % SAMPLES) + 0.5) / SAMPLES) * stepX - 0.5;
    const sy = y + ((Math.floor(i / SAMPLES) + 0.5) / SAMPLES) * stepY - 0.5;
    const [left, top] = [Math.floor(sx), Math.floor(sy)];
    for (let corner = 0; corner < 4; corner++) {
      const [cx, cy] = [left + (corner & 1), top + (corner >> 1)];
      if (cx < 0 || cy < 0 || cx >= cutout.width || cy >= cutout.height) continue;
      const weight = (1 - Math.abs(sx - cx)) * (1 - Math.abs(sy - cy));
      const from = cy * cutout.width + cx;
      const part = (weight * (cutout.alpha[from] ?? 0)) / (SAMPLES * SAMPLES);
      alpha += part;
      for (let c = 0; c < 3; c++) colour[c as 0 | 1 | 2] += part * (cutout.pixels[from * 3 + c] ?? 0);
    }
  }
  return { alpha, colour };
}

/** A soft dark patch where it stands. */
function dropShadow(picture: Picture, [x1, , x2, y2]: PictureBox): void {
  const [cx, rx] = [(x1 + x2) / 2, 0.56 * (x2 - x1)];
  const ry = 0.16 * (x2 - x1);
  const cy = y2 - 0.4 * ry;
  for (let y = Math.max(0, Math.floor(cy - ry)); y < Math.min(picture.height, cy + ry); y++) {
    for (let x = Math.max(0, Math.floor(cx - rx)); x < Math.min(picture.width, cx + rx); x++) {
      const away = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2;
      if (away >= 1) continue;
      const share = 1 - (1 - SHADOW_SHARE) * (1 - away);
      const at = (y * picture.width + x) * 3;
      for (let c = 0; c < 3; c++) picture.pixels[at + c] = Math.round((picture.pixels[at + c] ?? 0) * share);
    }
  }
}

type Colour = readonly [red: number, green: number, blue: number];

/** What lit lenses look like to a camera: nearly white in the middle, their colour around it. Vietnamese greens are bluish. */
const LIT: Readonly<Record<'red' | 'amber' | 'green', Colour>> = {
  red: [250, 40, 36],
  amber: [250, 180, 40],
  green: [30, 225, 165],
};
const HOUSING: Colour = [34, 36, 38];

/** Draws an upright lamp head with three lenses into a box, with the glow of the lit one. Writes to `picture`. */
export function drawLampHead(
  picture: Picture,
  box: PictureBox,
  state: SignalState,
  random: SceneRandom,
): void {
  const [x1, y1, x2, y2] = box;
  const [cx, radius] = [(x1 + x2) / 2, 0.36 * Math.min(x2 - x1, (y2 - y1) / 3)];
  // LEDs flicker against the shutter
  const shine = 0.9 + 0.1 * random.next();
  for (let y = Math.max(0, Math.floor(y1 - 4)); y < Math.min(picture.height, y2 + 4); y++) {
    for (let x = Math.max(0, Math.floor(x1 - 4)); x < Math.min(picture.width, x2 + 4); x++) {
      const at = (y * picture.width + x) * 3;
      const isHousing = x >= x1 && x < x2 && y >= y1 && y < y2;
      if (isHousing) picture.pixels.set(HOUSING, at);
      (['red', 'amber', 'green'] as const).forEach((lens, index) => {
        const away = Math.hypot(x + 0.5 - cx, y + 0.5 - (y1 + ((index + 0.5) / 3) * (y2 - y1))) / radius;
        if (away <= 1) paintLens(picture, at, { lens, isLit: state === lens, away, shine });
        else if (state === lens && away < 2.2)
          addGlow(picture, at, LIT[lens], 0.35 * shine * (1 - (away - 1) / 1.2));
      });
    }
  }
}

function paintLens(
  picture: Picture,
  at: number,
  how: { lens: 'red' | 'amber' | 'green'; isLit: boolean; away: number; shine: number },
): void {
  const white = how.isLit ? 0.45 * Math.max(0, 1 - how.away * 1.6) : 0;
  for (let c = 0; c < 3; c++) {
    const own = LIT[how.lens][c] ?? 0;
    const value = how.isLit ? how.shine * (own + white * (255 - own)) : 30 + 0.09 * own;
    picture.pixels[at + c] = Math.round(Math.min(255, value));
  }
}

function addGlow(picture: Picture, at: number, colour: Colour, share: number): void {
  for (let c = 0; c < 3; c++) {
    const value = (picture.pixels[at + c] ?? 0) + share * (colour[c] ?? 0) * 0.4;
    picture.pixels[at + c] = Math.round(Math.min(255, value));
  }
}
