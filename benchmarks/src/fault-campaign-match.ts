import { findBlind, findHoles, type Stretch } from './fault-campaign-blind.ts';
import type { ClipLoop, CommittedEvent, LedgerInterval, ReferenceEvent } from './fault-campaign-record.ts';

/** An event of the replay and the committed one belong together within this, once the delay of the session is known, ms. */
const MATCH_MS = 700;
/** And within this share of the box height. */
const MATCH_HEIGHTS = 0.5;
/**
 * The agent cannot see the delay that all pictures of a session share (encoder, network, decoder): its instants are late by
 * it. More than this is no delay but a wrong clock, ms.
 */
const DELAY_MS = { least: -100, most: 3_000 };
/** Events of one session agree on its delay within this, ms. */
const AGREE_MS = 350;
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
  /** Captured instant − instant before the camera, median of each session that found something, ms. */
  readonly delays: readonly { readonly session: string; readonly delayMs: number }[];
}

/**
 * Lays the events of the replay over every pass of the clip and looks each one up among the committed events. Passes are
 * told apart by the camera's own clock, so no event can stand in for that of another pass.
 */
export function matchReplay(options: {
  readonly reference: readonly ReferenceEvent[];
  /** One for each time that the camera was switched on, oldest first. */
  readonly loops: readonly ClipLoop[];
  readonly intervals: readonly LedgerInterval[];
  readonly committed: readonly CommittedEvent[];
  /** What the camera showed, or the clock said, was wrong then: nobody can tell what should have been found. */
  readonly spoiled: readonly Stretch[];
}): Matching {
  const { reference, loops, intervals, committed, spoiled } = options;
  const fromMs = Math.min(...intervals.map((interval) => interval.fromMs));
  const toMs = Math.max(...intervals.map((interval) => interval.toMs));
  if (intervals.length === 0) return { expected: [], extra: committed, delays: [] };
  const dark = [
    ...findBlind(intervals),
    { fromMs: Number.NEGATIVE_INFINITY, toMs: fromMs },
    { fromMs: toMs, toMs: Number.POSITIVE_INFINITY },
  ];
  const moments = loops.flatMap((loop, index) => {
    const [begunMs, endMs] = [index === 0 ? fromMs : loop.zeroEpochMs, loops[index + 1]?.zeroEpochMs ?? toMs];
    return layOut(reference, loop, { fromMs: Math.max(fromMs, begunMs), toMs: Math.min(toMs, endMs) });
  });
  const delays = [...new Set(committed.map(({ session }) => session))].flatMap((session) => {
    const delayMs = findDelay(
      moments,
      committed.filter((event) => event.session === session),
    );
    return delayMs === undefined ? [] : [{ session, delayMs }];
  });
  const owners = assign(
    moments,
    committed,
    new Map(delays.map(({ session, delayMs }) => [session, delayMs])),
  );
  const delayAt = (atMs: number) => findNearestDelay(atMs, committed, delays);
  const expected = moments.map((moment) => ({
    ...moment,
    light: isWithin(moment.atMs, spoiled) ? 'edge' : judgeLight(moment.atMs + delayAt(moment.atMs), dark),
    found: committed.flatMap(({ eventId }) => (owners.get(eventId) === moment ? [eventId] : [])),
  }));
  return { expected, extra: committed.filter(({ eventId }) => !owners.has(eventId)), delays };
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

/** The delay on which most events of a session agree, the least of several; undefined where none has a counterpart. */
function findDelay(moments: readonly Moment[], events: readonly CommittedEvent[]): number | undefined {
  const possible = events.flatMap((event) =>
    moments
      .filter((moment) => isSamePlace(moment, event))
      .map(({ atMs }) => event.capturedAtMs - atMs)
      .filter((delayMs) => delayMs >= DELAY_MS.least && delayMs <= DELAY_MS.most),
  );
  let best: number[] = [];
  for (const delayMs of possible.sort((a, b) => a - b)) {
    const agreeing = possible.filter((other) => Math.abs(other - delayMs) <= AGREE_MS);
    if (agreeing.length > best.length) best = agreeing;
  }
  return computeQuantile(best, 0.5);
}

/** That of the session to which the event nearest in time belongs; 0 where no session has one. */
function findNearestDelay(
  atMs: number,
  committed: readonly CommittedEvent[],
  delays: Matching['delays'],
): number {
  const known = committed.flatMap(({ session, capturedAtMs }) => {
    const delayMs = delays.find((delay) => delay.session === session)?.delayMs;
    return delayMs === undefined ? [] : [{ delayMs, apartMs: Math.abs(capturedAtMs - delayMs - atMs) }];
  });
  return known.sort((a, b) => a.apartMs - b.apartMs)[0]?.delayMs ?? 0;
}

/** Each committed event goes to the nearest moment that it can be; several may go to one. */
function assign(
  moments: readonly Moment[],
  committed: readonly CommittedEvent[],
  delays: ReadonlyMap<string, number>,
): Map<string, Moment> {
  const owners = new Map<string, Moment>();
  for (const event of committed) {
    const seenAtMs = event.capturedAtMs - (delays.get(event.session) ?? 0);
    const apart = ({ atMs }: Moment) => Math.abs(atMs - seenAtMs);
    const near = moments
      .filter((moment) => isSamePlace(moment, event) && apart(moment) <= MATCH_MS)
      .sort((a, b) => apart(a) - apart(b))[0];
    if (near !== undefined) owners.set(event.eventId, near);
  }
  return owners;
}

function isSamePlace({ reference }: Moment, event: CommittedEvent): boolean {
  if (reference.kind !== event.kind) return false;
  return Math.hypot(reference.x - event.x, reference.y - event.y) <= MATCH_HEIGHTS * reference.heightPx;
}

function isWithin(atMs: number, stretches: readonly Stretch[]): boolean {
  return stretches.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
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

/** The smallest value that at least the share `q` of the values does not exceed; undefined where there is none. */
export function computeQuantile(values: readonly number[], q: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}
