import type { Band } from './forecast-network.ts';
import type { Cause } from './series-detector.ts';

/** What a watched series did that it usually does not. */
export interface SeriesFinding {
  /** `anomaly` when one begins or grows; `regimeChange` once, when readings have stayed apart so long that they are the new usual. */
  readonly kind: 'anomaly' | 'regimeChange';
  readonly series: string;
  readonly atMs: number;
  /** Of a change of regime: since when. */
  readonly sinceMs?: number;
  /** Mean of the readings of the step that was judged. */
  readonly value: number;
  readonly unit?: string;
  readonly cause: Cause;
  /** Where nine readings in ten lie at this hour, as was learned. */
  readonly usual: Band;
  /** Where nine in ten would lie after the readings just before. */
  readonly next: Band;
  /** Powers of ten of rarity, 0–14; findings begin at 6.1. */
  readonly evidence: number;
  /** Gradient steps that the model had taken: its version. */
  readonly modelVersion: number;
}

const TEXTS = {
  en: {
    anomaly: {
      value: 'expected {usual} at this hour, saw {value}',
      jump: 'expected {next} after the readings before, saw {value}',
      level: 'expected {usual} at this hour; the last hour lay apart from it, now {value}',
      unrest: 'readings jump more than usual: expected {next}, saw {value}',
    },
    regimeChange:
      'expected {usual} at this hour; since {since} readings lie apart, now {value}: taken as the new usual',
  },
  vi: {
    anomaly: {
      value: 'giờ này thường {usual}, đo được {value}',
      jump: 'theo các lần đo trước phải là {next}, đo được {value}',
      level: 'giờ này thường {usual}; cả giờ qua lệch khỏi mức đó, hiện {value}',
      unrest: 'số đo dao động hơn thường lệ: phải là {next}, đo được {value}',
    },
    regimeChange: 'giờ này thường {usual}; từ {since} số đo lệch hẳn, hiện {value}: coi là mức thường mới',
  },
} as const;

/** One plain sentence: `expected 40–55 vehicles/5 min at this hour, saw 3`. Times in UTC. */
export function explainFinding(finding: SeriesFinding, language: 'en' | 'vi'): string {
  const { kind, cause, usual, next, value, sinceMs } = finding;
  const unit = finding.unit === undefined || finding.unit === '1' ? '' : ` ${finding.unit}`;
  const decimals = countDecimals(usual, value);
  const write = (number: number): string => number.toFixed(decimals).replace(/^-(0(\.0+)?)$/, '$1');
  const range = ({ low, high }: Band): string => `${write(low)}–${write(high)}${unit}`;
  const texts = TEXTS[language];
  const text = kind === 'anomaly' ? texts.anomaly[cause] : texts.regimeChange;
  const since = sinceMs === undefined ? '' : new Date(sinceMs).toISOString().slice(0, 16).replace('T', ' ');
  return text
    .replace('{usual}', range(usual))
    .replace('{next}', range(next))
    .replace('{since}', `${since} UTC`)
    .replace('{value}', `${write(value)}${unit}`);
}

/** Two digits of the band's width are enough to read. */
function countDecimals({ low, high }: Band, value: number): number {
  const width = Math.max(high - low, Math.abs(value) / 1_000, 1e-6);
  return Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(width))));
}
