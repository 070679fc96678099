import {
  computeWilson,
  MASK_VERDICTS,
  type MaskDoubt,
  type MaskVerdict,
  type Measurement,
  type WilsonInterval,
} from '@ngatu/contract';

/** One person who was counted. */
export interface CountedPerson {
  readonly verdict: MaskVerdict;
  readonly doubt?: MaskDoubt;
  /** When the person was last seen, ms since 1970. */
  readonly atMs: number;
}

/** The indicator of one window: how many people were with, without, and not to be judged. */
export interface MaskWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly counts: Readonly<Record<MaskVerdict, number>>;
  readonly doubts: Readonly<Partial<Record<MaskDoubt, number>>>;
  /** Share of masks among those who could be judged, with its Wilson interval of 95 %; absent where nobody could be. */
  readonly share?: WilsonInterval;
  /** Part of a whole window in which pictures were looked at, 0–1: nobody seen is not nobody there. */
  readonly watchedShare: number;
}

/** A picture stands for this long at most: what is later was not watched, ms. */
const MAX_GAP_MS = 2_000;
/** Windows that wait for whoever reports them at most; then the oldest are given up. */
const MAX_WAITING = 500;

interface OpenWindow {
  readonly fromMs: number;
  readonly counts: Record<MaskVerdict, number>;
  readonly doubts: Partial<Record<MaskDoubt, number>>;
  watchedMs: number;
}

/** Counts people in windows of the camera's time. Windows begin at multiples of their length, so that nodes can be compared. */
export class MaskTally {
  readonly #windowMs: number;
  #open: OpenWindow | undefined;
  #lastFrameMs: number | undefined;
  #closed: MaskWindow[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** A picture was looked at. */
  addFrame(atMs: number): void {
    const from = this.#lastFrameMs ?? atMs;
    this.#lastFrameMs = Math.max(from, atMs);
    let cursor = atMs - Math.min(MAX_GAP_MS, Math.max(0, atMs - from));
    while (cursor < atMs) {
      const window = this.#windowAt(cursor);
      const until = Math.min(atMs, window.fromMs + this.#windowMs);
      window.watchedMs += until - cursor;
      cursor = until;
    }
    this.#windowAt(atMs);
  }

  /** A person left, or was seen for long enough. Counts in the window that is open. */
  addPerson({ verdict, doubt, atMs }: CountedPerson): void {
    const window = this.#windowAt(atMs);
    window.counts[verdict] += 1;
    if (doubt !== undefined) window.doubts[doubt] = (window.doubts[doubt] ?? 0) + 1;
  }

  /** The windows that ended before `nowMs`, oldest first; each is handed out once. */
  cut(nowMs: number): MaskWindow[] {
    if (this.#open !== undefined && nowMs >= this.#open.fromMs + this.#windowMs) this.#close();
    return this.#closed.splice(0);
  }

  /** Also the window that is still open, which then ends now; call once, at the end. */
  finish(nowMs: number): MaskWindow[] {
    this.#close(nowMs);
    return this.#closed.splice(0);
  }

  /** Time does not go back: what comes late counts in the window that is open. */
  #windowAt(atMs: number): OpenWindow {
    const fromMs = Math.floor(atMs / this.#windowMs) * this.#windowMs;
    if (this.#open !== undefined && fromMs <= this.#open.fromMs) return this.#open;
    this.#close();
    this.#open = { fromMs, counts: { with: 0, without: 0, uncertain: 0 }, doubts: {}, watchedMs: 0 };
    return this.#open;
  }

  #close(nowMs = Number.POSITIVE_INFINITY): void {
    if (this.#open === undefined) return;
    const { fromMs, counts, doubts, watchedMs } = this.#open;
    const judged = counts.with + counts.without;
    this.#closed.push({
      ...{ fromMs, toMs: Math.max(fromMs, Math.min(nowMs, fromMs + this.#windowMs)), counts, doubts },
      ...(judged === 0 ? {} : { share: computeWilson(counts.with, judged) }),
      watchedShare: Math.min(1, watchedMs / this.#windowMs),
    });
    if (this.#closed.length > MAX_WAITING) this.#closed.shift();
    this.#open = undefined;
  }
}

const METRICS: Readonly<Record<MaskVerdict, string>> = {
  with: 'maskWith',
  without: 'maskWithout',
  uncertain: 'maskUncertain',
};

/** A window as telemetry: three counts, the doubts by reason, the share with its interval, and how much of the window was watched. */
export function describeWindow({ toMs, counts, doubts, share, watchedShare }: MaskWindow): Measurement[] {
  const at = new Date(toMs).toISOString();
  const round = (value: number): number => Math.round(value * 10_000) / 10_000;
  return [
    ...MASK_VERDICTS.map((verdict) => ({ at, metric: METRICS[verdict], value: counts[verdict] })),
    ...Object.entries(doubts).map(([reason, value]) => ({
      at,
      metric: 'maskDoubts',
      value,
      tags: { reason },
    })),
    ...(share === undefined
      ? []
      : [
          { at, metric: 'maskShare', value: round(share.value) },
          { at, metric: 'maskShareLow', value: round(share.low) },
          { at, metric: 'maskShareHigh', value: round(share.high) },
        ]),
    { at, metric: 'maskWatchedShare', value: round(watchedShare) },
  ];
}
