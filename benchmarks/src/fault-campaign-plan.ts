import type { FaultKind } from './fault-injection.ts';
import { FAULT_KINDS } from './fault-kind.ts';

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Place in the plan; with the seed of the campaign it is the seed of what the fault does. */
  readonly index: number;
  /** Between what was before in its lane and it, ms. */
  readonly waitMs: number;
}

/** Shorter than some recoveries: the next fault may meet parts that have only just come back. */
const WAIT_MS = { least: 100, most: 1_500 };

/** Uniform numbers in [0, 1) that a seed repeats (mulberry32). */
export function seedRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` faults: round after round of all kinds by their weight, each round in an order of its own. */
export function planFaults(
  count: number,
  seed: number,
  kinds: readonly FaultKind[] = FAULT_KINDS,
): PlannedFault[] {
  const random = seedRandom(seed);
  const planned: PlannedFault[] = [];
  for (let round = 0; planned.length < count && kinds.length > 0; round++) {
    for (const kind of planRound(kinds, round, random)) {
      if (planned.length >= count) break;
      const waitMs = Math.round(WAIT_MS.least + random() * (WAIT_MS.most - WAIT_MS.least));
      planned.push({ kind, index: planned.length, waitMs });
    }
  }
  return planned;
}

/** First every kind once, then those of more weight again: a short campaign has as many kinds as it has faults. */
function planRound(kinds: readonly FaultKind[], round: number, random: () => number): FaultKind[] {
  // What is rare comes in the first of its rounds.
  const due = kinds.filter(({ weight }) => weight >= 1 || round % Math.round(1 / weight) === 0);
  const again = due.flatMap((kind) => Array<FaultKind>(Math.max(0, Math.round(kind.weight) - 1)).fill(kind));
  return [...shuffle(due, random), ...shuffle(again, random)];
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
