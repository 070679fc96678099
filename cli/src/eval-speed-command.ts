import { evaluateSpeed, formatSpeedTable } from '@ngatu/models';
import type { Command } from 'commander';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';

interface SpeedOptions {
  readonly cases: number;
  readonly seed: number;
  readonly json?: string;
}

/** `ngatu eval speed`: simulated, so it needs no data. */
export function addSpeedEvaluation(command: Command): void {
  command
    .command('speed')
    .description('speed and its 95 % interval on simulated passages with exact truth (docs/rules/speed.md)')
    .option('--cases <n>', 'passages', readCount, 4000)
    .option('--seed <n>', 'seed of the passages', readCount, 1)
    .option('--json <file>', 'write the metrics as JSON')
    .action(evaluate);
}

async function evaluate({ cases, seed, json }: SpeedOptions): Promise<void> {
  const metrics = evaluateSpeed({ cases, random: drawFrom(seed) });
  console.log(formatSpeedTable(metrics));
  if (json !== undefined) await writeJson(json, { seed, ...metrics });
}

/** Random numbers that a seed repeats (mulberry32). */
function drawFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
