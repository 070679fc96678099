import type { CampaignVerdict, Check } from './fault-campaign-check.ts';
import { computeQuantile } from './fault-campaign-match.ts';
import type { CampaignRecord } from './fault-campaign-record.ts';

const OFFENCES_SHOWN = 10;

/** The verdict as lines of text. */
export function formatCampaign(record: CampaignRecord, verdict: CampaignVerdict): string {
  return [
    ...formatFigures(record, verdict),
    '',
    ...verdict.checks.flatMap(formatCheck),
    '',
    verdict.holds ? 'Everything holds.' : 'NOT everything holds.',
  ].join('\n');
}

function formatFigures(record: CampaignRecord, verdict: CampaignVerdict): string[] {
  const { matching, blind, blindPerKill, recovery, unreportedMs } = verdict;
  const { expected, extra } = matching;
  const delays = matching.delays.map(({ delayMs }) => delayMs);
  const range = [0, 0.5, 1].map((q) => milliseconds(computeQuantile(delays, q)));
  const count = (light: string) => expected.filter((event) => event.light === light);
  const found = (light: string) => count(light).filter((event) => event.found.length > 0).length;
  const unforced = blind.filter(({ kills }) => kills === 0);
  const row = (name: string, value: string) => `${name.padEnd(44)} ${value}`;
  const files = record.committed.flatMap(({ evidence }) => evidence?.files ?? []).length;
  const missing = record.committed.flatMap(({ evidence }) => evidence?.missing ?? []).length;
  const lines = recovery.flatMap(({ victim, kills, recovered, p50Ms, p95Ms }) => [
    row(`kills of ${victim} (recovered before the next)`, `${kills} (${recovered})`),
    row(`  recovery, p50 / p95`, `${seconds(p50Ms)} / ${seconds(p95Ms)}`),
  ]);
  const reasons = [...new Set(unforced.flatMap((stretch) => stretch.reasons))].join(', ');
  return [
    row('seed', String(record.seed)),
    row('load average, begin and end', record.load.map((load) => load.toFixed(2)).join(' and ')),
    ...lines,
    row(
      'blind per kill of the agent, p95 / max',
      `${seconds(blindPerKill.p95)} / ${seconds(blindPerKill.max)}`,
    ),
    row('blind stretches without a kill', `${unforced.length}${reasons === '' ? '' : ` (${reasons})`}`),
    row('time that the ledger leaves out', seconds(unreportedMs)),
    row('events appended / committed', `${record.outbox.eventIds.length} / ${record.committed.length}`),
    row('replay events outside blind time, found', `${count('watched').length}, ${found('watched')}`),
    row('replay events in blind time, found', `${count('blind').length}, ${found('blind')}`),
    row('replay events at the edge of it, found', `${count('edge').length}, ${found('edge')}`),
    row('committed events that the replay has not', String(extra.length)),
    row('captured − true instant, least, median, most', range.join(', ')),
    row('evidence files / explained as missing', `${files} / ${missing}`),
    row('last kill to everything at the centre', seconds(record.drainedMs)),
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
