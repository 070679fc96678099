import type { SiteMemory } from './gate-memory.ts';
import { SortedWindow } from './sorted-window.ts';

export interface SiteOffsetOptions {
  /** The middle is taken over this many healthy readings. */
  readonly windowReadings: number;
  /** Before this many readings the site is not known. */
  readonly minReadings: number;
}

export const DEFAULT_SITE_OFFSET: SiteOffsetOptions = { windowReadings: 400, minReadings: 50 };

/**
 * What the site is thought to be. `learning`: too few readings. `following`: the middle follows the readings. `held`: more
 * people than usual read high, and the middle waits, so that an epidemic is not learned away.
 */
export interface SiteState {
  readonly phase: 'learning' | 'following' | 'held';
  /** Middle of the healthy readings, °C; absent before the first. */
  readonly medianC?: number;
  /** Standard deviation of the healthy readings, from their lower half, °C. */
  readonly spreadC?: number;
  readonly readings: number;
  /** Share of high readings among the last `RECENT`, 0–1. */
  readonly highShare: number;
}

/** A reading this many spreads above the middle counts as high, and is not learned from. */
const HIGH_SPREADS = 2;
/** Readings further than this below the middle are not learned from either, so that the cut is even. */
const LOW_SPREADS = 2;
/** The 16th percentile of a Gaussian lies one standard deviation below its middle; fevers lie above and do not move it. */
const ONE_SIGMA_BELOW = 0.1587;
const MIN_SPREAD_C = 0.15;
/**
 * Page's CUSUM (Biometrika 41, 1954) on the share of high readings. In health 2.3 % of a Gaussian lie above 2 spreads and a few
 * per cent are feverish; the test is for a share three times as large. `LIMIT` holds false alarms below one in some thousand
 * readings (checked by simulation in the test).
 */
const USUAL_SHARE = 0.08;
const RAISED_SHARE = 0.24;
const LIMIT = 4.5;
const RECENT = 100;
/**
 * A whole population that moved by no more than this, lower quartile with middle, is the room or the camera, and is
 * followed; a larger move waits for thermometer readings, °C.
 */
const MAX_COMMON_MOVE_C = 0.5;
/** The tail of the recent readings, seen from their own middle, may be this large in a population that merely moved. */
const MOVED_TAIL_SHARE = 0.1;
/** A Gaussian's lower quartile lies this many standard deviations below its middle. */
const QUARTILE_SPREADS = 0.6745;
/** In spreads: how far middle and lower quartile may part in a common move, and what is a move at all. */
const MAX_PARTING = 0.35;
const MIN_MOVE = 0.4;

/**
 * Learns, without knowing who is ill, what a healthy person reads at this site: air, distance and camera move every reading
 * together. Pure: readings come in the order of the passages.
 */
export class SiteOffset {
  readonly #options: SiteOffsetOptions;
  readonly #window: SortedWindow;
  readonly #recent = new SortedWindow(RECENT);
  #readings = 0;
  #cusum = 0;
  #held = false;
  #middle: number | undefined;
  #spread: number | undefined;

  /** @param memory what was learned before a restart */
  constructor(options: SiteOffsetOptions = DEFAULT_SITE_OFFSET, memory?: SiteMemory) {
    this.#options = options;
    this.#window = new SortedWindow(options.windowReadings);
    if (memory === undefined) return;
    for (const celsius of memory.healthy) this.#window.push(celsius);
    for (const celsius of memory.recent) this.#recent.push(celsius);
    this.#readings = memory.readings;
    this.#cusum = memory.cusum;
    this.#held = memory.held;
    this.#middle = memory.middleC;
    this.#spread = memory.spreadC;
  }

