import { NgatuError } from '@ngatu/contract';
import {
  type FaultedSeries,
  GENERATED_METRICS,
  generateSeries,
  injectFaults,
  loadRecordedSeries,
  type SensorSeries,
  startSensorSimulator,
  WIRE_FAULTS,
  type WireFault,
  withoutFaults,
} from '@ngatu/simulators';
import { type Command, Option } from 'commander';
import { readCount, readPort } from './option.ts';
import { writeJson } from './output-file.ts';
import { runPart } from './part-process.ts';
import { formatSensorTrial, scoreSeries } from './sensor-trial.ts';

interface SeriesOptions {
  readonly recorded: readonly string[];
  readonly days: number;
  readonly interval: number;
  readonly seed: number;
  readonly faults: number;
}

interface ServeOptions extends SeriesOptions {
  readonly host: string;
  readonly port: number;
  readonly unit: number;
  readonly speed: number;
  readonly mqtt?: string;
  readonly topic: string;
  readonly wire?: WireFault;
  readonly truth?: string;
}

const INTERVAL_S = 30;

/** Adds `ngatu simulate sensors` and `ngatu simulate sensor-faults`. */
export function addSensorSimulation(command: Command): void {
  const serve = command
    .command('sensors')
    .description(
      'serve a street sensor by Modbus TCP, and by MQTT where a broker is named: generated or recorded series, with faults of which the\n' +
        'truth is known (register map: firmware-config/sensors/street-simulator.yaml)',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port of the Modbus server; 0 takes a free one', readPort, 1502)
    .option('--unit <number>', 'its address on the bus', readCount, 1)
    .option('--speed <times>', 'time runs so many times as fast', readCount, 1)
    .option('--mqtt <url>', 'broker to publish to as well')
    .option('--topic <topic>', 'topic below which the quantities are published', 'street')
    .addOption(new Option('--wire <fault>', 'spoil every answer of the Modbus server').choices(WIRE_FAULTS))
    .option('--truth <file>', 'write the injected faults as JSON')
    .action(serveSensors);
  const trial = command
    .command('sensor-faults')
    .description(
      'run series with injected faults through the checks of the node in simulated time: how many faults of each kind are found, how late,\n' +
        'and how often a sound reading is refused',
    )
    .option('--json <file>', 'write the figures as JSON')
    .action(measureFaults);
  for (const each of [serve, trial]) addSeriesOptions(each);
}

function addSeriesOptions(command: Command): void {
  command
    .option(
      '--recorded <file...>',
      'rows of time and value instead of generated series (occupancy…, speed…, TravelTime….csv)',
      [],
    )
    .option('--days <number>', 'length of generated series', readCount, 30)
    .option('--interval <seconds>', 'between two readings of generated series', readCount, INTERVAL_S)
    .option('--seed <number>', 'of series and faults', readCount, 1)
    .option('--faults <number>', 'injected faults of each kind and series', readCount, 6);
}

async function serveSensors(options: ServeOptions): Promise<void> {
  await runPart(async ({ signal, ready }) => {
    const { host, port, unit, mqtt, topic, seed, wire } = options;
    const series = await buildSeries(options);
    const metrics = new Set(series.map(({ metric }) => metric));
    if (metrics.size < series.length)
      throw new NgatuError('USAGE', 'Cannot serve two series of one quantity: name one file of each');
    await using simulator = await startSensorSimulator({
      ...{ series, host, port, unit, seed, startMs: 0, speed: Math.max(1, options.speed) },
      ...(mqtt === undefined ? {} : { mqtt: { url: mqtt, topic } }),
    });
    simulator.setWireFault(wire);
    if (options.truth !== undefined) {
      const faults = simulator.truth.map(({ fromMs, toMs, ...fault }) => ({
        ...fault,
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
      }));
      await writeJson(options.truth, { seed, faults });
    }
    console.log(`Modbus TCP on ${host}:${simulator.port}, unit ${unit}, input registers:`);
    for (const { metric, address } of simulator.registers) console.log(`  ${address} ${metric} (f32)`);
    if (mqtt !== undefined) console.log(`publishing to ${topic}/… every interval`);
    ready({ port: simulator.port });
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  });
}

async function measureFaults(options: SeriesOptions & { readonly json?: string }): Promise<void> {
  const scores = (await buildSeries(options)).map(scoreSeries);
  console.log(formatSensorTrial(scores));
  if (options.json !== undefined) {
    const { seed, days, faults } = options;
    await writeJson(options.json, { seed, days, faultsOfEachKind: faults, series: scores });
  }
}

async function buildSeries({
  recorded,
  days,
  interval,
  seed,
  faults,
}: SeriesOptions): Promise<FaultedSeries[]> {
  const intervalMs = Math.max(1, interval) * 1_000;
  const series: SensorSeries[] =
    recorded.length > 0
      ? await Promise.all(recorded.map(loadRecordedSeries))
      : GENERATED_METRICS.map((metric) => generateSeries({ metric, seed, intervalMs, days }));
  return series.map((each) =>
    faults === 0 ? withoutFaults(each) : injectFaults(each, { seed, perKind: faults }),
  );
}
