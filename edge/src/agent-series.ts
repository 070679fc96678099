import { join } from 'node:path';
import { type Measurement, SENSOR_QUANTITIES } from '@ngatu/contract';
import type { Logger } from 'pino';
import { explainFinding, type SeriesFinding } from './anomaly/series-finding.ts';
import { SeriesWatch } from './anomaly/series-watch.ts';

/** Quantities whose figures are no amounts that a forecast could be made of. */
const NO_AMOUNT = new Set(['state', 'angle']);

/**
 * Learns what each series of the sensors usually does, and tells what it usually does not do as measurement `sensorAnomaly`: the value
 * that was seen, with tags `sensor`, `channel`, `quantity`, `kind`, `cause` and the usual band (`usualLow`, `usualHigh`).
 */
export class AgentSeries {
  readonly #watch: SeriesWatch;
  readonly #logger: Logger;

  /** @throws the system's error where the folder for what is learned cannot be made */
  constructor({ stateDir, logger }: { readonly stateDir: string; readonly logger: Logger }) {
    this.#watch = SeriesWatch.open({ folder: join(stateDir, 'series'), logger });
    this.#logger = logger;
  }

  /** Judges the figures of a cut; those that are doubtful, and what is no reading of a sensor, are left out. */
  judge(figures: readonly Measurement[]): Measurement[] {
    return figures.flatMap((figure) => {
      const { metric, at, value, unit, quality, tags } = figure;
      const sensor = tags?.['sensor'];
      const quantity = Object.hasOwn(SENSOR_QUANTITIES, metric) ? SENSOR_QUANTITIES[metric] : undefined;
      if (sensor === undefined || quantity === undefined || NO_AMOUNT.has(quantity.manner)) return [];
      const place = tags?.['channel'] === undefined ? sensor : `${sensor}/${tags['channel']}`;
      const finding = this.#watch.observe({
        series: `${place}/${metric}`,
        atMs: Date.parse(at),
        value,
        ...(unit === undefined ? {} : { unit }),
        ...(quality === undefined ? {} : { quality }),
      });
      if (finding === undefined) return [];
      this.#logger.info({ series: finding.series, kind: finding.kind }, explainFinding(finding, 'en'));
      return [describeFinding(finding, figure)];
    });
  }

  /** Learns within its budget until the signal, then saves. */
  run(signal: AbortSignal): Promise<void> {
    return this.#watch.run(signal);
  }
}

function describeFinding({ kind, cause, usual, value }: SeriesFinding, figure: Measurement): Measurement {
  const { fault: _fault, ...place } = figure.tags ?? {};
  const band = { usualLow: usual.low.toPrecision(4), usualHigh: usual.high.toPrecision(4) };
  const { at, unit } = figure;
  return {
    at,
    metric: 'sensorAnomaly',
    value,
    ...(unit === undefined ? {} : { unit }),
    tags: { ...place, quantity: figure.metric, kind, cause, ...band },
  };
}
