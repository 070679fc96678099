import type { SeededRandom } from '../random/seeded-random.ts';

/**
 * What a simulated person looks like to a thermal camera. Temperatures of the skin are relative to the inner canthi, in °C;
 * lengths are in face widths. The pattern (warm canthi, temples and neck; cool nose, cheeks, brows and hair) is that of
 * published thermograms; its numbers are drawn anew for each person.
 */
export interface FaceModel {
  /** Skin at the warmer inner canthus: the exact truth, °C. */
  readonly canthusC: number;
  /** By how much the cooler canthus is cooler, and which side it is (−1 left in the picture, 1 right). */
  readonly canthusGapC: number;
  readonly coolerSide: -1 | 1;
  readonly forehead: number;
  readonly cheeks: number;
  readonly nose: number;
  readonly mouth: number;
  readonly chin: number;
  readonly neck: number;
  readonly hair: number;
  readonly brows: number;
  readonly ears: number;
  /** Distance of the canthi from the middle, of the hairline and the chin from the eyes. */
  readonly canthusOffset: number;
  readonly hairline: number;
  readonly chinDrop: number;
  /** Spread of a canthus. */
  readonly canthusSize: number;
  readonly beard: boolean;
  /** How much warmer the right half is, on cheeks and forehead. */
  readonly lopsided: number;
  /** By how much the features lie lower than on a level head. */
  readonly nod: number;
  /** Places of thin strands of hair on the forehead, from the middle. */
  readonly strands: readonly number[];
  /** A warm vessel on the forehead: its place and excess. */
  readonly vesselX: number;
  readonly vessel: number;
}

/** Draws a person. `ambientC` cools nose and cheeks. */
export function drawFace(random: SeededRandom, canthusC: number, ambientC: number): FaceModel {
  const chill = (23 - ambientC) * 0.15;
  return {
    canthusC,
    canthusGapC: Math.abs(random.gaussian(0, 0.12)),
    coolerSide: random.chance(0.5) ? -1 : 1,
    forehead: random.between(-1.4, -0.6),
    cheeks: random.between(-3, -1.5) - chill,
    nose: random.between(-5, -2) - 2 * chill,
    mouth: random.between(-1.6, -0.8),
    chin: random.between(-2.2, -1.3),
    neck: random.between(-1, 0.2),
    hair: random.between(-8, -5),
    brows: random.between(-2, -1),
    ears: random.between(-3.5, -1.5),
    canthusOffset: random.between(0.115, 0.15),
    hairline: random.between(0.42, 0.6),
    chinDrop: random.between(0.8, 0.92),
    canthusSize: random.between(0.03, 0.042),
    beard: random.chance(0.2),
    lopsided: random.gaussian(0, 0.35),
    nod: random.between(-0.06, 0.06),
    strands: Array.from({ length: random.chance(0.4) ? 3 : 0 }, () => random.between(-0.35, 0.35)),
    vesselX: random.between(-0.25, 0.25),
    vessel: random.between(0, 0.5),
  };
}

/** Something worn or held before the face. */
export interface FaceCover {
  readonly glasses?: boolean;
  readonly mask?: boolean;
  /** Reaches down to the brows. */
  readonly hat?: boolean;
  /** Hair over the forehead down to the brows. */
  readonly fringe?: boolean;
}

/** Temperature and emissivity of a point of the head. */
export interface SurfacePoint {
  readonly celsius: number;
  readonly emissivity: number;
}

const SKIN_EMISSIVITY = 0.98;

function spot(x: number, y: number, size: number): number {
  return Math.exp(-(x * x + y * y) / (2 * size * size));
}

/** 0 below `from`, 1 above `to`, smooth between. */
function ramp(value: number, from: number, to: number): number {
  const share = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return share * share * (3 - 2 * share);
}

