/** Draws numbers that follow from a seed alone. */
export interface FuzzRandom {
  /** Uniform in [0, 1). */
  unit(): number;
  /** Uniform whole number from 0 to `count` − 1; 0 where `count` is below 1. */
  below(count: number): number;
  /** One of a list that is not empty. */
  pick<T>(list: readonly [T, ...T[]]): T;
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo). */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Numbers of mutation `index` of one parser: each mutation can be made again without those before it (mulberry32). */
export function createFuzzRandom(seed: number, parser: string, index: number): FuzzRandom {
  let state = (Math.imul(seed ^ hashText(parser), 0x9e3779b1) + Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count: number): number => (count < 1 ? 0 : Math.floor(unit() * count));
  return { unit, below, pick: (list) => list[below(list.length)] ?? list[0] };
}
