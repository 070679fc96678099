import { VICTIMS, type Victim } from './fault-campaign-record.ts';

export interface PlannedKill {
  readonly victim: Victim;
  /** After the kill before, or after the begin of the campaign, ms. */
  readonly waitMs: number;
}

/** Long enough to recover, most of the time. */
const CALM_MS = { least: 5_000, most: 17_000 };
/** Shorter than any recovery: the next kill meets parts that are on their way back. */
const HURRIED_MS = { least: 50, most: 3_000 };
const HURRIED_SHARE = 0.25;

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

/** Every victim `kills` times, in random order at random distances; one in four comes while parts still recover. */
export function planKills(kills: number, seed: number): PlannedKill[] {
  const random = seedRandom(seed);
  const order = VICTIMS.flatMap((victim) => Array.from({ length: kills }, () => victim))
    .map((victim) => ({ victim, key: random() }))
    .sort((a, b) => a.key - b.key);
  return order.map(({ victim }, index) => {
    const range = index > 0 && random() < HURRIED_SHARE ? HURRIED_MS : CALM_MS;
    return { victim, waitMs: Math.round(range.least + random() * (range.most - range.least)) };
  });
}
