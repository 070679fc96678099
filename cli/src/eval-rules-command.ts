import { EVENT_KINDS, type EventKind, NgatuError } from '@ngatu/contract';
import { formatCampaignTable, runSceneCampaign, tellCase } from '@ngatu/models';
import { DETECTION_NOISE, SIMULATED_KINDS } from '@ngatu/simulators';
import type { Command } from 'commander';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface RuleOptions {
  readonly rule?: string;
  readonly cases: number;
  readonly seed: number;
  readonly json?: string;
  readonly replay?: number;
  readonly perfect: boolean;
}

/** `ngatu eval rules`. */
export function addRuleEvaluation(command: Command): void {
  command
    .command('rules')
    .description(
      'tracker and rules on simulated streets with exact truth and the detector’s measured noise (docs/scene-simulator.md):\n' +
        'every other case is a near-miss that must not fire',
    )
    .option('--rule <kind>', `one kind of ${SIMULATED_KINDS.join(', ')}; all where it is left out`)
    .option('--cases <number>', 'cases a kind', readCount, 200)
    .option('--seed <number>', 'seed of the first case; the others follow', readCount, 0)
    .option('--json <file>', 'write the metrics with every mismatch as JSON')
    .option('--replay <seed>', 'tell the story of the one case with this seed; needs --rule', readCount)
    .option('--perfect', 'a detector without noise: what is wrong then is the rule or the tracker', false)
    .action(evaluate);
}

async function evaluate(options: RuleOptions): Promise<void> {
  const noise = options.perfect ? undefined : DETECTION_NOISE;
  const kinds = options.rule === undefined ? SIMULATED_KINDS : [readKind(options.rule)];
  if (options.replay !== undefined) {
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1)
      throw new NgatuError('USAGE', 'Cannot replay: --rule is missing');
    console.log(tellCase(kind, options.replay, noise));
    return;
  }
  const stop = watchStopSignals(() => undefined);
  try {
    const metrics = await runSceneCampaign(
      {
        kinds,
        casesPerKind: options.cases,
        seed: options.seed,
        ...(noise === undefined ? {} : { noise }),
        onCase: (kind, done) => {
          if (done === 1) console.error(`playing ${options.cases} cases of ${kind}`);
        },
      },
      stop.signal,
    );
    console.log(formatCampaignTable(metrics));
    if (options.json !== undefined) await writeJson(options.json, metrics);
  } finally {
    stop.dispose();
  }
}

/** @throws NgatuError USAGE */
export function readKind(text: string): EventKind {
  const kind = EVENT_KINDS.find((entry) => entry === text.toUpperCase().replaceAll('-', '_'));
  if (kind === undefined || !SIMULATED_KINDS.includes(kind)) {
    throw new NgatuError('USAGE', `Cannot simulate "${text}": known are ${SIMULATED_KINDS.join(', ')}`);
  }
  return kind;
}
