import type { SeqRange } from '@ngatu/contract';
import { mergeRanges } from './seq-range.ts';

/** The marks run ahead of what was leased by so many numbers, so that they are written once in as many sends. */
const AHEAD = 256;

/**
 * Which numbers may have been sent, also by earlier processes. What may have been sent must not be merged into another message: the
 * centre might count it twice.
 */
export class SentMarks {
  #ranges: SeqRange[];

  /** @param stored what `encode` gave; of what is not that, every number may have been sent */
  constructor(stored: string | undefined) {
    this.#ranges = stored === undefined ? [] : (decode(stored) ?? [{ from: 0, to: Number.MAX_SAFE_INTEGER }]);
  }

  /** Notes numbers that are about to be sent. True where the marks changed and must be on disk before they are. */
  note(seqs: readonly number[]): boolean {
    const fresh = seqs.filter((seq) => this.covering(seq) === undefined);
    if (fresh.length === 0) return false;
    const added = fresh.map((seq) => ({ from: seq, to: seq + AHEAD }));
    this.#ranges = mergeRanges([...this.#ranges, ...added]);
    return true;
  }

  /** The stretch of maybe sent numbers in which `seq` lies. */
  covering(seq: number): SeqRange | undefined {
    return this.#ranges.find(({ from, to }) => from <= seq && seq <= to);
  }

  /** Forgets what lies below the lowest number that still waits. */
  prune(lowestSeq: number): void {
    this.#ranges = this.#ranges.filter(({ to }) => to >= lowestSeq);
  }

  clear(): void {
    this.#ranges = [];
  }

  encode(): string {
    return JSON.stringify(this.#ranges);
  }
}

function decode(stored: string): SeqRange[] | undefined {
  try {
    const value: unknown = JSON.parse(stored);
    return Array.isArray(value) && value.every(isRange) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRange(value: unknown): value is SeqRange {
  if (typeof value !== 'object' || value === null) return false;
  const { from, to } = value as Partial<SeqRange>;
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && Number(from) <= Number(to);
}
