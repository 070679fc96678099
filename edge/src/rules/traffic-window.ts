import type { Measurement } from '@ngatu/contract';

/** What the road looked like from one frame to the next. */
export interface TrafficState {
  readonly vehiclesInside: number;
  /** Share of the zone's area that vehicles cover, 0–1. */
  readonly areaShare: number;
  readonly queueVehicles: number;
  /** Absent without calibration. */
  readonly queueM?: number;
}

/** Of less than this share of a window there are counts, but no rates and means: they would be of a few vehicles. */
const MIN_COVERAGE_SHARE = 0.1;

/** Counts by tags: what differs only in the number is one measurement. */
class TagCounts {
  readonly #counts = new Map<string, { tags: Record<string, string>; count: number }>();

  add(tags: Record<string, string>): void {
    const key = JSON.stringify(tags);
    const entry = this.#counts.get(key) ?? { tags, count: 0 };
    entry.count += 1;
    this.#counts.set(key, entry);
  }

  toMeasurements(at: string, metric: string): Measurement[] {
    return [...this.#counts.values()].map(({ tags, count }) => ({ at, metric, value: count, tags }));
  }
}

/**
 * Gathers the figures of one window. Shares and means are over the time that was watched (`addState`), which may be
 * less than the window; how much of it was is a figure of its own.
 */
export class TrafficWindow {
  /** Instants on the node's clock, ms since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  #firstMs: number | undefined;
  #watchedMs = 0;
  #occupiedMs = 0;
  #areaMs = 0;
  #queueMs = 0;
  #queueMaxVehicles = 0;
  #queueMaxM: number | undefined;
  #arrivals = 0;
  #distanceM = 0;
  #travelMs = 0;
  readonly #passings = new TagCounts();
  readonly #turnings = new TagCounts();

  constructor(startMs: number, endMs: number) {
    this.startMs = startMs;
    this.endMs = endMs;
  }

  /** The state that was seen held from `fromMs` to `toMs` (inside the window). */
  addState(state: TrafficState, fromMs: number, toMs: number): void {
    const durationMs = toMs - fromMs;
    if (durationMs <= 0) return;
    this.#firstMs ??= fromMs;
    this.#watchedMs += durationMs;
    if (state.vehiclesInside > 0) this.#occupiedMs += durationMs;
    this.#areaMs += durationMs * state.areaShare;
    this.#queueMs += durationMs * state.queueVehicles;
    this.#queueMaxVehicles = Math.max(this.#queueMaxVehicles, state.queueVehicles);
    if (state.queueM !== undefined) this.#queueMaxM = Math.max(this.#queueMaxM ?? 0, state.queueM);
  }

  addPassing(tags: Record<string, string>): void {
    this.#passings.add(tags);
  }

  addTurning(tags: Record<string, string>): void {
    this.#turnings.add(tags);
  }

  /** One more vehicle for the flow. */
  addArrival(): void {
    this.#arrivals += 1;
  }

  /** A vehicle was inside for `travelMs`, and went so far in that time. */
  addTravel(distanceM: number, travelMs: number): void {
    this.#distanceM += distanceM;
    this.#travelMs += travelMs;
  }

  /** The measurements; none where nothing was watched. They stand at the beginning of what was watched. */
  toMeasurements(tags: Record<string, string>): Measurement[] {
    if (this.#watchedMs <= 0) return [];
    const at = new Date(Math.round(this.#firstMs ?? this.startMs)).toISOString();
    const watched = this.#watchedMs;
    const figure = (metric: string, value: number): Measurement => ({
      at,
      metric,
      value: round(value),
      tags,
    });
    const coverage = Math.min(1, watched / (this.endMs - this.startMs));
    const counts = [
      ...this.#passings.toMeasurements(at, 'trafficCount'),
      ...this.#turnings.toMeasurements(at, 'turningCount'),
    ];
    if (coverage < MIN_COVERAGE_SHARE) return [figure('windowCoverageShare', coverage), ...counts];
    return [
      figure('windowCoverageShare', coverage),
      figure('flowVehPerHour', (this.#arrivals * 3_600_000) / watched),
      figure('occupancyTimeShare', this.#occupiedMs / watched),
      figure('occupancyAreaShare', this.#areaMs / watched),
      figure('queueMaxVehicles', this.#queueMaxVehicles),
      figure('queueMeanVehicles', this.#queueMs / watched),
      ...(this.#queueMaxM === undefined ? [] : [figure('queueMaxM', this.#queueMaxM)]),
      ...(this.#travelMs > 0 ? [figure('meanSpeedKmh', (this.#distanceM * 3600) / this.#travelMs)] : []),
      ...counts,
    ];
  }
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
