import type { CampaignVerdict, Check, KindFigures } from './fault-campaign-check.ts';
import { computeQuantile } from './fault-campaign-match.ts';
import type { CampaignRecord } from './fault-campaign-record.ts';
import { FAULT_KINDS } from './fault-kind.ts';

const OFFENCES_SHOWN = 10;
const NAME_WIDTH = 48;

/** The verdict as lines of text. */
export function formatCampaign(record: CampaignRecord, verdict: CampaignVerdict): string {
  return [
    ...formatKinds(verdict),
    '',
    ...formatFigures(record, verdict),
    '',
    ...verdict.checks.flatMap(formatCheck),
    '',
    verdict.holds ? 'Everything holds.' : 'NOT everything holds.',
  ].join('\n');
}

function formatKinds({ kinds, recovery }: CampaignVerdict): string[] {
  const line = (name: string, figures: Omit<KindFigures, 'kind'>) => {
    const { done, skipped, back, p50Ms, p95Ms, maxMs } = figures;
    const counts = [done, back, skipped].map((count) => String(count).padStart(6));
    const times = [p50Ms, p95Ms, maxMs].map((ms) => seconds(ms).padStart(8));
    return [name.padEnd(NAME_WIDTH), ...counts, ...times].join(' ');
  };
  const title = (name: string) => FAULT_KINDS.find((kind) => kind.name === name)?.title ?? name;
  return [
    `${''.padEnd(NAME_WIDTH)}   done   back skipped   p50      p95      max`,
    ...kinds.map(({ kind, ...figures }) => line(title(kind), figures)),
    line('all, from the end of the cause', recovery),
  ];
}

function formatFigures(record: CampaignRecord, verdict: CampaignVerdict): string[] {
  const { matching, blind, blindPerFault, unreportedMs, destroyed } = verdict;
  const { expected, extra } = matching;
  const delays = matching.delays.map(({ delayMs }) => delayMs);
  const range = [0, 0.5, 1].map((q) => milliseconds(computeQuantile(delays, q)));
  const count = (light: string) => expected.filter((event) => event.light === light);
  const found = (light: string) => count(light).filter((event) => event.found.length > 0).length;
  const unforced = blind.filter(({ faults }) => faults === 0);
  const row = (name: string, value: string) => `${name.padEnd(NAME_WIDTH)} ${value}`;
  const files = record.committed.flatMap(({ evidence }) => evidence?.files ?? []).length;
  const missing = record.committed.flatMap(({ evidence }) => evidence?.missing ?? []).length;
  const reasons = [...new Set(unforced.flatMap((stretch) => stretch.reasons))].join(', ');
  const { witness } = record;
  const skips = new Map(
    record.faults.flatMap(({ kind, skipped }) => (skipped === undefined ? [] : [[kind, skipped]])),
  );
  return [
    row('seed', String(record.seed)),
    row('faults planned / done', `${record.planned} / ${verdict.recovery.done}`),
    ...[...skips].map(([kind, reason]) => row(`skipped: ${kind}`, reason)),
    row('time for the faults', seconds(record.tookMs)),
    row('load average, begin and end', record.load.map((load) => load.toFixed(2)).join(' and ')),
    row(
      'blind after a fault of sight, p95 / max',
      `${seconds(blindPerFault.p95)} / ${seconds(blindPerFault.max)}`,
    ),
    row('blind stretches without a fault', `${unforced.length}${reasons === '' ? '' : ` (${reasons})`}`),
    row('time that the ledger leaves out', seconds(unreportedMs)),
    row('events of the camera committed', String(record.committed.length)),
    row(
      'second node: appended / committed / counted',
      `${witness.appended} / ${witness.committed} / ${witness.counted}`,
    ),
    row(
      'destroyed by the faults themselves',
      `${destroyed.events} events, ${seconds(destroyed.ledgerMs)} of the ledger`,
    ),
    row('replay events outside blind time, found', `${count('watched').length}, ${found('watched')}`),
    row('replay events in blind time, found', `${count('blind').length}, ${found('blind')}`),
    row('replay events at the edge of it, found', `${count('edge').length}, ${found('edge')}`),
    row('committed events that the replay has not', String(extra.length)),
    row('captured − true instant, least, median, most', range.join(', ')),
    row('evidence files / explained as missing', `${files} / ${missing}`),
    row('last fault to everything at the centre', seconds(record.drainedMs)),
  ];
}

function formatCheck({ name, offences }: Check): string[] {
  const shown = offences.slice(0, OFFENCES_SHOWN).map((offence) => `    ${offence}`);
  const more = offences.length - shown.length;
  return [
    `${offences.length === 0 ? '✓' : '✗'} ${name}`,
    ...shown,
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`;
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? '–' : `${Math.round(ms)} ms`;
}
