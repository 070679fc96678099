import type { FuzzResult, MemoryGrowth } from './fuzz-verdict.ts';

const HEAD = [
  'parser',
  'mutations',
  'taken',
  'refused by code',
  'slowest ms',
  'heap B/mutation',
  'RSS B/mutation',
  'verdict',
];

function describeRefusals(refused: FuzzResult['refused']): string {
  const sorted = Object.entries(refused).sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, 3).map(([code, count]) => `${code} ${count}`);
  return [...shown, ...(sorted.length > 3 ? [`+${sorted.length - 3} more`] : [])].join(', ') || '–';
}

function describeGrowth(growth: MemoryGrowth | undefined): string {
  if (growth === undefined) return 'too short';
  return `${growth.perMutation.toFixed(1)} ± ${growth.margin.toFixed(1)}`;
}

function describeVerdict({ findings, holds }: FuzzResult): string {
  if (holds) return 'holds';
  if (findings.length === 0) return 'GROWS';
  return [...new Set(findings.map(({ kind }) => kind.toUpperCase()))].join(', ');
}

/** A table of the parsers, one a line. */
export function formatFuzzTable(results: readonly FuzzResult[]): string {
  const rows = results.map((result) => [
    result.parser,
    String(result.mutations),
    String(result.taken),
    describeRefusals(result.refused),
    result.slowestMs.toFixed(1),
    describeGrowth(result.heap),
    describeGrowth(result.rss),
    describeVerdict(result),
  ]);
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
