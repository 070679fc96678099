import type { DropRange, SeqRange } from '@ngatu/contract';

/** The same numbers as the least number of ranges, lowest first. */
export function mergeRanges(ranges: readonly SeqRange[]): SeqRange[] {
  const sorted = [...ranges].sort((a, b) => a.from - b.from);
  const merged: { from: number; to: number }[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
    else merged.push({ from: range.from, to: range.to });
  }
  return merged;
}

/** The same numbers for the same reasons in few ranges, lowest first. Where ranges overlap, each keeps its own reason. */
export function mergeDropRanges(ranges: readonly DropRange[]): DropRange[] {
  const manners = new Map<DropRange['manner'], SeqRange[]>();
  for (const range of ranges) {
    const own = manners.get(range.manner);
    if (own === undefined) manners.set(range.manner, [range]);
    else own.push(range);
  }
  return [...manners]
    .flatMap(([manner, own]) => mergeRanges(own).map((range) => ({ ...range, manner })))
    .sort((a, b) => a.from - b.from);
}

/** What `range` has beside `present` (ascending, inside of it). */
export function subtractNumbers(range: SeqRange, present: readonly number[]): SeqRange[] {
  const rest: SeqRange[] = [];
  let from = range.from;
  for (const seq of present) {
    if (seq > from) rest.push({ from, to: seq - 1 });
    from = Math.max(from, seq + 1);
  }
  if (from <= range.to) rest.push({ from, to: range.to });
  return rest;
}
