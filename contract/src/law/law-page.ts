import { EVENT_KINDS, type EventKind, ROAD_USER_LABELS } from '../event.ts';
import { DECREE_168_FROM, DECREE_238_FROM, LAW_ROWS } from './decree-168-2024.ts';
import type { LawRow } from './law-row.ts';

const CERTAINTY_WORDS = {
  V: 'V read at the primary source',
  S: 'S secondary source: shown as not verified',
  U: 'U not verified',
} as const;

/** The page `docs/law.md`, written from the data; a test holds the two together. */
export function formatLawPage(rows: readonly LawRow[] = LAW_ROWS): string {
  const kinds = EVENT_KINDS.filter((kind) => rows.some((row) => row.kind === kind));
  const missing = EVENT_KINDS.filter((kind) => !kinds.includes(kind));
  return [
    '<!-- Written from contract/src/law by its test; do not edit. -->',
    '# The law as dated data',
    '',
    'What a clause says is data with a period, a source and a certainty, never a constant. `resolveLaw` (`contract/src/law`) gives the',
    'clauses in force at the instant of a violation, in Vietnamese time. It answers `found`, `not-verified` (a row was not checked for',
    'that date) or `not-recorded`; several rows are candidates, and a person decides. ngatu never issues a penalty.',
    '',
    `Recorded: Nghị định 168/2024/NĐ-CP from ${DECREE_168_FROM} (its first day is general knowledge, U), amended by Nghị định 238/2026/NĐ-CP`,
    `from ${DECREE_238_FROM}. Certainty: ${Object.values(CERTAINTY_WORDS).join(' · ')}. "Points" are deducted from the licence; "–" is not recorded.`,
    'A case lapses one year after the recorded time (Điều 4, V).',
    '',
    `Article 6 (\`car\`) is applied to ${listLabels(['car', 'bus', 'truck'])}, Article 7 (\`motorbike\`) to ${listLabels(['motorbike'])}. Of a ${listLabels(
      ROAD_USER_LABELS.filter((label) => label === 'bicycle' || label === 'person'),
    )} no clause is recorded.`,
    'Speed: the lower bound of the measured speed decides the band.',
    '',
    ...kinds.flatMap((kind) => formatKind(kind, rows)),
    '## Clause not recorded',
    '',
    `${missing.map((kind) => `\`${kind}\``).join(', ')}. Such a case says "clause not recorded".`,
    'Whether anybody must wear a mask at a place was not looked up (U): in a case of `NO_MASK` stands the rule of the site that asked for it.',
    '',
  ].join('\n');
}

function listLabels(labels: readonly string[]): string {
  return labels.map((label) => `\`${label}\``).join(', ');
}

function formatKind(kind: EventKind, rows: readonly LawRow[]): string[] {
  const own = rows.filter((row) => row.kind === kind);
  const title = own[0]?.title;
  return [
    `## ${kind}: ${title?.vi}`,
    '',
    `${title?.en}.`,
    '',
    '| group | clause | form | fine, VND | points | from | until | certainty |',
    '|---|---|---|---|---|---|---|---|',
    ...own.map(formatRow),
    '',
  ];
}

function formatRow(row: LawRow): string {
  const fine = `${formatVnd(row.fineMinVnd)}–${formatVnd(row.fineMaxVnd)}`;
  const cells = [
    row.group,
    `Điều ${row.article}, ${row.clause}`,
    [row.variant, formatBand(row.overKmh)].filter((form) => form !== undefined).join(' '),
    fine,
    row.points ?? '–',
    row.validFrom,
    row.validUntil ?? '',
    row.certainty,
  ];
  return `| ${cells.join(' | ')} |`;
}

function formatBand(band: LawRow['overKmh']): string | undefined {
  if (band === undefined) return undefined;
  const from = `${band.fromInclusive ? '≥' : '>'} ${band.from}`;
  return band.to === undefined
    ? `${from} km/h over`
    : `${from}, ${band.toInclusive === true ? '≤' : '<'} ${band.to} km/h over`;
}

function formatVnd(amount: number): string {
  return String(amount).replace(/\B(?=(\d{3})+$)/g, ',');
}
