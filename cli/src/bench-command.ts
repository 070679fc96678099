import { join } from 'node:path';
import { AGENT_COST_LIMIT, formatAgentCost, measureAgentCost } from '@ngatu/benchmarks';
import { NgatuError } from '@ngatu/contract';
import { loadScene } from '@ngatu/firmware-config';
import { AssetStore, findRepositoryRoot } from '@ngatu/models';
import { Command } from 'commander';
import { addDeliveryBench } from './bench-delivery-command.ts';
import { addLinkBench } from './bench-link-command.ts';
import { DEFAULT_DETECTOR } from './model-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

/** `ngatu bench`. */
export function buildCommand(): Command {
  const command = new Command('bench')
    .enablePositionalOptions()
    .description(
      'Measure the CPU time of the whole live agent per analysed frame against decoding alone plus inference alone.',
    )
    .option('--json <file>', 'write the figures as JSON')
    .option('--seconds <n>', 'length of the measured stretch', '60')
    .action(bench);
  addDeliveryBench(command);
  addLinkBench(command);
  return command;
}

async function bench(options: { json?: string; seconds: string }): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  const root = findRepositoryRoot();
  const store = new AssetStore();
  try {
    const video = await store.resolve('hanoi-giangvo-langha-1615', { signal: stop.signal });
    const model = await store.resolveModel(DEFAULT_DETECTOR, { signal: stop.signal });
    const { scene } = await loadScene(join(root, 'firmware-config/scenes/hanoi-giangvo-langha.scene.yaml'));
    const cost = await measureAgentCost(
      {
        program: [process.execPath, join(root, 'dist', 'ngatu.mjs')],
        video: video.path,
        picture: scene.picture,
        model: model.path,
        scene: 'hanoi',
        measureSeconds: Number(options.seconds),
        warmUpSeconds: 15,
        say: (line) => console.error(line),
      },
      stop.signal,
    );
    console.log(formatAgentCost(cost));
    if (options.json !== undefined) await writeJson(options.json, cost);
    if (cost.eventsAppended === 0)
      throw new NgatuError('CHILD_FAILED', 'Cannot accept the measurement: no event was found');
    if (cost.ratio > AGENT_COST_LIMIT) process.exitCode = 1;
  } finally {
    stop.dispose();
  }
}
