/** Scale of the picture on the ground at a height in it. */
export interface LearnedScale {
  readonly pxPerMetre: number;
  /** Standard error as a share. */
  readonly errorShare: number;
}

/** So many road users are needed before anything is told. */
const MIN_ROAD_USERS = 8;
/** The usual sizes are this well known on the average, as a share: what averaging cannot take away. */
const USUAL_SIZE_ERROR = 0.025;
/** A single road user whose scale differs by more than this share is no usual one (a child, a load, a wrong class). */
const MAX_DEVIATION = 0.35;
/** One person's size differs from the usual at least this much, as a share: a lucky sample is not believed to be sharper. */
const MIN_SPREAD = 0.05;
/** Nothing is told that is less sure than a single box would tell. */
const MAX_ERROR = 0.06;

/**
 * Learns how many pixels a metre has at each height of the picture from the road users that pass: each one's box with the
 * usual sizes of its class gives a scale with the error of one body; over many bodies the line `s = a + b·y` (exact for a flat
 * road without roll of the camera) has a fraction of it. Pure: what it says depends on the samples alone.
 */
export class PictureScaleLearner {
  #roadUsers = 0;
  #n = 0;
  #sumY = 0;
  #sumS = 0;
  #sumYY = 0;
  #sumYS = 0;
  #sumSS = 0;

  /** One sample: height in the picture of the ground contact, px; scale by the body alone, px/m. @param first of this road user */
  add(y: number, pxPerMetre: number, first: boolean): void {
    const line = this.#fit();
    if (line !== undefined && this.#roadUsers >= MIN_ROAD_USERS) {
      const expected = line.a + line.b * y;
      if (Math.abs(pxPerMetre / expected - 1) > MAX_DEVIATION) return;
    }
    if (first) this.#roadUsers += 1;
    this.#n += 1;
    this.#sumY += y;
    this.#sumS += pxPerMetre;
    this.#sumYY += y * y;
    this.#sumYS += y * pxPerMetre;
    this.#sumSS += pxPerMetre * pxPerMetre;
  }

  /** The scale at a height of the picture; undefined while too little was seen there. */
  at(y: number): LearnedScale | undefined {
    const line = this.#fit();
    if (line === undefined || this.#roadUsers < MIN_ROAD_USERS) return undefined;
    const pxPerMetre = line.a + line.b * y;
    if (pxPerMetre <= 0) return undefined;
    const spread = Math.max(MIN_SPREAD, line.residual / pxPerMetre);
    // samples of one road user share its size: only road users count as independent
    const share = 1 / this.#roadUsers + (y - line.meanY) ** 2 / line.varianceY / this.#roadUsers;
    const errorShare = Math.hypot(USUAL_SIZE_ERROR, spread * Math.sqrt(share));
    return errorShare > MAX_ERROR ? undefined : { pxPerMetre, errorShare };
  }

  #fit(): { a: number; b: number; meanY: number; varianceY: number; residual: number } | undefined {
    if (this.#n < 2) return undefined;
    const meanY = this.#sumY / this.#n;
    const meanS = this.#sumS / this.#n;
    const varianceY = Math.max(1, this.#sumYY / this.#n - meanY * meanY);
    const b = (this.#sumYS / this.#n - meanY * meanS) / varianceY;
    const rest = this.#sumSS / this.#n - meanS * meanS - b * b * varianceY;
    return { a: meanS - b * meanY, b, meanY, varianceY, residual: Math.sqrt(Math.max(0, rest)) };
  }
}
