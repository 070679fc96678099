import { join } from 'node:path';
import { formatMemorySoak, measureMemory } from '@ngatu/benchmarks';
import { NgatuError } from '@ngatu/contract';
import { findRepositoryRoot } from '@ngatu/models';
import { Command, Option } from 'commander';
import { DEMO_NAMES } from './demo.ts';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface SoakOptions {
  readonly minutes: number;
  readonly warmUp: number;
  readonly scene: string;
  readonly json?: string;
}

/** Two minutes of samples are the least that a line is drawn through. */
const LEAST_MEASURED_MINUTES = 2;

/** `ngatu soak`: whether the memory of the agent grows. */
export function buildCommand(): Command {
  return new Command('soak')
    .description(
      'Runs everything, samples the resident memory of the agent and of its ffmpeg every 5 s, and fits a line after the\n' +
        'warm-up. Exit code 1 where the agent grows by more than 1 MB/min.',
    )
    .option('--minutes <number>', 'length of the run', readCount, 20)
    .option('--warm-up <number>', 'part of it before the measurement, minutes', readCount, 5)
    .addOption(new Option('--scene <name>', 'what the camera sees').choices(DEMO_NAMES).default('hanoi'))
    .option('--json <file>', 'write the samples and the figures as JSON')
    .action(soak);
}

async function soak({ minutes, warmUp: warmUpMinutes, scene, json }: SoakOptions): Promise<void> {
  if (minutes - warmUpMinutes < LEAST_MEASURED_MINUTES) {
    const least = `at least ${LEAST_MEASURED_MINUTES} minutes`;
    throw new NgatuError(
      'USAGE',
      `Cannot measure ${minutes - warmUpMinutes} minutes: ${least} after the warm-up`,
    );
  }
  const stop = watchStopSignals(() => undefined);
  try {
    const program = [process.execPath, join(findRepositoryRoot(), 'cli', 'bin', 'ngatu.mjs')];
    const say = (line: string) => console.error(line);
    const result = await measureMemory({ program, scene, minutes, warmUpMinutes, say }, stop.signal);
    console.log(formatMemorySoak(result));
    if (json !== undefined) await writeJson(json, result);
    if (!result.holds) process.exitCode = 1;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.error('stopped before its end: nothing was judged');
    process.exitCode = 1;
  } finally {
    stop.dispose();
  }
}
