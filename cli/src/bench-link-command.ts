import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DESIGN_SIZES, formatLink, judgeLink, runLinkProof } from '@ngatu/benchmarks';
import { buildCentrePaths, SqliteEventStore } from '@ngatu/cloud';
import { NgatuError } from '@ngatu/contract';
import { CONGESTION_CONTROLS, SeededRandom } from '@ngatu/simulators';
import type { Command } from 'commander';
import { BenchRig } from './bench-rig.ts';
import { openLogger } from './logger.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface Options {
  readonly minutes: string;
  readonly fetches: string;
  readonly cameras: string;
  readonly violations: string;
  readonly mbit: string;
  readonly roundTrip: string;
  readonly loss: string;
  readonly congestion: string;
  readonly flows: string;
  readonly budget?: string;
  readonly seed: string;
  readonly json?: string;
}

/** Payload of uploads: what headers and events take stays free. */
const BUDGET_SHARE = 0.92;
/** The clip ends five seconds after the moment; then stills and clip are made, ms. */
const EVIDENCE_DELAY_MS = 6_500;

/** `ngatu bench link`. */
export function addLinkBench(command: Command): void {
  command
    .command('link')
    .description(
      'Measure a commune behind an emulated narrow link: events, stills and fetched originals, with real broker and ingestor.',
    )
    .option('--minutes <n>', 'length of the stretch; nothing is compressed in time', '10')
    .option('--fetches <n>', 'originals that are fetched meanwhile', '4')
    .option('--cameras <n>', 'cameras of the commune', '8')
    .option('--violations <n>', 'violations an hour and camera', '20')
    .option('--mbit <n>', 'rate of the link, Mbit/s', '4')
    .option('--round-trip <ms>', 'round trip of the link, ms', '200')
    .option('--loss <percent>', 'loss of the link, percent', '2')
    .option('--congestion <name>', `congestion control: ${CONGESTION_CONTROLS.join(', ')}`, 'cubic')
    .option('--flows <n>', 'connections that carry files side by side', '16')
    .option('--budget <mbit>', 'what uploads may send, Mbit/s (default: 92 % of the link)')
    .option('--seed <n>', 'seed of losses and violations', '1')
    .option('--json <file>', 'write the figures as JSON')
    .action(bench);
}

async function bench(options: Options): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), 'ngatu-bench-link-'));
  const seed = Number(options.seed);
  const violations = new SeededRandom(seed);
  const bitsPerSecond = Number(options.mbit) * 1e6;
  const congestionControl = CONGESTION_CONTROLS.find((name) => name === options.congestion);
  if (congestionControl === undefined)
    throw new NgatuError('USAGE', `There is no congestion control "${options.congestion}"`);
  try {
    await using rig = await BenchRig.start(folder);
    using store = SqliteEventStore.open(buildCentrePaths(rig.centreDir).events);
    const { site, node, brokerPort, uploadPort, uploadToken, credentials, identityDir } = rig;
    const figures = await runLinkProof(
      {
        target: { site, node, brokerPort, uploadPort, uploadToken, credentials, identityDir, store },
        link: {
          ...{ bitsPerSecond, roundTripMs: Number(options.roundTrip), congestionControl, seed },
          lossFraction: Number(options.loss) / 100,
        },
        flows: Number(options.flows),
        budgetBitsPerSecond:
          options.budget === undefined ? BUDGET_SHARE * bitsPerSecond : Number(options.budget) * 1e6,
        cameras: Number(options.cameras),
        violationsPerCameraHour: Number(options.violations),
        seconds: Number(options.minutes) * 60,
        evidenceDelayMs: EVIDENCE_DELAY_MS,
        sizes: DESIGN_SIZES,
        fetches: Number(options.fetches),
        dataDir: join(folder, 'node'),
        logger: openLogger('bench'),
        random: () => violations.next(),
        say: (line) => console.error(line),
      },
      stop.signal,
    );
    console.log(formatLink(figures));
    if (options.json !== undefined) await writeJson(options.json, figures);
    const complaints = judgeLink(figures);
    for (const complaint of complaints) console.error(`not as it must be: ${complaint}`);
    if (complaints.length > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    stop.dispose();
  }
}
