import { setTimeout as sleep } from 'node:timers/promises';
import { NgatuError } from '@ngatu/contract';
import { SensorHub } from '@ngatu/edge';
import { loadProfile } from '@ngatu/firmware-config';
import { Command } from 'commander';
import { pino } from 'pino';
import { readCount } from './option.ts';
import { writeJson } from './output-file.ts';
import { buildSensors } from './sensor-config.ts';

import { watchStopSignals } from './stop-signal.ts';
import { formatColumns } from './text-columns.ts';

interface SensorOptions {
  readonly wait: number;
  readonly json?: string;
}

const LOOK_EVERY_MS = 50;
const REASON_LENGTH = 80;

/** `ngatu sensor PROFILE`: what every sensor says now. */
export function buildCommand(): Command {
  return new Command('sensor')
    .description(
      'Reads every sensor of a gateway profile once and prints value, unit, quality and what is wrong. Ends with 1 where a reading is not good.\n' +
        'A device that publishes is waited for. Rates of change and stuck values need more than one reading: the agent looks for them.',
    )
    .argument('<profile>', 'gateway profile (firmware-config/profiles)')
    .option('--wait <seconds>', 'give up on what has not answered by then', readCount, 15)
    .option('--json <file>', 'write the readings as JSON')
    .addHelpText('after', '\nSecrets come from the environment variables that the profile names.')
    .action(readSensors);
}

async function readSensors(file: string, options: SensorOptions): Promise<void> {
  const sensors = buildSensors(await loadProfile(file));
  if (sensors.length === 0) throw new NgatuError('USAGE', `Cannot read sensors: ${file} names none`);
  const stop = watchStopSignals(() => undefined);
  const done = new AbortController();
  const hub = new SensorHub({
    sensors,
    clientId: `ngatu-read-${process.pid}`,
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    random: Math.random,
    logger: pino({ level: 'silent' }),
  });
  const running = hub.run(AbortSignal.any([stop.signal, done.signal]));
  const deadline = performance.now() + options.wait * 1_000;
  try {
    const isMissing = (): boolean => hub.readings.some(({ latest }) => latest === undefined);
    while (isMissing() && performance.now() < deadline && !stop.signal.aborted) await sleep(LOOK_EVERY_MS);
  } finally {
    done.abort();
    await running;
    stop.dispose();
  }
  const rows = hub.readings.map(({ sensor, reading, latest }) => ({
    sensor,
    metric: reading.metric,
    ...(reading.channel === undefined ? {} : { channel: reading.channel }),
    unit: reading.unit,
    ...(latest?.value === undefined ? {} : { value: Number(latest.value.toPrecision(7)) }),
    quality: latest?.quality ?? 'bad',
    ...(latest === undefined ? { fault: 'unreachable', reason: 'nothing came' } : {}),
    ...(latest?.fault === undefined ? {} : { fault: latest.fault, reason: latest.reason ?? '' }),
  }));
  if (options.json !== undefined) await writeJson(options.json, { readings: rows });
  const head = ['sensor', 'quantity', 'value', 'unit', 'quality', 'fault', ''];
  const cells = rows.map(({ sensor, metric, channel, value, unit, quality, fault, reason }) => [
    sensor,
    channel === undefined ? metric : `${metric} ${channel}`,
    value === undefined ? '–' : String(value),
    unit,
    quality,
    fault ?? '',
    (reason ?? '').slice(0, REASON_LENGTH),
  ]);
  console.log(formatColumns([head, ...cells]));
  if (rows.some(({ quality }) => quality !== 'good')) process.exitCode = 1;
}
