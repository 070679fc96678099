import { resolve } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { describeThermalFrame, readThermalFile } from '@ngatu/edge';
import { Command } from 'commander';
import { watchStopSignals } from './stop-signal.ts';

interface ThermalOptions {
  readonly unit?: 'Cel' | '[degF]' | 'K';
  readonly emissivity?: number;
  readonly distance?: number;
  readonly gain?: number;
  readonly offset?: number;
  readonly frames: number;
  readonly minFaceWidth: number;
}

const UNITS = ['Cel', '[degF]', 'K'] as const;

/** `ngatu thermal FILE`: what a thermal file holds. */
export function buildCommand(): Command {
  return new Command('thermal')
    .description(
      'Prints the temperatures of a thermal file and what the gate would see in it: FLIR JPEG, SEQ and CSQ, 16-bit video,\n' +
        'matrices as text or JSON.',
    )
    .argument('<file>')
    .option('--unit <code>', 'unit of a text matrix: Cel, [degF] or K; by default as the file says', readUnit)
    .option('--emissivity <number>', 'instead of what a FLIR camera was set to', readNumber)
    .option('--distance <metres>', 'instead of what a FLIR camera was set to', readNumber)
    .option('--gain <number>', '16-bit video: °C for each raw step', readNumber)
    .option('--offset <number>', '16-bit video: °C at raw 0', readNumber)
    .option('--frames <number>', 'read at most so many frames', readNumber, 16)
    .option('--min-face-width <px>', 'a smaller face is too far away', readNumber, 60)
    .action(show);
}

function readUnit(text: string): (typeof UNITS)[number] {
  const unit = UNITS.find((code) => code === text);
  if (unit === undefined)
    throw new NgatuError('USAGE', `Cannot read the unit "${text}": expected ${UNITS.join(', ')}`);
  return unit;
}

function readNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new NgatuError('USAGE', `Cannot read "${text}": expected a number`);
  return value;
}

async function show(file: string, options: ThermalOptions): Promise<void> {
  const { unit, emissivity, distance, gain, offset } = options;
  if ((gain === undefined) !== (offset === undefined))
    throw new NgatuError('USAGE', 'Cannot map raw values: --gain and --offset belong together');
  const stop = watchStopSignals(() => undefined);
  try {
    const read = await readThermalFile(
      resolve(file),
      {
        maxFrames: Math.max(1, options.frames),
        conditions: {
          ...(emissivity === undefined ? {} : { emissivity }),
          ...(distance === undefined ? {} : { distanceM: distance }),
        },
        ...(unit === undefined ? {} : { format: { unit } }),
        ...(gain === undefined || offset === undefined
          ? {}
          : { mapping: { kind: 'linear', gain, offsetC: offset } }),
      },
      stop.signal,
    );
    console.log(`${read.kind}, ${read.frames.length} frames`);
    for (const note of read.notes) console.log(`  ${note}`);
    for (const [index, frame] of read.frames.entries())
      console.log(`  frame ${index}: ${describeThermalFrame(frame, options.minFaceWidth)}`);
  } finally {
    stop.dispose();
  }
}
