import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkCampaign,
  FAULT_KINDS,
  formatCampaign,
  planFaults,
  runFaultCampaign,
  runFaultNode,
} from '@ngatu/benchmarks';
import { NgatuError } from '@ngatu/contract';
import { openDetector } from '@ngatu/edge';
import { AssetStore } from '@ngatu/models';
import { Command, Option } from 'commander';
import { printProgress } from './assets-command.ts';
import { chooseDemo, DEMO_NAMES } from './demo.ts';
import { FaultRig, SECOND_NODE } from './fault-rig.ts';
import { openLogger } from './logger.ts';
import { describeDetector } from './model-option.ts';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';
import { runPart } from './part-process.ts';
import { watchStopSignals } from './stop-signal.ts';
import type { PartEvent } from './supervisor.ts';

interface FaultsOptions {
  readonly faults: number;
  readonly seed: number;
  readonly kinds: readonly string[];
  readonly scene: string;
  readonly json?: string;
  readonly keep?: true;
  readonly verbose?: true;
  readonly list?: true;
}

/** Threads of the replay; its result does not depend on it. */
const THREADS = 2;
/** Enough to find most of what the demonstration shows, and it leaves most of two cores to everything else. */
const MAX_FPS = 5;

/** `ngatu faults`: the fault campaign. */
export function buildCommand(): Command {
  const command = new Command('faults')
    .description(
      'Runs everything on a clip that repeats, and does to it what can go wrong: kills, full and failing disks, broken lines,\n' +
        'damaged files, wrong clocks, mad cameras; after each fault it waits until everything works again. Then it compares what was\n' +
        'appended with what the centre has. Needs root for disks of its own, and a machine with a core to spare. Exit code 1 where\n' +
        'something does not hold.',
    )
    .option('--faults <number>', 'how many', readCount, 100)
    .addOption(
      new Option('--seed <number>', 'repeats the schedule of an earlier campaign')
        .argParser(readCount)
        .default(Date.now() % 1_000_000, 'another one each time'),
    )
    .addOption(
      new Option('--kinds <names>', 'only these kinds of faults, with commas between')
        .argParser((text) => text.split(',').map((name) => name.trim()))
        .default([], 'all'),
    )
    .addOption(new Option('--scene <name>', 'what the camera sees').choices(DEMO_NAMES).default('hanoi'))
    .option('--json <file>', 'write the record and the verdict as JSON')
    .option('--keep', 'leave the data folder of the run where it is')
    .option('--verbose', 'say what becomes of each process')
    .option('--list', 'list the kinds of faults, and do none')
    .action(runCampaign);
  command.addCommand(buildNodeCommand(), { hidden: true });
  return command;
}

async function runCampaign(options: FaultsOptions): Promise<void> {
  if (options.list) {
    for (const { name, title } of FAULT_KINDS) console.log(`${name.padEnd(26)} ${title}`);
    return;
  }
  const stop = watchStopSignals(() => undefined);
  const data = await mkdtemp(join(tmpdir(), 'ngatu-faults-'));
  try {
    const { record, verdict } = await judgeCampaign(options, data, stop.signal);
    console.log(formatCampaign(record, verdict));
    if (options.json !== undefined) await writeJson(options.json, { verdict, record });
    if (!verdict.holds) process.exitCode = 1;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.error('stopped before its end: nothing was judged');
    process.exitCode = 1;
  } finally {
    stop.dispose();
    if (options.keep) console.error(`data folder kept: ${data}`);
    else await rm(data, { recursive: true, force: true });
  }
}

async function judgeCampaign(options: FaultsOptions, data: string, signal: AbortSignal) {
  const { faults, seed, scene: name, verbose } = options;
  const plan = planFaults(faults, seed, chooseKinds(options.kinds));
  const say = (line: string) => console.error(line);
  const store = new AssetStore();
  const demo = await chooseDemo(store, {
    ...{ name, isAlone: true, signal, onProgress: printProgress(say) },
    onPassed: (what, reason) => say(`not ${what}: ${reason}`),
  });
  const onEvent = (event: PartEvent) => verbose && say(describeEvent(event));
  await using target = await FaultRig.open({ demo, data, maxFps: MAX_FPS, seed, onEvent });
  const { profile, scenes } = target.profile;
  const [found] = scenes.values();
  if (found === undefined) throw new RangeError(`the profile of ${name} has no camera`);
  const { minConfidence } = profile.detector;
  const weights = await store.resolveModel(demo.model, { signal });
  const detector = await openDetector(describeDetector(weights, { minConfidence, threads: THREADS }));
  const { scene, sha256: sceneSha256 } = found;
  const record = await runFaultCampaign(
    {
      ...{ target, plan, seed, say, demo: { video: demo.videoPath, scene, sceneSha256, detector } },
      nodes: { edge: profile.node, node: SECOND_NODE },
    },
    signal,
  ).finally(() => detector.close());
  return { record, verdict: checkCampaign(record) };
}

function chooseKinds(names: readonly string[]) {
  const unknown = names.find((name) => FAULT_KINDS.every((kind) => kind.name !== name));
  if (unknown !== undefined)
    throw new NgatuError('USAGE', `Cannot do "${unknown}": no such kind of fault (see ngatu faults --list)`);
  return names.length === 0 ? FAULT_KINDS : FAULT_KINDS.filter(({ name }) => names.includes(name));
}

function describeEvent(event: PartEvent): string {
  const at = new Date().toISOString().slice(11, 23);
  if (event.kind === 'died') return `${at} ${event.part} died: ${event.reason}`;
  return event.kind === 'ready'
    ? `${at} ${event.part} ready after ${Math.round(event.tookMs)} ms`
    : `${at} ${event.part}`;
}

interface NodeOptions {
  readonly site: string;
  readonly node: string;
  readonly broker: string;
  readonly data: string;
  readonly journal: string;
  readonly every: number;
}

/** The second node of a campaign, which its supervisor starts. */
function buildNodeCommand(): Command {
  return new Command('node')
    .description('The second node of a fault campaign: outbox and uplink under a generator.')
    .requiredOption('--site <name>', 'name of its site')
    .requiredOption('--node <name>', 'its name, also at the broker')
    .requiredOption('--broker <url>', 'address of the broker')
    .requiredOption('--data <folder>', 'folder of its outbox and its identity')
    .requiredOption('--journal <file>', 'where it notes what it does')
    .requiredOption('--every <number>', 'time between two events, ms', readCount)
    .action(({ site, node, broker: url, data: dataDir, journal, every: everyMs }: NodeOptions) =>
      runPart(({ signal, ready }) => {
        const broker = { url, identityDir: join(dataDir, 'identity') };
        const logger = openLogger('node');
        return runFaultNode({ site, node, broker, dataDir, journal, everyMs, logger }, ready, signal);
      }),
    );
}
