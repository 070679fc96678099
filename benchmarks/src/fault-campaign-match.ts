import { findBlind, findHoles, type Stretch } from './fault-campaign-blind.ts';
import type { ClipLoop, CommittedEvent, LedgerInterval, ReferenceEvent } from './fault-campaign-record.ts';

/** An event of the replay and the committed one belong together within this, ms. */
export const MATCH_MS = 700;
/** And within this share of the box height. */
const MATCH_HEIGHTS = 0.5;
/**
 * Two analysed frames of the slowest clip (160 ms each): nearer than this to the edge of a blind interval nobody can say on
 * which side a moment lies, ms.
 */
const EDGE_MS = 350;

/** One event of the replay in one pass of the clip. */
export interface ExpectedEvent {
  readonly reference: ReferenceEvent;
  readonly pass: number;
  /** When the camera saw it, ms since 1970. */
  readonly atMs: number;
  /** `watched`: well outside blind time, so it must be there. `edge`: too near to blind time to tell. */
  readonly light: 'watched' | 'edge' | 'blind';
  /** Ids of the committed events that are this one. */
  readonly found: readonly string[];
}

export interface Matching {
  readonly expected: readonly ExpectedEvent[];
  /** Committed events that the replay does not have. */
  readonly extra: readonly CommittedEvent[];
  /** Median of captured instant − instant before the camera, over what was found, ms; absent where nothing was. */
  readonly delayMs?: number;
}

/**
 * Lays the events of the replay over every pass of the clip and looks each one up among the committed events. Passes are
 * told apart by the camera's own clock, so no event can stand in for that of another pass.
 */
export function matchReplay(options: {
  readonly reference: readonly ReferenceEvent[];
  readonly loop: ClipLoop;
  readonly intervals: readonly LedgerInterval[];
  readonly committed: readonly CommittedEvent[];
}): Matching {
  const { reference, loop, intervals, committed } = options;
  const fromMs = Math.min(...intervals.map((interval) => interval.fromMs));
  const toMs = Math.max(...intervals.map((interval) => interval.toMs));
  if (intervals.length === 0) return { expected: [], extra: committed };
  const dark = [
    ...findBlind(intervals),
    { fromMs: Number.NEGATIVE_INFINITY, toMs: fromMs },
    { fromMs: toMs, toMs: Number.POSITIVE_INFINITY },
  ];
  const moments = layOut(reference, loop, { fromMs, toMs });
  const owners = assign(moments, committed);
  const delays = committed.flatMap((event) => {
    const owner = owners.get(event.eventId);
    return owner === undefined ? [] : [event.capturedAtMs - owner.atMs];
  });
  const delayMs = computeMedian(delays);
  const expected = moments.map((moment) => ({
    ...moment,
    light: judgeLight(moment.atMs + (delayMs ?? 0), dark),
    found: committed.flatMap(({ eventId }) => (owners.get(eventId) === moment ? [eventId] : [])),
  }));
  const extra = committed.filter(({ eventId }) => !owners.has(eventId));
  return { expected, extra, ...(delayMs === undefined ? {} : { delayMs }) };
}

type Moment = Pick<ExpectedEvent, 'reference' | 'pass' | 'atMs'>;

function layOut(reference: readonly ReferenceEvent[], loop: ClipLoop, period: Stretch): Moment[] {
  const passAt = (atMs: number) => Math.floor((atMs - loop.zeroEpochMs) / loop.durationMs);
  const moments: Moment[] = [];
  for (let pass = passAt(period.fromMs); pass <= passAt(period.toMs); pass++) {
    for (const event of reference) {
      const atMs = loop.zeroEpochMs + pass * loop.durationMs + event.clipMs - loop.firstClipMs;
      if (atMs >= period.fromMs && atMs < period.toMs) moments.push({ reference: event, pass, atMs });
    }
  }
  return moments;
}

/** Each committed event goes to the nearest moment that it can be; several may go to one. */
function assign(moments: readonly Moment[], committed: readonly CommittedEvent[]): Map<string, Moment> {
  const owners = new Map<string, Moment>();
  for (const event of committed) {
    const near = moments
      .filter((moment) => isSame(moment, event))
      .sort((a, b) => Math.abs(a.atMs - event.capturedAtMs) - Math.abs(b.atMs - event.capturedAtMs))[0];
    if (near !== undefined) owners.set(event.eventId, near);
  }
  return owners;
}

function isSame({ reference, atMs }: Moment, event: CommittedEvent): boolean {
  if (reference.kind !== event.kind || Math.abs(event.capturedAtMs - atMs) > MATCH_MS) return false;
  const distance = Math.hypot(reference.x - event.x, reference.y - event.y);
  return distance <= MATCH_HEIGHTS * reference.heightPx;
}

function judgeLight(atMs: number, dark: readonly Stretch[]): ExpectedEvent['light'] {
  if (dark.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs)) {
    const inside = dark.some(({ fromMs, toMs }) => atMs - EDGE_MS >= fromMs && atMs + EDGE_MS < toMs);
    return inside ? 'blind' : 'edge';
  }
  return dark.some(({ fromMs, toMs }) => atMs + EDGE_MS >= fromMs && atMs - EDGE_MS < toMs)
    ? 'edge'
    : 'watched';
}

/** True where the ledger says nothing of the instant. */
export function isUnreported(atMs: number, intervals: readonly LedgerInterval[]): boolean {
  return findHoles(intervals).some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
}

/** Undefined where there is no value. */
export function computeMedian(values: readonly number[]): number | undefined {
  return computeQuantile(values, 0.5);
}

/** The smallest value that at least the share `q` of the values does not exceed; undefined where there is none. */
export function computeQuantile(values: readonly number[], q: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}
