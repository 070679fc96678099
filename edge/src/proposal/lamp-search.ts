import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';

type Colour = 'red' | 'amber' | 'green';
const COLOURS: readonly Colour[] = ['red', 'amber', 'green'];

/** Something that shines like a signal head. Box in source pixels, just around the lenses. */
export interface LampCandidate {
  readonly box: Box;
  readonly lenses: readonly Colour[];
  /** Colours that were seen lit, with the share of pictures in which they were. */
  readonly seen: Readonly<Partial<Record<Colour, number>>>;
  /** How often it changed from one colour to another. */
  readonly changes: number;
  /** 0–1: how much it behaves like a signal. */
  readonly score: number;
}

/** A lens is lit in at least this share of the pictures … */
const MIN_LIT_SHARE = 0.01;
/** … and looks like a spot of this size, px of the analysed picture. */
const MIN_SPOT_PX = 2;
const MAX_SPOT_SHARE = 0.06;
/** Of its box a round spot fills 0.78; visors and glare take from it and add to it. */
const MIN_FILL = 0.45;
const MAX_ASPECT = 1.9;
/** Lenses of a head stand over one another at this many diameters. */
const MIN_PITCH = 0.8;
const MAX_PITCH = 1.9;
/** Heads hang above the road: the lowest part of the picture is not searched. */
const SEARCHED_SHARE = 0.75;
/** A head changes a few times a cycle; what changes more often flickers. */
const MAX_CHANGES_PER_MINUTE = 9;
/** The strongly coloured spot is a little smaller than the lens. */
const MARGIN = 0.25;
const ALWAYS_LIT = 0.97;
/** Between the pictures that are looked at, ms. */
const INTERVAL_MS = 250;
const MAX_CANDIDATES = 6;
const LIT_SHARE_OF_SPOT = 0.35;

interface Spot {
  readonly colour: Colour;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly pixels: readonly number[];
  readonly share: number;
  /** For each picture, whether the spot was lit. */
  lit: Uint8Array;
}

/**
 * Finds signal heads by their behaviour: spots of lamp colour that stay in their place, go on and off, and have a partner
 * of another colour above or below that is lit when they are not. Signs, banners and brake lights fail one of these.
 */
export class LampSearch {
  #width = 0;
  #rows = 0;
  #scale = 1;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;
  #counts: Record<Colour, Uint16Array> | undefined;
  /** Two bits a pixel and picture: 1 red, 2 amber, 3 green. */
  readonly #masks: Uint8Array[] = [];

  /** Takes the next picture; more than a few a second are left out. */
  add(frame: Frame): void {
    if (this.#counts === undefined) {
      this.#width = frame.width;
      this.#rows = Math.floor(frame.height * SEARCHED_SHARE);
      this.#scale = frame.sourceWidth / frame.width;
      const size = this.#width * this.#rows;
      this.#counts = {
        red: new Uint16Array(size),
        amber: new Uint16Array(size),
        green: new Uint16Array(size),
      };
    }
    if (frame.mediaTimeMs - this.#lastMs < INTERVAL_MS && this.#masks.length > 0) return;
    this.#firstMs = Math.min(this.#firstMs, frame.mediaTimeMs);
    this.#lastMs = frame.mediaTimeMs;
    const size = this.#width * this.#rows;
    const mask = new Uint8Array(Math.ceil(size / 4));
    for (let i = 0, at = 0; i < size; i++, at += 3) {
      const code = classifyPixel(frame.pixels[at + 2] ?? 0, frame.pixels[at + 1] ?? 0, frame.pixels[at] ?? 0);
      if (code === 0) continue;
      mask[i >> 2] = (mask[i >> 2] ?? 0) | (code << (2 * (i & 3)));
      const counts = this.#counts[COLOURS[code - 1] ?? 'red'];
      counts[i] = (counts[i] ?? 0) + 1;
    }
    this.#masks.push(mask);
  }