  /** All that was learned, for the disk. */
  get memory(): SiteMemory {
    return {
      healthy: [...this.#window.values],
      recent: [...this.#recent.values],
      readings: this.#readings,
      cusum: this.#cusum,
      held: this.#held,
      ...(this.#middle === undefined ? {} : { middleC: this.#middle }),
      ...(this.#spread === undefined ? {} : { spreadC: this.#spread }),
    };
  }

  get state(): SiteState {
    const known = this.#middle !== undefined && this.#readings >= this.#options.minReadings;
    const high = this.#recent.countAbove(this.#highFrom());
    return {
      phase: this.#held ? 'held' : known ? 'following' : 'learning',
      ...(this.#middle === undefined ? {} : { medianC: this.#middle }),
      ...(this.#spread === undefined ? {} : { spreadC: this.#spread }),
      readings: this.#readings,
      highShare: this.#recent.size === 0 ? 0 : high / this.#recent.size,
    };
  }

  /** Takes the reading of one passage, °C. */
  observe(celsius: number): void {
    if (!Number.isFinite(celsius)) return;
    this.#readings++;
    this.#recent.push(celsius);
    if (this.#readings > this.#options.minReadings) this.#watch(celsius);
    if (this.#held) {
      this.#releaseWhereAllMoved();
      return;
    }
    if (this.#readings <= this.#options.minReadings || this.#isHealthy(celsius)) this.#learn(celsius);
  }

  /** Staff have checked with thermometers that people are healthy: the recent readings are the site from now on. */
  accept(): void {
    this.#relearn();
  }

  #watch(celsius: number): void {
    const gain = this.#isHigh(celsius)
      ? Math.log(RAISED_SHARE / USUAL_SHARE)
      : Math.log((1 - RAISED_SHARE) / (1 - USUAL_SHARE));
    this.#cusum = Math.min(2 * LIMIT, Math.max(0, this.#cusum + gain));
    if (this.#cusum >= LIMIT) this.#held = true;
    else if (this.#cusum === 0) this.#held = false;
  }

  #releaseWhereAllMoved(): void {
    const middle = this.#recent.quantile(0.5);
    const quartile = this.#recent.quantile(0.25);
    if (this.#recent.size < RECENT || middle === undefined || quartile === undefined) return;
    if (this.#middle === undefined || this.#spread === undefined) return;
    const spread = this.#spread;
    const lowerMove = quartile - (this.#middle - QUARTILE_SPREADS * spread);
    const tail = this.#recent.countAbove(middle + HIGH_SPREADS * spread) / RECENT;
    const together = Math.abs(middle - this.#middle - lowerMove) < MAX_PARTING * spread;
    const moved = Math.abs(lowerMove) >= MIN_MOVE * spread && Math.abs(lowerMove) <= MAX_COMMON_MOVE_C;
    if (together && moved && tail <= MOVED_TAIL_SHARE) this.#relearn();
  }

  #relearn(): void {
    const recent = [...this.#recent.values];
    this.#cusum = 0;
    this.#held = false;
    this.#estimate(this.#recent);
    this.#window.clear();
    for (const celsius of recent) if (this.#isHealthy(celsius)) this.#window.push(celsius);
    this.#estimate(this.#window);
  }

  #learn(celsius: number): void {
    this.#window.push(celsius);
    this.#estimate(this.#window);
  }

  #estimate(values: SortedWindow): void {
    const middle = values.quantile(0.5);
    const below = values.quantile(ONE_SIGMA_BELOW);
    if (middle === undefined || below === undefined) return;
    this.#middle = middle;
    // the window was cut at two spreads on both sides, which takes 12 % off what is left
    this.#spread = Math.max(MIN_SPREAD_C, (middle - below) * 1.12);
  }

  #highFrom(): number {
    return (this.#middle ?? Number.POSITIVE_INFINITY) + HIGH_SPREADS * (this.#spread ?? MIN_SPREAD_C);
  }

  #isHigh(celsius: number): boolean {
    return celsius > this.#highFrom();
  }

  #isHealthy(celsius: number): boolean {
    if (this.#middle === undefined) return true;
    return !this.#isHigh(celsius) && celsius > this.#middle - LOW_SPREADS * (this.#spread ?? MIN_SPREAD_C);
  }
}