/** Skin at a place of the face: x to the right of the middle, y below the line of the eyes, in face widths; °C. */
export function computeSkin(face: FaceModel, x: number, y: number): number {
  const side = Math.abs(x);
  let level = face.forehead + (face.cheeks - face.forehead) * 0.35;
  level += (face.forehead - level) * (1 - ramp(y, -0.14, -0.04));
  level += (face.cheeks - level) * spot(side - 0.27, y - 0.3, 0.13);
  level += (face.mouth - level) * spot(x, (y - 0.56) * 1.4, 0.12);
  level += ((face.beard ? face.chin - 2 : face.chin) - level) * ramp(y, 0.6, 0.75);
  level += (face.nose - level) * spot(x * 1.5, (y - 0.3) * 0.75, 0.075);
  level += (face.brows - level) * 0.8 * spot((side - 0.2) / 2.4, y + 0.15, 0.035);
  // the warm corner and the warm rim round the eye, the cooler cornea in it
  level += (-1.1 - level) * 0.8 * spot((side - 0.22) / 1.5, y, 0.06);
  level += -0.5 * spot((side - 0.23) / 1.3, y, 0.035);
  const gap = Math.sign(x) === face.coolerSide ? -face.canthusGapC : 0;
  level += (gap - level) * spot(side - face.canthusOffset, y - 0.015, face.canthusSize);
  level += face.lopsided * ramp(Math.abs(x), 0.1, 0.25) * Math.sign(x);
  level += face.vessel * spot((x - face.vesselX) * 3, (y + 0.35) / 2, 0.06);
  for (const strand of face.strands)
    level += (face.hair - level) * 0.5 * ramp(-y, 0.22, 0.35) * spot(x - strand + 0.1 * y, 0, 0.008);
  // temples
  level += 0.3 * spot(side - 0.4, y + 0.2, 0.08);
  return face.canthusC + Math.min(gap, level);
}

/** The head without what is worn: skin before the hairline, hair behind it. */
export function computeHead(face: FaceModel, x: number, y: number): SurfacePoint {
  const hairBegins = face.hairline * (1 - 0.9 * x * x);
  const hair = ramp(-y, hairBegins - 0.02, hairBegins + 0.04);
  const sideburn = ramp(Math.abs(x), 0.47, 0.5) * (1 - ramp(y, 0.25, 0.4)) * 0.4;
  const share = Math.max(hair, sideburn);
  const skin = computeSkin(face, x, y);
  return {
    celsius: skin + (face.canthusC + face.hair - skin) * share,
    emissivity: SKIN_EMISSIVITY - 0.03 * share,
  };
}

const LENS = { x: 0.23, y: 0.02, halfWidth: 0.19, halfHeight: 0.14 };

/** What covers this place, if anything. Glass and cloth are opaque to the sensor and near the air's temperature. */
export function computeCover(
  cover: FaceCover,
  face: FaceModel,
  place: { readonly x: number; readonly y: number; readonly ambientC: number },
): SurfacePoint | undefined {
  const { x, y, ambientC } = place;
  const side = Math.abs(x);
  if (cover.glasses === true) {
    const inLens =
      ((side - LENS.x) / LENS.halfWidth) ** 4 + ((y - LENS.y) / LENS.halfHeight) ** 4 < 1 ||
      (side < LENS.x && Math.abs(y + 0.06) < 0.015);
    if (inLens) return { celsius: ambientC + 4, emissivity: 0.88 };
  }
  if (cover.hat === true && y < -0.2 + 0.1 * x * x) return { celsius: ambientC + 3, emissivity: 0.93 };
  if (cover.fringe === true && y < -0.16 + 0.02 * Math.sin(40 * x))
    return { celsius: face.canthusC + face.hair, emissivity: 0.95 };
  if (cover.mask === true && y > 0.2 - 0.25 * (0.25 - Math.min(0.25, side)) && y < 0.95)
    return { celsius: face.canthusC - 4 - 2 * y, emissivity: 0.94 };
  return undefined;
}
