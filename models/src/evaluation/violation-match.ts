import { listTruthEvents, type TruthEvent, type ViolationTruth } from './violation-truth.ts';

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

/**
 * How far the claim's decisive frame may lie from the truth's, ms. A wheel passes a line within a frame or two; a rule that watches for a
 * while may call the beginning, the middle or the end of it decisive.
 */
export const TIME_TOLERANCE_MS: Readonly<Record<string, number>> = {
  RED_LIGHT: 1_000,
  STOP_LINE: 2_000,
  SOLID_LINE: 1_500,
  FORBIDDEN_TURN: 2_000,
  SPEED: 2_000,
  ZEBRA_YIELD: 2_000,
  WRONG_WAY: 3_000,
  LANE: 3_000,
  FORBIDDEN_AREA: 3_000,
  OVERLOADED: 5_000,
  NO_HELMET: 5_000,
  BLOCKED_JUNCTION: 10_000,
  STOP_PARK: 15_000,
};
const DEFAULT_TIME_TOLERANCE_MS = 2_000;
/** A claim may lie so far outside a range of frames, ms. */
const RANGE_TOLERANCE_MS = 1_000;
/** The place may lie this many box heights from where the reader saw the ground contact … */
const PLACE_TOLERANCE_HEIGHTS = 0.6;
/** … and, where the truth knows one place alone, so many more for each second between the two moments: it moves on meanwhile … */
const TRAVEL_HEIGHTS_PER_S = 1.5;
/** … up to this many. Not for the lines, whose moment is the place. */
const MAX_TRAVEL_HEIGHTS = 4;
const AT_A_LINE: readonly string[] = ['RED_LIGHT', 'STOP_LINE', 'STOP_PARK', 'BLOCKED_JUNCTION'];

/**
 * Matches claims of one kind with the truth one to one, nearest in time first. A claim that matches no event but one of
 * the open cases (`ambiguous_ignore`, or an event of another kind that the truth calls ambiguous) does not count.
 * @param timeOf presentation time of a source frame, ms
 */
export function matchViolations(
  kind: string,
  claims: readonly Claim[],
  truth: ViolationTruth,
  timeOf: (frame: number) => number,
): KindOutcome {
  const expected = listTruthEvents(truth).filter((event) => event.kind === kind);
  const open = (truth.ambiguous_ignore ?? []).filter(
    (event) => event.kind === 'any' || event.kind.split('/').includes(kind),
  );
  const mine = claims.filter((claim) => claim.kind === kind);
  const pairs = expected
    .flatMap((event) => mine.map((claim) => ({ event, claim, delayMs: delayOf(event, claim, timeOf) })))
    .filter((pair) => isSame(kind, pair, timeOf))
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

/** From the decisive moment, or from the nearer end of the range that has no such moment. */
function delayOf(event: TruthEvent, claim: Claim, timeOf: (frame: number) => number): number {
  if (event.frame !== undefined) return claim.timeMs - timeOf(event.frame);
  const [fromMs, untilMs] = rangeOf(event, timeOf);
  return claim.timeMs - Math.min(untilMs, Math.max(fromMs, claim.timeMs));
}

function rangeOf(event: TruthEvent, timeOf: (frame: number) => number): [fromMs: number, untilMs: number] {
  const [from, until] = event.frame_range ?? [event.frame ?? 0, event.frame ?? 0];
  return [timeOf(from), timeOf(until)];
}

function isSame(
  kind: string,
  { event, claim, delayMs }: { event: TruthEvent; claim: Claim; delayMs: number },
  timeOf: (frame: number) => number,
): boolean {
  const [fromMs, untilMs] = rangeOf(event, timeOf);
  const isInRange =
    event.frame_range !== undefined &&
    claim.timeMs >= fromMs - RANGE_TOLERANCE_MS &&
    claim.timeMs <= untilMs + RANGE_TOLERANCE_MS;
  const reader = event.frame ?? 0;
  const doubtMs = timeOf(reader + (event.tolerance_frames ?? 0)) - timeOf(reader);
  const isNearInTime =
    event.frame !== undefined &&
    Math.abs(delayMs) <= (TIME_TOLERANCE_MS[kind] ?? DEFAULT_TIME_TOLERANCE_MS) + doubtMs;
  return (isInRange || isNearInTime) && isNear(kind, event, claim, delayMs);
}

function isNear(kind: string, event: TruthEvent, claim: Claim, delayMs: number): boolean {
  const place = placeAt(event, claim.frameIndex);
  if (place === undefined) return true;
  const [x, y] = place;
  const isMoving = event.path === undefined && !AT_A_LINE.includes(kind);
  const travel = isMoving
    ? Math.min(MAX_TRAVEL_HEIGHTS, (TRAVEL_HEIGHTS_PER_S * Math.abs(delayMs)) / 1000)
    : 0;
  const distance = Math.hypot(x - claim.groundPoint[0], y - claim.groundPoint[1]);
  return distance <= (PLACE_TOLERANCE_HEIGHTS + travel) * claim.boxHeight;
}

/** Where the truth has the road user in a frame: on its path where it brings one, else at its one place. */
function placeAt({ x, y, path }: TruthEvent, frame: number): readonly [number, number] | undefined {
  const after = path?.findIndex(([at]) => at >= frame) ?? -1;
  const [next, before] = [path?.[after], path?.[after - 1]];
  if (next !== undefined && before !== undefined) {
    const share = (frame - before[0]) / Math.max(1, next[0] - before[0]);
    return [before[1] + share * (next[1] - before[1]), before[2] + share * (next[2] - before[2])];
  }
  const end = next ?? path?.at(-1);
  if (end !== undefined) return [end[1], end[2]];
  return x === undefined || y === undefined ? undefined : [x, y];
}

function fallsOnOpen(
  kind: string,
  event: TruthEvent,
  claim: Claim,
  timeOf: (frame: number) => number,
): boolean {
  const [fromMs, untilMs] = rangeOf(event, timeOf);
  if (event.frame === undefined && event.frame_range === undefined) return isNear(kind, event, claim, 0);
  const tolerance = TIME_TOLERANCE_MS[kind] ?? DEFAULT_TIME_TOLERANCE_MS;
  if (claim.timeMs < fromMs - tolerance || claim.timeMs > untilMs + tolerance) return false;
  return event.frame_range !== undefined && event.path === undefined
    ? true
    : isNear(kind, event, claim, delayOf(event, claim, timeOf));
}
