import type { FeverModel } from '@ngatu/edge';
import {
  FEVER_FROM_C,
  type FeverJudgement,
  isLockingHalf,
  judgeSubjects,
  lockFeverModel,
} from './fever-decision.ts';
import {
  type Agreement,
  average,
  computeAgreement,
  computeAuc,
  computeMeanEstimate,
  type Estimate,
} from './fever-statistics.ts';
import { type FeverSubject, type FeverTable, loadFeverTables } from './fever-table.ts';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';

export interface RegionMetrics {
  readonly region: string;
  readonly subjects: number;
  /** Absent where there are fewer than two subjects with, or without, fever. */
  readonly auc?: Estimate;
}

/** How the decision did on subjects that it was not locked on. */
export interface DecisionMetrics {
  readonly lockedOn: 'first half' | 'second half';
  readonly subjects: number;
  readonly febrile: number;
  readonly model: FeverModel;
  readonly auc?: Estimate;
  readonly sensitivity: Proportion;
  readonly specificity: Proportion;
  /** Mean absolute error of the estimate, °C. */
  readonly meanAbsoluteError?: Estimate;
  readonly agreement?: Agreement;
  /** Share of subjects whose thermometer reading lies within the stated expanded uncertainty (k = 2). */
  readonly covered: Proportion;
}

export interface FeverMetrics {
  readonly file: string;
  readonly subjects: number;
  readonly febrile: number;
  readonly skippedRows: number;
  readonly regions: readonly RegionMetrics[];
  /** First the result; then the same with the halves exchanged, as a check of its stability. */
  readonly decisions: readonly DecisionMetrics[];
}

export interface FeverPrediction {
  readonly file: string;
  readonly subject: string;
  readonly oralC: number;
  readonly estimateC: number;
  readonly uncertaintyC: number;
  readonly outcome: 'pass' | 'measure';
}

export interface FeverEvaluation {
  readonly metrics: readonly FeverMetrics[];
  readonly predictions: readonly FeverPrediction[];
}

/**
 * Judges the decision on every table of a folder (docs/evaluation.md, fever).
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID
 */
export async function evaluateFever(folder: string): Promise<FeverEvaluation> {
  const tables = await loadFeverTables(folder);
  const results = tables.map(evaluateTable);
  return {
    metrics: results.map(({ metrics }) => metrics),
    predictions: results.flatMap(({ predictions }) => predictions),
  };
}

const isFebrile = ({ oralC }: FeverSubject): boolean => oralC >= FEVER_FROM_C;

function evaluateTable(table: FeverTable): { metrics: FeverMetrics; predictions: FeverPrediction[] } {
  const regions = table.regions.map((region) => evaluateRegion(table, region));
  const halves = [
    { lockedOn: 'first half', isLocking: isLockingHalf },
    { lockedOn: 'second half', isLocking: (subject: FeverSubject) => !isLockingHalf(subject) },
  ] as const;
  const runs = halves.map(({ lockedOn, isLocking }) => {
    const model = lockFeverModel(table, isLocking);
    const judged = judgeSubjects(table, model).filter(({ subject }) => !isLocking(subject));
    return { judged, metrics: measureDecision(judged, { lockedOn, model }) };
  });
  return {
    metrics: {
      file: table.name,
      subjects: table.subjects.length,
      febrile: table.subjects.filter(isFebrile).length,
      skippedRows: table.skippedRows,
      regions: regions.sort((a, b) => (b.auc?.value ?? 0) - (a.auc?.value ?? 0)),
      decisions: runs.map(({ metrics }) => metrics),
    },
    predictions: (runs[0]?.judged ?? []).map(({ subject, estimate }) => ({
      file: table.name,
      subject: subject.id,
      oralC: subject.oralC,
      estimateC: estimate.celsius,
      uncertaintyC: 2 * estimate.standardC,
      outcome: estimate.outcome,
    })),
  };
}

function evaluateRegion(table: FeverTable, region: string): RegionMetrics {
  const cases = table.subjects.flatMap((subject) => {
    const rounds = subject.regions.get(region);
    return rounds === undefined ? [] : [{ score: average(rounds), positive: isFebrile(subject) }];
  });
  const auc = computeAuc(cases);
  return { region, subjects: cases.length, ...(auc === undefined ? {} : { auc }) };
}

