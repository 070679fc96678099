import type { SeriesHistory } from './series-history.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** Periods of a day and of a week that the features follow: a day has two rush hours, a week its end. */
const DAY_HARMONICS = 4;
const WEEK_HARMONICS = 2;
/** Means of this many readings before tell the level. */
const RECENT_COUNTS = [1, 3, 12] as const;
const RECENT_FEATURES = RECENT_COUNTS.length + 2;
/** The level is foretold from what was known so many readings before. */
export const LAG_COUNT = 12;

/** What a forecast knows: the hour alone, or also the readings up to the one before, or up to `LAG_COUNT` before. */
export type Knowledge = 'hour' | 'recent' | 'lagged';
/** A value counts as this many spreads away at most: one wild reading must not blind the forecast of the next. */
const RECENT_LIMIT = 4;
/** After a silence of so many usual intervals the readings before it say nothing of the next one. */
const GAP_INTERVALS = 4;

/** Numbers in the description of one instant. */
export const CONTEXT_SIZE = 2 * (DAY_HARMONICS + WEEK_HARMONICS) + RECENT_FEATURES;

/** Middle and spread with which values become numbers about 0 of size about 1. */
export interface Scale {
  readonly middle: number;
  readonly spread: number;
}

/**
 * Writes what is known of an instant before its reading is seen into `target` from `offset`: time of day and week as sines and cosines,
 * and the level of the readings before as means in units of the spread, with a flag that says whether these are known.
 * With `isRecentKnown` false the recent part is zeros: the same network then tells what is usual at that hour.
 */
export function writeContext(
  target: Float32Array,
  offset: number,
  instant: { atMs: number; history: SeriesHistory; index: number; scale: Scale; knowledge: Knowledge },
): void {
  let place = writePhases(target, offset, instant.atMs, { periodMs: DAY_MS, harmonics: DAY_HARMONICS });
  place = writePhases(target, place, instant.atMs, { periodMs: WEEK_MS, harmonics: WEEK_HARMONICS });
  const { history, index, scale } = instant;
  target.fill(0, place, place + RECENT_FEATURES);
  const newest = instant.knowledge === 'lagged' ? index - LAG_COUNT : index - 1;
  if (instant.knowledge === 'hour' || newest < 0 || isAfterGap(instant)) return;
  target[place++] = instant.knowledge === 'recent' ? 1 : 0;
  target[place++] = instant.knowledge === 'lagged' ? 1 : 0;
  for (const count of RECENT_COUNTS) {
    let sum = 0;
    let taken = 0;
    for (let place = newest; place > newest - count && place >= 0; place--) {
      const scaled = (history.valueAt(place) - scale.middle) / scale.spread;
      sum += Math.min(RECENT_LIMIT, Math.max(-RECENT_LIMIT, scaled));
      taken++;
    }
    target[place++] = taken === 0 ? 0 : sum / taken;
  }
}

function writePhases(
  target: Float32Array,
  offset: number,
  atMs: number,
  cycle: { periodMs: number; harmonics: number },
): number {
  const turn = (2 * Math.PI * (atMs % cycle.periodMs)) / cycle.periodMs;
  let place = offset;
  for (let harmonic = 1; harmonic <= cycle.harmonics; harmonic++) {
    target[place++] = Math.sin(harmonic * turn);
    target[place++] = Math.cos(harmonic * turn);
  }
  return place;
}

function isAfterGap({
  atMs,
  history,
  index,
}: {
  atMs: number;
  history: SeriesHistory;
  index: number;
}): boolean {
  if (index === 0) return true;
  return atMs - history.atMsAt(index - 1) > GAP_INTERVALS * history.usualIntervalMs;
}