  /** The best candidates, best first. */
  find(): LampCandidate[] {
    const counts = this.#counts;
    if (counts === undefined) return [];
    const found = COLOURS.flatMap((colour) => this.#findSpots(colour, counts[colour]));
    const spots = found.filter((spot) => !isTwoColoured(spot, found));
    const candidates: LampCandidate[] = [];
    const taken = new Set<Spot>();
    for (const spot of spots.sort((a, b) => b.share - a.share)) {
      if (taken.has(spot)) continue;
      const partners = spots.filter((other) => other !== spot && !taken.has(other) && isPartner(spot, other));
      const members = [spot, ...COLOURS.flatMap((colour) => pickPartner(spot, colour, partners))];
      for (const member of members) taken.add(member);
      candidates.push(this.#toCandidate(members));
    }
    return candidates.sort((a, b) => b.score - a.score).slice(0, MAX_CANDIDATES);
  }

  #findSpots(colour: Colour, counts: Uint16Array): Spot[] {
    const pictures = this.#masks.length;
    const least = Math.max(2, MIN_LIT_SHARE * pictures);
    const visited = new Uint8Array(counts.length);
    const spots: Spot[] = [];
    for (let start = 0; start < counts.length; start++) {
      if ((visited[start] ?? 0) === 1 || (counts[start] ?? 0) < least) continue;
      const spot = this.#growSpot(colour, start, counts, least, visited);
      if (spot !== undefined) spots.push(spot);
    }
    return spots;
  }

  /** The pixels around `start` that are lit about as often; undefined where they do not look like a lens. */
  #growSpot(
    colour: Colour,
    start: number,
    counts: Uint16Array,
    least: number,
    visited: Uint8Array,
  ): Spot | undefined {
    const width = this.#width;
    const pixels: number[] = [];
    const stack = [start];
    visited[start] = 1;
    let [x1, y1, x2, y2] = [width, this.#rows, -1, -1];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      pixels.push(at);
      const [x, y] = [at % width, Math.floor(at / width)];
      [x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x), Math.max(y2, y)];
      for (const [next, inside] of [
        [at - 1, x > 0],
        [at + 1, x < width - 1],
        [at - width, y > 0],
        [at + width, y < this.#rows - 1],
      ] as const) {
        if (!inside || (visited[next] ?? 1) === 1 || (counts[next] ?? 0) < least) continue;
        visited[next] = 1;
        stack.push(next);
      }
    }
    const [w, h] = [x2 - x1 + 1, y2 - y1 + 1];
    if (w < MIN_SPOT_PX || h < MIN_SPOT_PX || Math.max(w, h) > MAX_SPOT_SHARE * width) return undefined;
    if (pixels.length < MIN_FILL * w * h || Math.max(w, h) > MAX_ASPECT * Math.min(w, h)) return undefined;
    const code = COLOURS.indexOf(colour) + 1;
    const lit = Uint8Array.from(this.#masks, (mask) => {
      let on = 0;
      for (const at of pixels) if ((((mask[at >> 2] ?? 0) >> (2 * (at & 3))) & 3) === code) on += 1;
      return on >= LIT_SHARE_OF_SPOT * pixels.length ? 1 : 0;
    });
    const share = lit.reduce((sum, on) => sum + on, 0) / Math.max(1, lit.length);
    return share < MIN_LIT_SHARE ? undefined : { colour, x1, y1, x2: x2 + 1, y2: y2 + 1, pixels, share, lit };
  }

  #toCandidate(members: readonly Spot[]): LampCandidate {
    const order = [...members].sort((a, b) => a.y1 - b.y1 || a.x1 - b.x1);
    const pictures = Math.max(1, this.#masks.length);
    let [both, any, changes] = [0, 0, 0];
    let last = -1;
    for (let k = 0; k < this.#masks.length; k++) {
      const on = members.flatMap((spot, index) => (spot.lit[k] === 1 ? [index] : []));
      if (on.length > 0) any += 1;
      if (on.length > 1) both += 1;
      if (on.length !== 1 || on[0] === undefined) continue;
      if (last >= 0 && last !== on[0]) changes += 1;
      last = on[0];
    }
    const alone = any === 0 ? 0 : (any - both) / pictures;
    const isHead = members.length > 1;
    const minutes = Math.max(this.#lastMs - this.#firstMs, 1_000) / 60_000;
    const calm =
      changes === 0 ? 0.4 : Math.min(1, (MAX_CHANGES_PER_MINUTE * Math.max(0.5, minutes)) / changes) ** 2;
    const score = (isHead ? 0.5 + 0.5 * calm : 0.35 * judgeLonely(members[0], minutes)) * alone;
    const seen = Object.fromEntries(members.map(({ colour, share }) => [colour, share]));
    return { box: this.#boxOf(order), lenses: ['red', 'amber', 'green'], seen, changes, score };
  }

  /** Around the lenses: those that were never lit are put where the others leave their place. */
  #boxOf(order: readonly Spot[]): Box {
    const size = Math.max(...order.map(({ x1, y1, x2, y2 }) => Math.max(x2 - x1, y2 - y1)));
    const red = order.find(({ colour }) => colour === 'red');
    const green = order.find(({ colour }) => colour === 'green');
    const amber = order.find(({ colour }) => colour === 'amber');
    const centre = ({ x1, y1, x2, y2 }: Spot): [number, number] => [(x1 + x2) / 2, (y1 + y2) / 2];
    const anchor = centre(order[0] as Spot);
    let [top, bottom] = [anchor, anchor];
    if (red !== undefined && green !== undefined) [top, bottom] = [centre(red), centre(green)];
    else if (red !== undefined) {
      const pitch = amber === undefined ? size * 1.1 : centre(amber)[1] - centre(red)[1];
      [top, bottom] = [centre(red), [centre(red)[0], centre(red)[1] + 2 * pitch]];
    } else if (green !== undefined) {
      const pitch = amber === undefined ? size * 1.1 : centre(green)[1] - centre(amber)[1];
      [top, bottom] = [[centre(green)[0], centre(green)[1] - 2 * pitch], centre(green)];
    }
    const half = (1 + MARGIN) * (size / 2);
    return [
      (Math.min(top[0], bottom[0]) - half) * this.#scale,
      (Math.min(top[1], bottom[1]) - half) * this.#scale,
      (Math.max(top[0], bottom[0]) + half) * this.#scale,
      (Math.max(top[1], bottom[1]) + half) * this.#scale,
    ];
  }
}

