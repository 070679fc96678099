import type { Scene } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import { DirectedLine } from '../geometry/polyline.ts';
import { type GroundBound, type GroundOutline, type GroundPart, measureParts } from './ground-outline.ts';
import { MAX_LONG_GAP_MS } from './ground-path.ts';

/** A passage is decided within this time or never, ms: averaging, the longest pause between sights, and the time it must be sure. */
export const PASSAGE_HORIZON_MS = 2000;

/** It must be surely on a side this long, and seen so at least twice, before that is believed, ms. */
export const SURE_MS = 160;
const MIN_SIGHTS = 2;
/** Places between the two sides that are kept; of more every second is dropped. */
const MAX_TRAIL = 256;

/** Where a road user stands relative to a directed line at a moment; px, positive on the forward side. */
export interface LineSight {
  readonly atMs: number;
  /** Distances of the parts that are furthest back and furthest forward; the same for a single point. */
  readonly low: number;
  readonly high: number;
  /** The same with their errors taken against it: beyond for sure where `lowSure` > 0, before for sure where `highSure` < 0. */
  readonly lowSure: number;
  readonly highSure: number;
  readonly parts: readonly PartSight[];
}

/** One part of a road user beside a line; px. */
interface PartSight {
  /** Positive on the forward side. */
  readonly distance: number;
  /** How far it lies beyond the ends of the line; 0 between them. Exact where it is on the line: elsewhere perspective bends it. */
  readonly overrun: number;
}

/** A road user has passed a line, from its middle before it to all of it surely beyond it (or back). */
export interface Passage {
  readonly direction: 'forward' | 'backward';
  /** The last part was on the line, between two sights, ms. */
  readonly crossedAtMs: number;
  /** From then on all of it was beyond by more than its error: the decisive moment, ms. */
  readonly sureAtMs: number;
  /** How far the last part was beyond when that was believed, and the error of that, px. */
  readonly marginPx: number;
  readonly errorPx: number;
  /** How far beyond the ends of the line a part was when that part passed it, px; 0 where all passed between them. */
  readonly overrunPx: number;
  /** It was seen with parts on both sides. */
  readonly seenAstride: boolean;
}

/** @throws RangeError where the scene has no such tripwire; a loaded scene was checked for that */
export function findTripwire(scene: Scene, name: string): DirectedLine {
  const tripwire = scene.tripwires.find((candidate) => candidate.name === name);
  if (tripwire === undefined) throw new RangeError(`Scene "${scene.name}" has no tripwire "${name}"`);
  return new DirectedLine(tripwire.points, tripwire.forwardTowards);
}

/**
 * Places parts of a road user relative to a line: `CENTRE` for a turn, `listWheels` for a crossing.
 */
export function computeLineSight(
  line: DirectedLine,
  outline: GroundOutline,
  { parts, atMs, ...bound }: { parts: readonly GroundPart[]; atMs: number } & GroundBound,
): LineSight {
  const distanceOf = (point: Point): number => line.locate(point).distance;
  const places = measureParts(outline, parts, { distanceOf, ...bound });
  return {
    atMs,
    low: Math.min(...places.map(({ distance }) => distance)),
    high: Math.max(...places.map(({ distance }) => distance)),
    lowSure: Math.min(...places.map(({ distance, error }) => distance - error)),
    highSure: Math.max(...places.map(({ distance, error }) => distance + error)),
    parts: places.map(({ at, distance }) => ({ distance, overrun: line.locate(at).overrun })),
  };
}

/**
 * Watches one road user pass one line. States: unknown → middle before → surely beyond ⇄ surely before; between them it is on the line, and
 * who turns back there has passed nothing.
 *
 * ```
 *   forward ▲     ● surely beyond (SURE_MS, twice) → a passage; its decisive moment is where the lower bound left the line
 *           │   ┄┄│┄┄┄┄┄┄┄ line + error
 *   ────────┼─────│─────── line: crossedAtMs is where the last part left it, interpolated
 *           │   ┄┄│┄┄┄┄┄┄┄ line − error
 *           │     ● its middle before (SURE_MS, twice): who was never seen here passes nothing
 * ```
 */
export class PassageWatch {
  #side: 1 | -1 | undefined;
  #run: { side: 1 | -1; first: LineSight; sights: number } | undefined;
  #first: { side: 1 | -1; sinceMs: number; sights: number } | undefined;
  #trail: LineSight[] = [];

  /** Forgets the sides: what follows may be another road user, or came by where nobody looked. */
  forget(): void {
    this.#side = undefined;
    this.#run = undefined;
    this.#first = undefined;
    this.#trail = [];
  }

