import { setTimeout as sleep } from 'node:timers/promises';
import { explainCrossCheck, type Measurement, NgatuError, type Telemetry } from '@ngatu/contract';
import type { Logger } from 'pino';
import { AgentSeries } from './agent-series.ts';
import type { Outbox } from './outbox/outbox.ts';
import { CrossChecks } from './sensor/cross-check.ts';
import { SensorHub } from './sensor/sensor-hub.ts';
import type { SensorClock, SensorConfig } from './sensor/sensor-sample.ts';

interface AgentSensorOptions {
  readonly sensors: readonly SensorConfig[];
  readonly site: string;
  readonly node: string;
  readonly outbox: Pick<Outbox, 'append'>;
  /** What is learned of the series lies in a folder of it. */
  readonly stateDir: string;
  /** Is told of every figure, e.g. the room of a fever gate. */
  readonly onFigures?: (figures: readonly Measurement[]) => void;
  readonly clock: SensorClock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** How often figures are looked for and handed to the outbox, ms. */
const CUT_EVERY_MS = 5_000;
/** Measurements of one message, from its schema. */
const MEASUREMENTS_MAX = 500;
/** What the disk does not take waits in memory up to this number; then the oldest is given up and counted. */
const WAITING_MAX = 5_000;

/** The sensors of an agent: reads them, and tells what they measured as telemetry of the node. */
export class AgentSensors {
  readonly #options: AgentSensorOptions;
  readonly #hub: SensorHub;
  readonly #checks: CrossChecks;
  #series: AgentSeries | undefined;
  #waiting: Measurement[] = [];
  #dropped = 0;

  constructor(options: AgentSensorOptions) {
    this.#options = options;
    const { sensors, site, node, clock, random, logger } = options;
    this.#hub = new SensorHub({ sensors, clientId: `ngatu-${site}-${node}`, clock, random, logger });
    this.#checks = new CrossChecks(sensors);
  }

  /** Takes what a camera told, to be compared with the sensors beside it. */
  noteCamera(telemetry: Telemetry): void {
    this.#checks.addCamera(telemetry);
  }

  /** Reads until `signal` aborts; what was measured until then is told. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#options.sensors.length === 0) return;
    this.#series ??= new AgentSeries(this.#options);
    await Promise.all([this.#hub.run(signal), this.#tell(signal), this.#series.run(signal)]);
  }

  async #tell(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(CUT_EVERY_MS, undefined, { signal }).catch(() => undefined);
      this.#cut(signal.aborted);
    }
  }

  #cut(isLast: boolean): void {
    const { clock, logger } = this.#options;
    const nowMs = clock.nowMs();
    const figures = this.#hub.cut(nowMs, isLast);
    this.#options.onFigures?.(figures);
    this.#checks.addSensors(figures);
    const findings = this.#checks.cut(nowMs);
    for (const finding of findings) {
      const { tags, value } = finding;
      logger.info({ ...tags, value }, explainCrossCheck(finding)?.en ?? 'cross-check');
    }
    this.#waiting.push(...figures, ...findings, ...(this.#series?.judge(figures) ?? []));
    const excess = this.#waiting.length - WAITING_MAX;
    if (excess > 0) {
      this.#waiting.splice(0, excess);
      this.#dropped += excess;
    }
    this.#append(nowMs);
  }

  #append(nowMs: number): void {
    const { site, node, outbox, logger } = this.#options;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MEASUREMENTS_MAX - 1);
      const at = new Date(nowMs).toISOString();
      const lost: Measurement[] =
        this.#dropped === 0 ? [] : [{ at, metric: 'sensorMeasurementsDropped', value: this.#dropped }];
      const body: Telemetry = {
        schemaVersion: 1,
        site,
        node,
        intervals: [],
        measurements: [...batch, ...lost],
      };
      try {
        outbox.append([{ channel: 'telemetry', body }]);
      } catch (error) {
        if (!(error instanceof NgatuError) || !isForLater(error)) throw error;
        logger.error({ code: error.code, waiting: this.#waiting.length }, 'readings could not be stored');
        return;
      }
      this.#waiting.splice(0, batch.length);
      this.#dropped = 0;
    }
  }
}

function isForLater({ code, retryable }: NgatuError): boolean {
  return retryable || code === 'DISK_FULL' || code === 'OUTBOX_FULL';
}
