import type { GateMemory } from './gate-memory.ts';
import { computeMean, computeMedian, computeRobustSpread } from './order-statistics.ts';
import { DEFAULT_SITE_OFFSET, SiteOffset, type SiteOffsetOptions, type SiteState } from './site-offset.ts';

/** The regions of a face that a passage is judged by. */
export const FACE_REGIONS = ['innerCanthi', 'faceMaximum'] as const;
export type FaceRegion = (typeof FACE_REGIONS)[number];

/** A temperature of the skin with the standard uncertainty (k = 1) of its value, °C. */
export interface SkinReading {
  readonly celsius: number;
  readonly standardC: number;
}

/** What was read of one person, by region; a region that could not be read is absent. */
export type PassageReading = Readonly<Partial<Record<FaceRegion, SkinReading>>>;

/**
 * How skin becomes an estimate of what an oral thermometer would read: `healthyC + slope · (skin − middle of the site)`,
 * where the site's middle is learned without truth.
 */
export interface FeverModel {
  /** What the thermometer reads of a healthy person in the middle, °C. */
  readonly healthyC: number;
  readonly slope: number;
  /** Standard deviation of thermometer minus estimate between persons, °C. */
  readonly personC: number;
  /** A passage whose estimate, plus one standard uncertainty of its own readings, reaches this is to be measured, °C. */
  readonly thresholdC: number;
}

/**
 * For a site that no thermometer reading has calibrated. Healthy middle: 36.8 °C oral (Mackowiak and others, JAMA 268, 1992; S).
 * Slope 1: a constant offset per site found fevers better than regressions (Wang and others, Sensors 22, 215, 2022; S).
 * Between persons 0.3 °C, and the threshold below the 37.5 °C at which fever is spoken of, by about the uncertainty (U).
 */
export const DEFAULT_FEVER_MODEL: FeverModel = {
  healthyC: 36.8,
  slope: 1,
  personC: 0.3,
  thresholdC: 37.3,
};

export interface FeverEstimate {
  /** What an oral thermometer would read, °C. */
  readonly celsius: number;
  /** Standard uncertainty (k = 1) of the readings alone: decides whether to measure, °C. */
  readonly readingC: number;
  /** Standard uncertainty (k = 1) with what differs between persons, °C. */
  readonly standardC: number;
  /** Estimate plus `readingC`: the decision's number, °C. */
  readonly decisiveC: number;
  readonly outcome: 'pass' | 'measure';
}

/** Standard uncertainty of a learned middle of `readings` values, °C. */
const MIDDLE_FACTOR = 1.2533;

/**
 * Decides passage by passage. Each region has a middle of its own; where several were read, the estimate is their mean: the errors
 * of a small hot spot and of the face's maximum differ.
 */
export class FeverDecision {
  readonly #model: FeverModel;
  readonly #sites: Readonly<Record<FaceRegion, SiteOffset>>;

  constructor(
    model: FeverModel = DEFAULT_FEVER_MODEL,
    site: SiteOffsetOptions = DEFAULT_SITE_OFFSET,
    memory?: GateMemory['sites'],
  ) {
    this.#model = model;
    this.#sites = {
      innerCanthi: new SiteOffset(site, memory?.innerCanthi),
      faceMaximum: new SiteOffset(site, memory?.faceMaximum),
    };
  }

  /** All that was learned, for the disk. */
  get memory(): GateMemory['sites'] {
    return { innerCanthi: this.#sites.innerCanthi.memory, faceMaximum: this.#sites.faceMaximum.memory };
  }

  siteOf(region: FaceRegion): SiteState {
    return this.#sites[region].state;
  }

  /** Learns from a passage, whoever it was. Call it once a passage, after `decide`. */
  learn(reading: PassageReading): void {
    for (const region of FACE_REGIONS) {
      const value = reading[region];
      if (value !== undefined) this.#sites[region].observe(value.celsius);
    }
  }

  /** Staff have checked with thermometers that a raised share of high readings is no illness. */
  acceptSite(): void {
    for (const region of FACE_REGIONS) this.#sites[region].accept();
  }

  /** The estimate of a passage; undefined while no region that was read has a learned middle. */
  decide(reading: PassageReading): FeverEstimate | undefined {
    const deviations: SkinReading[] = [];
    for (const region of FACE_REGIONS) {
      const value = reading[region];
      const site = this.#sites[region].state;
      if (value === undefined || site.phase === 'learning' || site.medianC === undefined) continue;
      const middle = (MIDDLE_FACTOR * (site.spreadC ?? 0)) / Math.sqrt(site.readings);
      deviations.push({
        celsius: value.celsius - site.medianC,
        standardC: Math.hypot(value.standardC, middle),
      });
    }
    const deviation = computeMean(deviations.map(({ celsius }) => celsius));
    const readingC = computeMean(deviations.map(({ standardC }) => standardC));
    if (deviation === undefined || readingC === undefined) return undefined;
    const { healthyC, slope, personC, thresholdC } = this.#model;
    const celsius = healthyC + slope * deviation;
    const decisiveC = celsius + slope * readingC;
    return {
      celsius,
      readingC: slope * readingC,
      standardC: Math.hypot(slope * readingC, personC),
      decisiveC,
      outcome: decisiveC >= thresholdC ? 'measure' : 'pass',
    };
  }
}

export interface CombinedFrames extends SkinReading {
  /** Frames that went into the value. */
  readonly kept: number;
  /** Frames that lay apart from the others. */
  readonly rejected: number;
}

/** A frame this many spreads from the middle is no sample of the same temperature. */
const OUTLIER_SPREADS = 3;

/**
 * One value of the frames of a passage: their mean without those that lie apart from the middle by more than three
 * spreads and more than `toleranceC`. `standardC` is the standard error of the mean. Undefined for no frames.
 */
export function combineFrames(celsius: readonly number[], toleranceC: number): CombinedFrames | undefined {
  const readable = celsius.filter((value) => Number.isFinite(value));
  const middle = computeMedian(readable);
  const spread = computeRobustSpread(readable);
  if (middle === undefined || spread === undefined) return undefined;
  const limit = Math.max(toleranceC, OUTLIER_SPREADS * spread);
  const kept = readable.filter((value) => Math.abs(value - middle) <= limit);
  const mean = computeMean(kept) ?? middle;
  const variance =
    kept.length < 2
      ? toleranceC ** 2
      : kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1);
  return {
    celsius: mean,
    standardC: Math.sqrt(variance / Math.max(1, kept.length)),
    kept: kept.length,
    rejected: readable.length - kept.length,
  };
}