function measureDecision(
  judged: readonly FeverJudgement[],
  { lockedOn, model }: Pick<DecisionMetrics, 'lockedOn' | 'model'>,
): DecisionMetrics {
  const febrile = judged.filter(({ subject }) => isFebrile(subject));
  const healthy = judged.filter(({ subject }) => !isFebrile(subject));
  const differences = judged.map(({ subject, estimate }) => estimate.celsius - subject.oralC);
  const auc = computeAuc(
    judged.map(({ subject, estimate }) => ({ score: estimate.decisiveC, positive: isFebrile(subject) })),
  );
  const meanAbsoluteError = computeMeanEstimate(differences.map(Math.abs));
  const agreement = computeAgreement(differences);
  const count = (group: readonly FeverJudgement[], outcome: 'pass' | 'measure'): Proportion =>
    computeProportion(group.filter(({ estimate }) => estimate.outcome === outcome).length, group.length);
  const covered = judged.filter(
    ({ subject, estimate }) => Math.abs(estimate.celsius - subject.oralC) <= 2 * estimate.standardC,
  );
  return {
    lockedOn,
    subjects: judged.length,
    febrile: febrile.length,
    model,
    sensitivity: count(febrile, 'measure'),
    specificity: count(healthy, 'pass'),
    covered: computeProportion(covered.length, judged.length),
    ...(auc === undefined ? {} : { auc }),
    ...(meanAbsoluteError === undefined ? {} : { meanAbsoluteError }),
    ...(agreement === undefined ? {} : { agreement }),
  };
}

function formatEstimate(estimate: Estimate | undefined, digits = 3): string {
  if (estimate === undefined) return '–';
  const { value, low, high } = estimate;
  return `${value.toFixed(digits)} [${low.toFixed(digits)} … ${high.toFixed(digits)}]`;
}

/** The table that `ngatu eval fever` prints. Intervals are 95 %. */
export function formatFeverTable(metrics: readonly FeverMetrics[]): string {
  return metrics.map(formatFile).join('\n\n');
}

function formatFile(metrics: FeverMetrics): string {
  const lines = [
    `${metrics.file}: ${metrics.subjects} subjects, ${metrics.febrile} with ≥ ${FEVER_FROM_C} °C by the reference` +
      (metrics.skippedRows > 0 ? `; ${metrics.skippedRows} rows without reference or temperatures` : ''),
    '',
    'region (mean of its rounds)   AUC [DeLong 95 %]          subjects',
    ...metrics.regions.map(
      ({ region, auc, subjects }) =>
        `  ${region.padEnd(27)} ${formatEstimate(auc).padEnd(26)} ${String(subjects)}`,
    ),
  ];
  for (const [index, decision] of metrics.decisions.entries()) {
    lines.push('', ...formatDecision(decision, index === 0 ? 'decision' : 'halves exchanged'));
  }
  return lines.join('\n');
}

function formatDecision(decision: DecisionMetrics, title: string): string[] {
  const { model, agreement } = decision;
  return [
    `${title}: locked on the ${decision.lockedOn}, judged on the other (${decision.subjects} subjects, ${decision.febrile} febrile)`,
    `  AUC                    ${formatEstimate(decision.auc)}`,
    `  sensitivity            ${formatProportion(decision.sensitivity)}`,
    `  specificity            ${formatProportion(decision.specificity)}`,
    `  mean absolute error    ${formatEstimate(decision.meanAbsoluteError)} °C`,
    `  bias                   ${formatEstimate(agreement?.bias)} °C`,
    `  limits of agreement    ${formatEstimate(agreement?.lowerLimit)} to ${formatEstimate(agreement?.upperLimit)} °C`,
    `  within stated k = 2    ${formatProportion(decision.covered)}`,
    `  locked: middle ${model.healthyC.toFixed(2)} °C, slope ${model.slope.toFixed(2)}, between persons ${model.personC.toFixed(2)} °C, measure from ${model.thresholdC.toFixed(2)} °C`,
  ];
}