/** 1 red, 2 amber, 3 green, 0 none: colours that are strong beside the other channels, also where the picture is dim. */
function classifyPixel(r: number, g: number, b: number): number {
  if (r >= 90 && r - Math.max(g, 0.8 * b) >= 55) return 1;
  if (r >= 110 && g >= 70 && Math.min(r, g) - b >= 45) return 2;
  if (g >= 70 && Math.max(g, (g + b) / 2) - r >= 55 && b - g <= 40) return 3;
  return 0;
}

/** Stands where a head of three lenses has the other one, is of like size, and is hardly ever lit together with it. */
function isPartner(a: Spot, b: Spot): boolean {
  if (a.colour === b.colour) return false;
  const [first, second] = COLOURS.indexOf(a.colour) < COLOURS.indexOf(b.colour) ? [a, b] : [b, a];
  const [sizeA, sizeB] = [first, second].map(({ x1, y1, x2, y2 }) => Math.max(x2 - x1, y2 - y1)) as [
    number,
    number,
  ];
  if (Math.max(sizeA, sizeB) > 2 * Math.min(sizeA, sizeB)) return false;
  const size = Math.max(sizeA, sizeB);
  const dx = (second.x1 + second.x2 - first.x1 - first.x2) / 2;
  const dy = (second.y1 + second.y2 - first.y1 - first.y2) / 2;
  const places = COLOURS.indexOf(second.colour) - COLOURS.indexOf(first.colour);
  // red stands above green, or left of it
  const near = (along: number, across: number): boolean =>
    Math.abs(across) <= 0.6 * size &&
    along >= places * MIN_PITCH * size &&
    along <= places * MAX_PITCH * size;
  if (!near(dy, dx) && !near(dx, dy)) return false;
  return countTogether(a, b) <= 0.1;
}

/** A spot of one colour: what always shines is a sign, what goes on and off all the time a brake light or a screen. */
function judgeLonely(spot: Spot | undefined, minutes: number): number {
  if (spot === undefined || spot.share > ALWAYS_LIT) return 0.2;
  let turns = 0;
  for (let k = 1; k < spot.lit.length; k++) if (spot.lit[k] !== spot.lit[k - 1]) turns += 1;
  return turns <= MAX_CHANGES_PER_MINUTE * Math.max(0.5, minutes) ? 1 : 0.2;
}

/** Share of the pictures with one of the spots lit in which both are. */
function countTogether(a: Spot, b: Spot): number {
  let [both, either] = [0, 0];
  for (let k = 0; k < a.lit.length; k++) {
    if (a.lit[k] === 1 && b.lit[k] === 1) both += 1;
    if (a.lit[k] === 1 || b.lit[k] === 1) either += 1;
  }
  return either === 0 ? 0 : both / either;
}

/** Shines in two colours at one place: a countdown or a screen, no lens. */
function isTwoColoured(spot: Spot, spots: readonly Spot[]): boolean {
  return spots.some(
    (other) =>
      other.colour !== spot.colour &&
      Math.min(spot.x2, other.x2) - Math.max(spot.x1, other.x1) > 0.3 * (spot.x2 - spot.x1) &&
      Math.min(spot.y2, other.y2) - Math.max(spot.y1, other.y1) > 0.3 * (spot.y2 - spot.y1),
  );
}

function pickPartner(spot: Spot, colour: Colour, partners: readonly Spot[]): Spot[] {
  if (colour === spot.colour) return [];
  const best = partners.filter((other) => other.colour === colour).sort((a, b) => b.share - a.share)[0];
  return best === undefined ? [] : [best];
}
