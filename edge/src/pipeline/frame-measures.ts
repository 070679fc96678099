import type { Measurement } from '@ngatu/contract';
import type { FrameCounts } from '../health/camera-ledger.ts';
import type { LineCrossing } from '../rules/line-count.ts';

/** At most this many durations are kept between two reports. */
const MAX_SAMPLES = 2_000;
/** Measurements in one report at most: below the limit of the contract, with room for the camera's own. */
const MAX_REPORTED = 450;
/** Figures that wait for a report at most; then the oldest are dropped, and counted. */
const MAX_WAITING = 5_000;

/** Gathers what a camera measures about itself and its road between two reports. */
export class FrameMeasures {
  #analysisMs: number[] = [];
  #latencyMs: number[] = [];
  #crossings = new Map<string, { tags: Record<string, string>; count: number }>();
  #traffic: Measurement[] = [];
  #trafficDropped = 0;
  #last: { atMs: number; counts: FrameCounts } | undefined;

  /** How long the frame took, and how old it was when it was done, ms. */
  addFrame(analysisMs: number, latencyMs: number): void {
    if (this.#analysisMs.length >= MAX_SAMPLES) return;
    this.#analysisMs.push(analysisMs);
    this.#latencyMs.push(latencyMs);
  }

  addCrossings(crossings: readonly LineCrossing[]): void {
    for (const { tripwire, direction, label } of crossings) {
      const key = `${tripwire}\t${direction}\t${label}`;
      const entry = this.#crossings.get(key) ?? { tags: { tripwire, direction, label }, count: 0 };
      entry.count += 1;
      this.#crossings.set(key, entry);
    }
  }

  /** Figures of traffic windows; they keep their own instants. */
  addMeasurements(measurements: readonly Measurement[]): void {
    this.#traffic.push(...measurements);
    const excess = this.#traffic.length - MAX_WAITING;
    if (excess <= 0) return;
    this.#traffic.splice(0, excess);
    this.#trafficDropped += excess;
  }

  /** The measurements since the last cut; what does not fit into one report comes with the next ones. */
  cut(nowMs: number, counts: FrameCounts): Measurement[] {
    const at = new Date(Math.round(nowMs)).toISOString();
    const measurements: Measurement[] = [];
    const last = this.#last;
    if (last !== undefined && nowMs > last.atMs) {
      const seconds = (nowMs - last.atMs) / 1000;
      measurements.push(
        { at, metric: 'decodedFps', value: round((counts.decoded - last.counts.decoded) / seconds) },
        { at, metric: 'analysedFps', value: round((counts.analysed - last.counts.analysed) / seconds) },
        { at, metric: 'framesDropped', value: Math.max(0, counts.dropped - last.counts.dropped) },
      );
    }
    if (this.#analysisMs.length > 0) {
      measurements.push(
        { at, metric: 'analysisMsP50', value: round(quantile(this.#analysisMs, 0.5)) },
        { at, metric: 'analysisMsP95', value: round(quantile(this.#analysisMs, 0.95)) },
        { at, metric: 'captureToResultMsP95', value: round(quantile(this.#latencyMs, 0.95)) },
      );
    }
    for (const { tags, count } of this.#crossings.values()) {
      measurements.push({ at, metric: 'lineCrossings', value: count, tags });
    }
    if (this.#trafficDropped > 0) {
      measurements.push({ at, metric: 'trafficFiguresDropped', value: this.#trafficDropped });
    }
    measurements.push(...this.#traffic.splice(0, Math.max(0, MAX_REPORTED - measurements.length)));
    this.#trafficDropped = 0;
    this.#analysisMs = [];
    this.#latencyMs = [];
    this.#crossings = new Map();
    this.#last = { atMs: nowMs, counts };
    return measurements;
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
