import type { UntrustedParser } from '@ngatu/contract';
import type { FuzzFinding, FuzzReport, MemorySample } from './fuzz-worker.ts';
import { fitSlope } from './memory-slope.ts';

/** Least number of mutations of a parser that a whole campaign gives it, by its pace. */
export const FUZZ_GOAL = { process: 100_000, media: 2_000, model: 2_000 } as const;
/** An answer takes this long at most, ms. */
export const FUZZ_LIMIT_MS = { process: 1_000, media: 10_000, model: 10_000 } as const;

/** Memory that a whole run may gain beyond doubt, bytes: caches of compiled code and of the allocator settle within it. */
const GROWTH_LIMIT_BYTES = { heap: 6 * 1024 * 1024, rss: 48 * 1024 * 1024 } as const;
/** The first part of a run fills caches and is not judged. */
const WARM_UP = 0.25;

/** A line through memory over mutations. */
export interface MemoryGrowth {
  /** Bytes a mutation. */
  readonly perMutation: number;
  /** Half of its 95 % interval. */
  readonly margin: number;
  /** What the run gained at least: lower bound of the slope times its mutations, bytes; 0 where it fell. */
  readonly surelyGainedBytes: number;
}

/** What a parser did under its mutations. */
export interface FuzzResult {
  readonly parser: string;
  readonly pace: UntrustedParser['pace'];
  readonly mutations: number;
  readonly taken: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly loopDelayMs: number;
  /** Absent where the run was too short for a line. */
  readonly heap?: MemoryGrowth;
  readonly rss?: MemoryGrowth;
  readonly findings: readonly FuzzFinding[];
  readonly seconds: number;
  readonly holds: boolean;
}

function measureGrowth(
  samples: readonly MemorySample[],
  read: (sample: MemorySample) => number,
): MemoryGrowth | undefined {
  const judged = samples.slice(Math.floor(samples.length * WARM_UP));
  const [first, last] = [judged[0], judged.at(-1)];
  if (first === undefined || last === undefined || judged.length < 10) return undefined;
  // the slope is that of `value` over what stands in place of the minutes: mutations
  const points = judged.map((sample) => ({ minutes: sample.mutation, value: read(sample) }));
  const { perMinute, marginPerMinute } = fitSlope(points);
  const sure = Math.max(0, perMinute - marginPerMinute) * (last.mutation - first.mutation);
  return { perMutation: perMinute, margin: marginPerMinute, surelyGainedBytes: sure };
}

/** Judges what the workers of one parser reported. */
export function judgeFuzzRun(
  parser: Pick<UntrustedParser, 'name' | 'pace'>,
  reports: readonly FuzzReport[],
  run: { readonly seconds: number; readonly deaths: readonly FuzzFinding[] },
): FuzzResult {
  const refused: Record<string, number> = {};
  for (const report of reports) {
    for (const [code, count] of Object.entries(report.refused)) refused[code] = (refused[code] ?? 0) + count;
  }
  const longest = reports.reduce<readonly MemorySample[]>(
    (best, { memory }) => (memory.length > best.length ? memory : best),
    [],
  );
  const heap = measureGrowth(longest, ({ heapBytes }) => heapBytes);
  const rss = measureGrowth(longest, ({ rssBytes }) => rssBytes);
  const findings = [...reports.flatMap((report) => report.findings), ...run.deaths];
  const grows =
    (heap?.surelyGainedBytes ?? 0) > GROWTH_LIMIT_BYTES.heap ||
    (rss?.surelyGainedBytes ?? 0) > GROWTH_LIMIT_BYTES.rss;
  return {
    parser: parser.name,
    pace: parser.pace,
    mutations: reports.reduce((sum, { done }) => sum + done, 0) + run.deaths.length,
    taken: reports.reduce((sum, { taken }) => sum + taken, 0),
    refused,
    slowestMs: Math.max(0, ...reports.map(({ slowestMs }) => slowestMs)),
    loopDelayMs: Math.max(0, ...reports.map(({ loopDelayMs }) => loopDelayMs)),
    ...(heap === undefined ? {} : { heap }),
    ...(rss === undefined ? {} : { rss }),
    findings,
    seconds: run.seconds,
    holds: findings.length === 0 && !grows,
  };
}
