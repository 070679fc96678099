import { once } from 'node:events';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { connectAsync, type MqttClient } from 'mqtt';
import { SeededRandom } from '../random/seeded-random.ts';
import type { FaultedSeries, InjectedFault, SimulatedReading } from './fault-injection.ts';
import { SimulatedModbusServer, type WireFault } from './modbus-server.ts';
import { type ImageEntry, RegisterImage } from './register-image.ts';

export interface SensorSimulatorOptions {
  readonly series: readonly FaultedSeries[];
  readonly host: string;
  /** Port of the Modbus server; 0 takes a free one. */
  readonly port: number;
  readonly unit: number;
  /** Broker to which the same readings are published, and the topic below which they lie. */
  readonly mqtt?: { readonly url: string; readonly topic: string };
  /** Time of the series runs so many times as fast as the clock on the wall. */
  readonly speed: number;
  readonly seed: number;
  /** Where the series begin, ms after their first value. */
  readonly startMs: number;
}

/** A fault of a series on the clock on the wall. */
export interface LiveFault {
  readonly metric: string;
  readonly kind: InjectedFault['kind'];
  readonly fromMs: number;
  readonly toMs: number;
}

/** A running simulator. */
export interface SensorSimulator extends AsyncDisposable {
  readonly port: number;
  /** Where each quantity lies. */
  readonly registers: readonly ImageEntry[];
  /** The faults of the first round, exact: instants on the clock of this machine, ms since 1970. */
  readonly truth: readonly LiveFault[];
  /** Spoils the wire of the Modbus server, or mends it. */
  setWireFault(fault: WireFault | undefined): void;
  /** Value that a perfect sensor would give now. */
  valueOf(metric: string): number | undefined;
}

const SHORTEST_PUBLISH_MS = 100;

/**
 * Starts a device that replays series: a Modbus TCP server, and where there is a broker the same quantities as JSON messages
 * `{"value", "at"}` below one topic. A series that has ended begins again.
 * @throws NgatuError PORT_TAKEN, BROKER_UNREACHABLE
 */
export async function startSensorSimulator(options: SensorSimulatorOptions): Promise<SensorSimulator> {
  const { series, host, port, unit, speed, seed, startMs, mqtt } = options;
  const beganAtMs = Date.now();
  const random = new SeededRandom(seed);
  const byMetric = new Map(series.map((each) => [each.metric, each]));
  const indexOf = ({ intervalMs, values }: FaultedSeries): number =>
    Math.floor((startMs + (Date.now() - beganAtMs) * speed) / intervalMs) % values.length;
  const current = (metric: string): SimulatedReading | undefined => {
    const found = byMetric.get(metric);
    return found?.readings[indexOf(found)];
  };
  const image = new RegisterImage([...byMetric.keys()], current);
  const server = await SimulatedModbusServer.open({
    image,
    host,
    port,
    unit,
    random: () => random.next(),
  }).catch((cause: unknown) => {
    const text = `Cannot listen on ${host}:${port} for Modbus: ${errorMessage(cause)}`;
    throw new NgatuError('PORT_TAKEN', text, { cause });
  });
  const publisher =
    mqtt === undefined ? undefined : await publishSeries({ ...mqtt, series, speed, current }, server);
  return {
    port: server.port,
    registers: image.entries,
    truth: series.flatMap(({ metric, faults, intervalMs }) =>
      faults.map(({ kind, from, to }) => ({
        metric,
        kind,
        fromMs: beganAtMs + (from * intervalMs - startMs) / speed,
        toMs: beganAtMs + (to * intervalMs - startMs) / speed,
      })),
    ),
    setWireFault: (fault) => {
      server.fault = fault;
    },
    valueOf: (metric) => {
      const found = byMetric.get(metric);
      return found?.values[indexOf(found)];
    },
    [Symbol.asyncDispose]: async () => {
      await publisher?.stop();
      await server.close();
    },
  };
}

interface PublishOptions {
  readonly url: string;
  readonly topic: string;
  readonly series: readonly FaultedSeries[];
  readonly speed: number;
  readonly current: (metric: string) => SimulatedReading | undefined;
}

async function publishSeries(
  { url, topic, series, speed, current }: PublishOptions,
  server: SimulatedModbusServer,
): Promise<{ stop(): Promise<void> }> {
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 500 }, false).catch(
    async (cause: unknown) => {
      await server.close();
      throw new NgatuError('BROKER_UNREACHABLE', `Cannot connect to broker ${url}: ${errorMessage(cause)}`, {
        retryable: true,
        cause,
      });
    },
  );
  // the client tries again by itself; without this an error would end the process
  client.on('error', () => undefined);
  const timers = series.map(({ metric, intervalMs }) => {
    const everyMs = Math.max(SHORTEST_PUBLISH_MS, intervalMs / speed);
    return setInterval(() => publish(client, `${topic}/${metric}`, current(metric)), everyMs);
  });
  return {
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      if (!client.disconnecting) client.end(true);
      if (client.connected) await once(client.stream, 'close');
    },
  };
}

function publish(client: MqttClient, topic: string, reading: SimulatedReading | undefined): void {
  if (!client.connected || reading === undefined || reading.silence !== undefined) return;
  const value = reading.value === undefined || Number.isNaN(reading.value) ? null : reading.value;
  const at = new Date(Date.now() + reading.clockErrorMs).toISOString();
  client.publish(topic, JSON.stringify({ value, at }), { qos: 0 });
}
