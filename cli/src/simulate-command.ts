import { join } from 'node:path';
import { type EventKind, NgatuError } from '@ngatu/contract';
import type { Detector } from '@ngatu/edge';
import {
  AssetStore,
  compareRecall,
  formatRecallTable,
  type HarvestedStreet,
  harvestStreet,
  RENDERED_KINDS,
  renderCases,
} from '@ngatu/models';
import { REAL_STREETS, runCameraSimulator } from '@ngatu/simulators';
import { Command } from 'commander';
import { readKind } from './eval-rules-command.ts';
import { openLogger } from './logger.ts';
import { openNamedDetector } from './model-option.ts';
import { readCount, readPort } from './option.ts';
import { writeJson } from './output-file.ts';
import { addGateSimulation } from './simulate-gate-command.ts';
import { addNoiseSimulation } from './simulate-noise-command.ts';
import { addSensorSimulation } from './simulate-sensors-command.ts';
import { watchStopSignals } from './stop-signal.ts';

interface SceneOptions {
  readonly rule: string;
  readonly cases: number;
  readonly seed: number;
  readonly out: string;
  readonly model?: string;
  readonly serve?: number;
}

interface RecallOptions {
  readonly cases: number;
  readonly seed: number;
  readonly json?: string;
  readonly model?: string;
}

/** `ngatu simulate`: scenes with exact truth (docs/scene-simulator.md). */
export function buildCommand(): Command {
  const command = new Command('simulate').description(
    'Simulate with exact truth: rendered streets, the recall and the noise of the detector on them, street sensors, a fever gate.',
  );
  command
    .command('scene')
    .description(
      'render cases of a rule over real backgrounds with real road users, as NAME.mp4, NAME.scene.yaml and NAME.truth.json for\n' +
        '`ngatu eval violations`; every other case is a near-miss',
    )
    .requiredOption('--rule <kind>', `one of ${RENDERED_KINDS.join(', ')}`)
    .requiredOption('--out <dir>', 'folder for the clips')
    .option('--cases <number>', 'how many', readCount, 20)
    .option('--seed <number>', 'seed of the first case; the others follow', readCount, 0)
    .option(
      '--serve <port>',
      'then serve the clips as live RTSP cameras on this port until stopped',
      readPort,
    )
    .option('--model <name>', 'detector that finds the road users to cut out; by default that of the product')
    .action(renderScenes);
  command
    .command('recall')
    .description('compare how the detector finds rendered road users with how it finds real ones')
    .option('--cases <number>', 'rendered cases a rule and weather', readCount, 1)
    .option('--seed <number>', 'seed of the first case', readCount, 0)
    .option('--json <file>', 'write the figures as JSON')
    .option('--model <name>', 'detector of the model registry; by default that of the product')
    .action(measureRecall);
  addNoiseSimulation(command);
  addSensorSimulation(command);
  addGateSimulation(command);
  return command;
}

async function renderScenes(options: SceneOptions): Promise<void> {
  const kind = readRenderedKind(options.rule);
  const stop = watchStopSignals(() => undefined);
  try {
    const { detector } = await openNamedDetector(options.model, stop.signal);
    const streets = await harvestStreets(detector, stop.signal).finally(() => detector.close());
    const { cases, seed, out } = options;
    const rendered = await renderCases(
      { kind, cases, seed, dir: out, streets, onCase: (name, story) => console.error(`${name}: ${story}`) },
      stop.signal,
    );
    console.log(`${rendered.length} cases in ${out}; judge them: npx ngatu eval violations --data ${out}`);
    if (options.serve === undefined) return;
    const mounts = rendered.map(({ name, video }) => ({ path: `/${name}`, file: video }));
    await runCameraSimulator(
      {
        mounts,
        cacheDir: join(out, '.camera'),
        port: options.serve,
        host: '127.0.0.1',
        logger: openLogger('camera'),
      },
      stop.signal,
      ({ cameras }) => {
        for (const { url } of cameras) console.log(url);
      },
    );
  } finally {
    stop.dispose();
  }
}

async function measureRecall(options: RecallOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  const { detector } = await openNamedDetector(options.model, stop.signal);
  try {
    const comparisons = [];
    for (const harvest of await harvestStreets(detector, stop.signal)) {
      console.error(`drawing on ${harvest.street.asset}`);
      const cases = { kinds: RENDERED_KINDS, casesPerKind: options.cases, seed: options.seed };
      comparisons.push(await compareRecall(harvest, cases, detector, stop.signal));
    }
    console.log(formatRecallTable(comparisons));
    if (options.json !== undefined) await writeJson(options.json, { model: detector.model, comparisons });
  } finally {
    await detector.close();
    stop.dispose();
  }
}

/** The streets whose clips can be had. @throws NgatuError ASSET_UNAVAILABLE where none can */
async function harvestStreets(detector: Detector, signal: AbortSignal): Promise<HarvestedStreet[]> {
  const store = new AssetStore();
  const streets: HarvestedStreet[] = [];
  for (const street of REAL_STREETS) {
    const asset = await store.find(street.asset, signal);
    if (asset === undefined) continue;
    console.error(`cutting road users out of ${street.asset}`);
    const harvest = await harvestStreet(street, asset.path, detector, signal);
    console.error(
      `${harvest.cutouts.length} cutouts: ${harvest.labels.join(', ') || 'too few of any class'}`,
    );
    if (harvest.labels.length > 0) streets.push(harvest);
  }
  if (streets.length > 0) return streets;
  const names = REAL_STREETS.map(({ asset }) => asset).join(', ');
  throw new NgatuError('ASSET_UNAVAILABLE', `Cannot render streets: none of ${names} can be had`);
}

function readRenderedKind(text: string): EventKind {
  const kind = readKind(text);
  if (RENDERED_KINDS.some((entry) => entry === kind)) return kind;
  throw new NgatuError('USAGE', `Cannot render ${kind}: known are ${RENDERED_KINDS.join(', ')}`);
}
