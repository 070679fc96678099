import { existsSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fillDefaults, SensorProfile, SensorReading } from '@ngatu/contract';
import { build } from 'esbuild';
import { pino } from 'pino';
import { SensorHub } from '../../edge/src/sensor/sensor-hub.ts';
import type { SensorConfig } from '../../edge/src/sensor/sensor-sample.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');

/** Bundles the process of the simulator and returns the path of the script. */
export async function bundleSimulator(folder: string): Promise<string> {
  const outfile = join(folder, 'simulator-process.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'simulator-process.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['mqtt'],
    logLevel: 'error',
  });
  const modules = join(folder, 'node_modules');
  if (!existsSync(modules)) symlinkSync(join(REPOSITORY, 'node_modules'), modules);
  return outfile;
}

/** A reading with the defaults of its schema: by default a float in two input registers. */
export function aReading(metric: string, unit: string, from: Record<string, unknown>): SensorReading {
  return fillDefaults(SensorReading, { metric, unit, from }) as SensorReading;
}

/** A float in two input registers. */
export const inRegister = (address: number) => ({ kind: 'register', table: 'input', type: 'f32', address });

/** A sensor with the defaults of its schema. */
export function aSensor(parts: Record<string, unknown>, readings: readonly SensorReading[]): SensorConfig {
  const filled = fillDefaults(SensorProfile, {
    name: 'station',
    intervalMs: 100,
    windowMs: 1_000,
    readings: [],
    ...parts,
  });
  return { ...(filled as SensorConfig), readings };
}

/** One sample as it was judged. */
export interface Seen {
  readonly sensor: string;
  readonly metric: string;
  readonly value: number | undefined;
  readonly quality: string;
  readonly fault: string | undefined;
  readonly reason: string | undefined;
}

/** Sensors that run until they are disposed, with every sample that was judged. */
export class SensorRig implements AsyncDisposable {
  readonly hub: SensorHub;
  readonly seen: Seen[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(sensors: readonly SensorConfig[], logger = pino({ level: 'silent' })) {
    this.hub = new SensorHub({
      sensors,
      clientId: 'test',
      clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
      random: Math.random,
      logger,
      onJudged: (sensor, { metric }, { value, quality, fault, reason }) =>
        void this.seen.push({ sensor, metric, value, quality, fault, reason }),
    });
    this.#running = this.hub.run(this.#stop.signal);
  }

  /** Faults from sample `from` on, each once. */
  faultsSince(from: number): string[] {
    return [...new Set(this.seen.slice(from).flatMap(({ fault }) => fault ?? []))];
  }

  /** Good samples of a sensor from sample `from` on. */
  goodSince(from: number, sensor = 'station'): Seen[] {
    return this.seen.slice(from).filter((each) => each.sensor === sensor && each.quality === 'good');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
