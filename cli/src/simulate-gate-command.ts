import { createWriteStream } from 'node:fs';
import { type GateVisit, SimulatedGate, startGateServer } from '@ngatu/simulators';
import { type Command, Option } from 'commander';
import { readCount, readPort, readShare } from './option.ts';
import { writeOutput } from './output-file.ts';
import { runPart } from './part-process.ts';

interface GateOptions {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  readonly sensor: 'small' | 'full';
  readonly rate: number;
  readonly fever: number;
  readonly mistakes: number;
  readonly truth?: string;
}

/** Adds `ngatu simulate fever-gate`. */
export function addGateSimulation(command: Command): void {
  command
    .command('fever-gate')
    .description(
      'serve a thermal camera before which people stand one after the other, and the air of its room, over HTTP (docs/fever.md); the faces\n' +
        'are a model with exact truth',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port of the server; 0 takes a free one', readPort, 1503)
    .option('--seed <number>', 'of place and people', readCount, 1)
    .addOption(
      new Option('--sensor <size>', 'small has 320 × 240 pixels, full 640 × 480')
        .choices(['small', 'full'])
        .default('small'),
    )
    .option('--rate <number>', 'pictures a second', readCount, 9)
    .option('--fever <share>', 'of people with fever', readShare, 0.03)
    .option(
      '--mistakes <share>',
      'of people who wear glasses, turn away and the like at first',
      readShare,
      0.2,
    )
    .option(
      '--truth <file>',
      'write each visit that has ended: a line of JSON with its times and the temperature of the skin',
    )
    .action(serveGate);
}

async function serveGate(options: GateOptions): Promise<void> {
  await runPart(async ({ signal, ready }) => {
    const { host, port, seed, sensor, fever: feverShare, mistakes: mistakeShare } = options;
    const framesPerSecond = Math.max(1, options.rate);
    const beganMs = Date.now();
    await using truth = await openTruth(options.truth, beganMs);
    const plan = { seed, sensor, feverShare, mistakeShare, framesPerSecond };
    const gate = new SimulatedGate(plan, truth.note);
    await using server = await startGateServer({ gate, host, port, beganMs });
    const { x, y, width, height, setC } = gate.blackbody;
    const url = `http://${host}:${server.port}`;
    console.log(`thermal camera: ${url}/matrix; air of the room: ${url}/air`);
    console.log(
      `blackbody: { x: ${x}, y: ${y}, width: ${width}, height: ${height}, setC: ${setC}, accuracyC: 0.1 }`,
    );
    ready({ port: server.port });
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  });
}

interface TruthFile extends AsyncDisposable {
  readonly note: (visit: GateVisit) => void;
}

/** @throws NgatuError PERMISSION_DENIED, DISK_FULL, FILE_UNWRITABLE where the file cannot be begun */
async function openTruth(file: string | undefined, beganMs: number): Promise<TruthFile> {
  if (file === undefined) return { note: () => {}, [Symbol.asyncDispose]: async () => {} };
  await writeOutput(file, '');
  const lines = createWriteStream(file, { flags: 'a' });
  lines.on('error', (error) => console.error(`the truth is not written any more: ${error.message}`));
  const toTime = (atMs: number): string => new Date(beganMs + atMs).toISOString();
  return {
    note: ({ phases: _, fromMs, toMs, ...visit }) => {
      lines.write(`${JSON.stringify({ from: toTime(fromMs), to: toTime(toMs), ...visit })}\n`);
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => lines.end(() => resolve())),
  };
}
