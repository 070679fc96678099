import type { BlackbodyReading } from './blackbody.ts';
import { computeDeviation, computeMedian } from './order-statistics.ts';
import { summarizeTemperatures, type ThermalFrame } from './thermal-frame.ts';

/** One item of a self-check. */
export interface SelfCheckItem {
  readonly name: 'blackbody-seen' | 'offset' | 'stability' | 'noise' | 'evenness' | 'dead-pixels';
  readonly value: number;
  readonly limit: number;
  readonly unit: 'Cel' | '1';
  readonly passed: boolean;
}

/** The log of one self-check. */
export interface SelfCheckRecord {
  readonly atMs: number;
  readonly passed: boolean;
  readonly items: readonly SelfCheckItem[];
}

/** Frames that a self-check looks at. */
export const SELF_CHECK_FRAMES = 20;
const MIN_SEEN_SHARE = 0.95;
const MAX_RANGE_C = 0.3;
const MAX_NOISE_C = 0.1;
const MAX_SPREAD_C = 0.3;
const MAX_DEAD_SHARE = 0.005;

/** Collects frames of the blackbody, and judges the camera by them. */
export class SelfCheck {
  readonly #toleranceC: number;
  #offsets: number[] = [];
  #spreads: number[] = [];
  #frames = 0;
  #deadShare = 0;

  constructor(toleranceC: number) {
    this.#toleranceC = toleranceC;
  }

  get isComplete(): boolean {
    return this.#frames >= SELF_CHECK_FRAMES;
  }

  observe(frame: ThermalFrame, blackbody: BlackbodyReading | undefined): void {
    this.#frames++;
    const readable = summarizeTemperatures(frame)?.readable ?? 0;
    this.#deadShare = Math.max(this.#deadShare, 1 - readable / frame.celsius.length);
    if (blackbody === undefined) return;
    this.#offsets.push(blackbody.offsetC);
    this.#spreads.push(blackbody.spreadC);
  }

  conclude(atMs: number): SelfCheckRecord {
    const offset = Math.abs(computeMedian(this.#offsets) ?? Number.POSITIVE_INFINITY);
    const range = this.#offsets.length === 0 ? Number.POSITIVE_INFINITY : spanOf(this.#offsets);
    const steps = this.#offsets.slice(1).map((value, index) => value - (this.#offsets[index] ?? value));
    const most = (
      name: SelfCheckItem['name'],
      value: number,
      limit: number,
      unit: 'Cel' | '1',
    ): SelfCheckItem => ({
      name,
      value,
      limit,
      unit,
      passed: value <= limit,
    });
    const seen = this.#offsets.length / Math.max(1, this.#frames);
    const items: SelfCheckItem[] = [
      {
        name: 'blackbody-seen',
        value: seen,
        limit: MIN_SEEN_SHARE,
        unit: '1',
        passed: seen >= MIN_SEEN_SHARE,
      },
      most('offset', offset, this.#toleranceC, 'Cel'),
      most('stability', range, MAX_RANGE_C, 'Cel'),
      most('noise', computeDeviation(steps) ?? Number.POSITIVE_INFINITY, MAX_NOISE_C, 'Cel'),
      most('evenness', computeMedian(this.#spreads) ?? Number.POSITIVE_INFINITY, MAX_SPREAD_C, 'Cel'),
      most('dead-pixels', this.#deadShare, MAX_DEAD_SHARE, '1'),
    ];
    return { atMs, passed: items.every(({ passed }) => passed), items };
  }
}

function spanOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}
