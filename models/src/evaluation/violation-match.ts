import type { TruthEvent, ViolationTruth } from './violation-truth.ts';

/** What the pipeline said, reduced to what is compared. Points in source pixels. */
export interface Claim {
  readonly kind: string;
  readonly timeMs: number;
  readonly frameIndex: number;
  readonly groundPoint: readonly [x: number, y: number];
  readonly boxHeight: number;
  readonly text: string;
}

export interface MatchedEvent {
  readonly truth: TruthEvent;
  readonly claim: Claim;
  /** Positive where the claim is late. */
  readonly delayMs: number;
}

export interface KindOutcome {
  readonly kind: string;
  readonly matched: readonly MatchedEvent[];
  readonly missed: readonly TruthEvent[];
  readonly wrong: readonly Claim[];
  /** Claims that fall on what the truth leaves open: neither right nor wrong. */
  readonly ignored: readonly Claim[];
}

/** The decisive frame may be this far from the reader's, ms: a rear wheel passes a line within a frame or two … */
const TIME_TOLERANCE_MS: Readonly<Record<string, number>> = { RED_LIGHT: 1000, STOP_LINE: 2000 };
const DEFAULT_TIME_TOLERANCE_MS = 1500;
/** … and the place this many box heights from where the reader saw the wheel. */
const PLACE_TOLERANCE_HEIGHTS = 0.6;

/**
 * Matches claims of one kind with the truth one to one, nearest in time first. A claim that matches no event but one of
 * the open cases (`ambiguous_ignore`, or an event of another kind that the truth calls ambiguous) does not count.
 * @param timeOf presentation time of a source frame, ms
 */
export function matchViolations(
  kind: 'RED_LIGHT' | 'STOP_LINE',
  claims: readonly Claim[],
  truth: ViolationTruth,
  timeOf: (frame: number) => number,
): KindOutcome {
  const expected = [...truth.events, ...(truth.stop_line_only ?? [])].filter((event) => event.kind === kind);
  const open = (truth.ambiguous_ignore ?? []).filter(
    (event) => event.kind === 'any' || event.kind.split('/').includes(kind),
  );
  const mine = claims.filter((claim) => claim.kind === kind);
  const pairs = expected
    .flatMap((event) => mine.map((claim) => ({ event, claim, delayMs: delayOf(event, claim, timeOf) })))
    .filter((pair) => isSame(kind, pair.event, pair.claim, pair.delayMs))
    .sort((a, b) => Math.abs(a.delayMs) - Math.abs(b.delayMs));
  const matched: MatchedEvent[] = [];
  const takenEvents = new Set<TruthEvent>();
  const takenClaims = new Set<Claim>();
  for (const { event, claim, delayMs } of pairs) {
    if (takenEvents.has(event) || takenClaims.has(claim)) continue;
    takenEvents.add(event);
    takenClaims.add(claim);
    matched.push({ truth: event, claim, delayMs });
  }
  const rest = mine.filter((claim) => !takenClaims.has(claim));
  const ignored = rest.filter((claim) => open.some((event) => fallsOnOpen(kind, event, claim, timeOf)));
  return {
    kind,
    matched,
    missed: expected.filter((event) => !takenEvents.has(event)),
    wrong: rest.filter((claim) => !ignored.includes(claim)),
    ignored,
  };
}

function delayOf(event: TruthEvent, claim: Claim, timeOf: (frame: number) => number): number {
  return claim.timeMs - timeOf(event.frame ?? 0);
}

function isSame(kind: string, event: TruthEvent, claim: Claim, delayMs: number): boolean {
  if (Math.abs(delayMs) > (TIME_TOLERANCE_MS[kind] ?? DEFAULT_TIME_TOLERANCE_MS)) return false;
  return isNear(event, claim);
}

function isNear(event: TruthEvent, claim: Claim): boolean {
  if (event.x === undefined || event.y === undefined) return true;
  const distance = Math.hypot(event.x - claim.groundPoint[0], event.y - claim.groundPoint[1]);
  return distance <= PLACE_TOLERANCE_HEIGHTS * claim.boxHeight;
}

function fallsOnOpen(
  kind: string,
  event: TruthEvent,
  claim: Claim,
  timeOf: (frame: number) => number,
): boolean {
  const [from, to] = event.frame_range ?? [event.frame ?? 0, event.frame ?? 0];
  const tolerance = TIME_TOLERANCE_MS[kind] ?? DEFAULT_TIME_TOLERANCE_MS;
  if (claim.timeMs < timeOf(from) - tolerance || claim.timeMs > timeOf(to) + tolerance) return false;
  return event.frame_range !== undefined || isNear(event, claim);
}
