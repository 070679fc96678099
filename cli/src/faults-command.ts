import { join } from 'node:path';
import {
  checkCampaign,
  type FaultCampaignOptions,
  formatCampaign,
  runFaultCampaign,
} from '@ngatu/benchmarks';
import { openDetector } from '@ngatu/edge';
import { AssetStore, findRepositoryRoot } from '@ngatu/models';
import { Command, Option } from 'commander';
import { printProgress } from './assets-command.ts';
import { chooseDemo, DEMO_NAMES } from './demo.ts';
import { describeDetector } from './model-option.ts';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface FaultsOptions {
  readonly kills: number;
  readonly seed: number;
  readonly scene: string;
  readonly json?: string;
  readonly keep?: true;
}

/** Threads of the replay; its result does not depend on it. */
const THREADS = 2;

/** `ngatu faults`: the live fault campaign. */
export function buildCommand(): Command {
  return new Command('faults')
    .description(
      'Runs everything on a clip that repeats, kills agent, broker and ingestor with SIGKILL at random instants, and compares\n' +
        'the outbox, the centre and the replay of the clip. Needs a machine with a core to spare: on an overloaded one the\n' +
        'agent drops frames. Exit code 1 where something does not hold.',
    )
    .option('--kills <number>', 'kills of each of the three parts', readCount, 20)
    .addOption(
      new Option('--seed <number>', 'repeats the instants of an earlier campaign')
        .argParser(readCount)
        .default(Date.now() % 1_000_000, 'another one each time'),
    )
    .addOption(new Option('--scene <name>', 'what the camera sees').choices(DEMO_NAMES).default('hanoi'))
    .option('--json <file>', 'write the record and the verdict as JSON')
    .option('--keep', 'leave the data folder of the run where it is')
    .action(runCampaign);
}

async function runCampaign({ kills, seed, scene, json, keep }: FaultsOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const demo = await openCampaignDemo(scene, stop.signal);
    const program = [process.execPath, join(findRepositoryRoot(), 'cli', 'bin', 'ngatu.mjs')];
    const say = (line: string) => console.error(line);
    const record = await runFaultCampaign(
      { program, demo, kills, seed, say, keepsData: keep === true },
      stop.signal,
    ).finally(() => demo.detector.close());
    const verdict = checkCampaign(record);
    console.log(formatCampaign(record, verdict));
    if (json !== undefined) await writeJson(json, { verdict, record });
    if (!verdict.holds) process.exitCode = 1;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.error('stopped before its end: nothing was judged');
    process.exitCode = 1;
  } finally {
    stop.dispose();
  }
}

/** The demonstration as `ngatu start` will choose it, for its replay. */
async function openCampaignDemo(name: string, signal: AbortSignal): Promise<FaultCampaignOptions['demo']> {
  const store = new AssetStore();
  const say = (line: string) => console.error(line);
  const { profile, model, videoPath } = await chooseDemo(store, {
    ...{ name, signal, onProgress: printProgress(say) },
    onPassed: (passed, reason) => say(`not the scene ${passed}: ${reason}`),
  });
  const [scene] = profile.scenes.values();
  if (scene === undefined) throw new RangeError(`the profile of ${name} has no camera`);
  const { minConfidence } = profile.profile.detector;
  const weights = await store.resolveModel(model, { signal });
  const detector = await openDetector(describeDetector(weights, { minConfidence, threads: THREADS }));
  return { name, video: videoPath, scene: scene.scene, sceneSha256: scene.sha256, detector };
}
