import { type Claim, TIME_TOLERANCE_MS } from './violation-match.ts';

/** What became of the claims of a clip when only every n-th frame was looked at. */
export interface ThinComparison {
  readonly every: number;
  readonly both: number;
  /** Claims that the thinned run does not make. */
  readonly lost: readonly Claim[];
  /** Claims that only the thinned run makes. */
  readonly added: readonly Claim[];
}

/** The same claim lies within this many box heights; a thinned run may take another frame for the decisive one. */
const PLACE_HEIGHTS = 1;

/** Pairs the claims of two runs of a clip one to one: the same kind, near in time and place, nearest in time first. */
export function compareRuns(
  whole: readonly Claim[],
  thinned: readonly Claim[],
  every: number,
): ThinComparison {
  const pairs = whole
    .flatMap((claim) =>
      thinned.map((other) => ({ claim, other, gapMs: Math.abs(claim.timeMs - other.timeMs) })),
    )
    .filter(({ claim, other, gapMs }) => isSame(claim, other, gapMs))
    .sort((a, b) => a.gapMs - b.gapMs);
  const kept = new Set<Claim>();
  const taken = new Set<Claim>();
  for (const { claim, other } of pairs) {
    if (kept.has(claim) || taken.has(other)) continue;
    kept.add(claim);
    taken.add(other);
  }
  return {
    every,
    both: kept.size,
    lost: whole.filter((claim) => !kept.has(claim)),
    added: thinned.filter((claim) => !taken.has(claim)),
  };
}

function isSame(claim: Claim, other: Claim, gapMs: number): boolean {
  if (claim.kind !== other.kind || gapMs > (TIME_TOLERANCE_MS[claim.kind] ?? 2_000)) return false;
  const [x1, y1] = claim.groundPoint;
  const [x2, y2] = other.groundPoint;
  const travel = 1 + gapMs / 1000;
  return Math.hypot(x2 - x1, y2 - y1) <= PLACE_HEIGHTS * travel * Math.max(claim.boxHeight, other.boxHeight);
}
