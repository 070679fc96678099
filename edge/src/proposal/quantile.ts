/** The value that this share of a list lies below; 0 of an empty one. @param sorted in rising order */
export function takeQuantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(sorted.length * share)))] ?? 0;
}
