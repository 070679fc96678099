import type { SensorFinding, SensorFindingList } from '../../src/api/series-schema.ts';
import { call } from './api-client.ts';
import { isTextKey, type Language, translate } from './dictionary.ts';
import { formatNumber } from './format.ts';
import { type SensorPeriod, showUnit } from './sensor-series.ts';

export type { SensorFinding };

/** The name of the quantity that a finding is about, as `nameSensor` gives it. */
export const nameOfFinding = ({ site, node, sensor, metric, unit }: SensorFinding): string =>
  [site, node, sensor, metric, unit].join('/');

/** What sensors did in a period that they usually do not. @throws ApiFailure */
export async function fetchFindings(
  { fromMs, toMs }: SensorPeriod,
  signal: AbortSignal,
): Promise<readonly SensorFinding[]> {
  const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  const path = `/sensors/findings?from=${from}&to=${to}`;
  return (await call<SensorFindingList>('GET', path, { signal, background: true })).findings;
}

/** Two digits of the width of what is usual are enough to read. */
function countDecimals({ usualLow, usualHigh, value }: SensorFinding): number {
  const width = Math.max(usualHigh - usualLow, Math.abs(value) / 1_000, 1e-6);
  return Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(width))));
}

/** One plain sentence: `expected 40–55 dB at this hour, saw 83 dB`. */
export function explainFinding(finding: SensorFinding, language: Language): string {
  const { kind, cause, usualLow, usualHigh, value } = finding;
  const decimals = countDecimals(finding);
  const unit = showUnit(finding.unit);
  const write = (figure: number): string => formatNumber(figure, language, decimals);
  const known = `finding.${kind === 'anomaly' ? cause : kind}`;
  return translate(language, isTextKey(known) ? known : 'finding.other', {
    usual: `${write(usualLow)}–${write(usualHigh)} ${unit}`.trim(),
    value: `${write(value)} ${unit}`.trim(),
    cause,
  });
}
