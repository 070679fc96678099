import { createHash } from 'node:crypto';
import {
  combineFrames,
  DEFAULT_FEVER_MODEL,
  DEFAULT_SITE_OFFSET,
  FeverDecision,
  type FeverEstimate,
  type FeverModel,
  type PassageReading,
} from '@ngatu/edge';
import { average, fitLine, lockThreshold } from './fever-statistics.ts';
import type { FeverSubject, FeverTable } from './fever-table.ts';

/** Oral temperature from which the reference speaks of fever, °C. */
export const FEVER_FROM_C = 37.5;

/** The columns that stand for what the gate measures; the first that a table has is taken. */
const REGION_COLUMNS = {
  innerCanthi: ['canthi4Max', 'canthiMax'],
  faceMaximum: ['T_Max'],
} as const;

/**
 * The rounds of a subject are pictures some minutes apart, in one of which the mouth was open: they differ by up to this
 * without being errors, °C.
 */
const ROUND_TOLERANCE_C = 1.5;
const LOCK_SEED = 20_250_701;
/** Fewer cases of fever than this lock no threshold: the product's own is kept. */
const MIN_LOCK_CASES = 8;

/** What the decision says of one subject. */
export interface FeverJudgement {
  readonly subject: FeverSubject;
  readonly estimate: FeverEstimate;
}

/** True for the half on which the threshold is locked; the same for a subject in every file and run. */
export function isLockingHalf(subject: FeverSubject): boolean {
  const digest = createHash('sha256').update(`${LOCK_SEED}:${subject.id}`).digest();
  return ((digest[0] ?? 0) & 1) === 0;
}

/** What a gate would have read of the subject: inner canthi and face maximum, of all rounds. */
export function readPassage(subject: FeverSubject): PassageReading {
  const read = (columns: readonly string[]) => {
    const rounds = columns
      .map((column) => subject.regions.get(column))
      .find((values) => values !== undefined);
    return rounds === undefined ? undefined : combineFrames(rounds, ROUND_TOLERANCE_C);
  };
  const innerCanthi = read(REGION_COLUMNS.innerCanthi);
  const faceMaximum = read(REGION_COLUMNS.faceMaximum);
  return {
    ...(innerCanthi === undefined ? {} : { innerCanthi }),
    ...(faceMaximum === undefined ? {} : { faceMaximum }),
  };
}

/** Runs the product's decision over the subjects in the order of the table. The first ones, from which the site is learned, are judged last. */
export function judgeSubjects(table: FeverTable, model: FeverModel): FeverJudgement[] {
  const decision = new FeverDecision(model, {
    ...DEFAULT_SITE_OFFSET,
    minReadings: Math.min(DEFAULT_SITE_OFFSET.minReadings, Math.ceil(table.subjects.length / 4)),
  });
  const judgements = new Map<FeverSubject, FeverEstimate>();
  const waiting: FeverSubject[] = [];
  for (const subject of table.subjects) {
    const passage = readPassage(subject);
    const estimate = decision.decide(passage);
    if (estimate === undefined) waiting.push(subject);
    else judgements.set(subject, estimate);
    decision.learn(passage);
    if (waiting.length === 0) continue;
    for (const early of waiting.splice(0)) {
      const late = decision.decide(readPassage(early));
      if (late === undefined) waiting.push(early);
      else judgements.set(early, late);
    }
  }
  return table.subjects.flatMap((subject) => {
    const estimate = judgements.get(subject);
    return estimate === undefined ? [] : [{ subject, estimate }];
  });
}

/** The model with what the thermometer readings of these subjects say: level, slope, scatter between persons, threshold. */
export function lockFeverModel(table: FeverTable, isLocking: (subject: FeverSubject) => boolean): FeverModel {
  // level 0 and slope 1: the estimates are deviations from the learned middle of the site
  const plain = { ...DEFAULT_FEVER_MODEL, healthyC: 0, slope: 1, personC: 0 };
  const locking = judgeSubjects(table, plain).filter(({ subject }) => isLocking(subject));
  const line = fitLine(locking.map(({ subject, estimate }) => ({ x: estimate.celsius, y: subject.oralC })));
  if (line === undefined || line.slope <= 0) return DEFAULT_FEVER_MODEL;
  const { level, slope } = line;
  const reading = average(locking.map(({ estimate }) => slope * estimate.readingC));
  const cases = locking.map(({ subject, estimate }) => ({
    score: level + slope * (estimate.celsius + estimate.readingC),
    positive: subject.oralC >= FEVER_FROM_C,
  }));
  const enough = cases.filter(({ positive }) => positive).length >= MIN_LOCK_CASES;
  const locked = enough ? lockThreshold(cases, LOCK_SEED) : undefined;
  return {
    healthyC: level,
    slope,
    personC: Math.sqrt(Math.max(0, line.residual ** 2 - reading ** 2)),
    thresholdC: locked ?? DEFAULT_FEVER_MODEL.thresholdC,
  };
}