  /** Where it comes from is where its middle is: who drives along the line with two wheels on it comes from somewhere, too. */
  #begin(sight: LineSight): 1 | -1 | undefined {
    const { atMs } = sight;
    const side = tellMiddleSide(sight);
    if (side === undefined) this.#first = undefined;
    else if (this.#first?.side === side) this.#first.sights += 1;
    else this.#first = { side, sinceMs: atMs, sights: 1 };
    const isLasting =
      this.#first !== undefined && this.#first.sights >= MIN_SIGHTS && atMs - this.#first.sinceMs >= SURE_MS;
    return isLasting ? side : undefined;
  }

  take(sight: LineSight): Passage | undefined {
    const last = this.#trail.at(-1);
    if (last !== undefined && sight.atMs - last.atMs > MAX_LONG_GAP_MS) this.forget();
    this.#trail.push(sight);
    if (this.#trail.length > MAX_TRAIL)
      this.#trail = this.#trail.filter((one, i) => i % 2 === 0 || one === this.#run?.first || one === sight);
    this.#side ??= this.#begin(sight);
    const side = sight.lowSure > 0 ? 1 : sight.highSure < 0 ? -1 : undefined;
    if (side === undefined) {
      this.#run = undefined;
      return undefined;
    }
    if (this.#run?.side === side) this.#run.sights += 1;
    else this.#run = { side, first: sight, sights: 1 };
    const { first, sights } = this.#run;
    if (sights < MIN_SIGHTS || sight.atMs - first.atMs < SURE_MS) return undefined;
    const passage =
      this.#side === undefined || this.#side === side ? undefined : describe(this.#trail, side, first);
    this.#side = side;
    this.#trail = [sight];
    return passage;
  }
}

/**
 * The side of its middle. Of a single point that need be likely only, half of its error away; of more parts it is half way between those furthest
 * back and furthest forward, and away by all of the larger error.
 */
function tellMiddleSide({ low, high, lowSure, highSure }: LineSight): 1 | -1 | undefined {
  const middle = (low + high) / 2;
  const error = Math.max(low - lowSure, highSure - high) * (low === high ? 0.5 : 1);
  return middle > error ? 1 : middle < -error ? -1 : undefined;
}

function describe(trail: readonly LineSight[], side: 1 | -1, firstSure: LineSight): Passage | undefined {
  const places = side > 0 ? trail : trail.map(mirror);
  const sure = trail.indexOf(firstSure);
  const crossed = places.findLastIndex(({ low }) => low < 0) + 1;
  const touched = places.findIndex(({ high }) => high > 0);
  const [before, beyond] = [places[crossed - 1], places[crossed]];
  const [doubtful, certain, newest] = [places[sure - 1], places[sure], places.at(-1)];
  if (before === undefined || beyond === undefined || doubtful === undefined || certain === undefined)
    return undefined;
  if (newest === undefined) return undefined;
  const passing = places.slice(Math.max(0, touched - 1), crossed + 1);
  return {
    direction: side > 0 ? 'forward' : 'backward',
    crossedAtMs: interpolate(before, beyond, ({ low }) => low),
    sureAtMs: interpolate(doubtful, certain, ({ lowSure }) => lowSure),
    marginPx: newest.low,
    errorPx: newest.low - newest.lowSure,
    overrunPx: computeOverrun(places),
    seenAstride: passing.some(({ low, high }) => low < 0 && high > 0),
  };
}

/** Every part is asked where it passed the line, and as often as it did so. */
function computeOverrun(places: readonly LineSight[]): number {
  let most = 0;
  for (const [i, to] of places.entries()) {
    for (const [part, { distance, overrun }] of to.parts.entries()) {
      const from = places[i - 1]?.parts[part];
      if (from === undefined || from.distance > 0 === distance > 0) continue;
      const share = from.distance / (from.distance - distance);
      most = Math.max(most, from.overrun + share * (overrun - from.overrun));
    }
  }
  return most;
}

function mirror(sight: LineSight): LineSight {
  const { low, high, lowSure, highSure, parts } = sight;
  return {
    ...sight,
    low: -high,
    high: -low,
    lowSure: -highSure,
    highSure: -lowSure,
    parts: parts.map(({ distance, overrun }) => ({ distance: -distance, overrun })),
  };
}

/** The figures of a passage, as they stand in an event. */
export function measurePassage(passage: Passage): {
  crossedAtMediaMs: number;
  surelyAtMediaMs: number;
  marginPx: number;
  errorPx: number;
} {
  return {
    crossedAtMediaMs: Math.round(passage.crossedAtMs),
    surelyAtMediaMs: Math.round(passage.sureAtMs),
    marginPx: Math.round(passage.marginPx * 10) / 10,
    errorPx: Math.round(passage.errorPx * 10) / 10,
  };
}

/** The instant at which a distance was 0 between two sights, ms. */
function interpolate(from: LineSight, to: LineSight, pick: (sight: LineSight) => number): number {
  const span = pick(to) - pick(from);
  const share = span > 0 ? Math.min(1, Math.max(0, -pick(from) / span)) : 1;
  return from.atMs + share * (to.atMs - from.atMs);
}
