import type { EventKind, RoadUserLabel } from '../event.ts';
import { LAW_ROWS } from './decree-168-2024.ts';
import type { LawRow, LawVariant, VehicleGroup } from './law-row.ts';

/** What is asked of the law: an event, or as much of one as is known. */
export interface LawQuestion {
  readonly kind: EventKind;
  readonly label: RoadUserLabel;
  /** Measures of the event by name; speed needs `limitKmh` and `speedLowKmh` (or `speedKmh`). */
  readonly measures: Readonly<Record<string, number>>;
  /** Instant of the violation, ms since 1970. */
  readonly atMs: number;
  /** Variants that are known to apply or not to; of the others every row is a candidate. */
  readonly variants?: Readonly<Partial<Record<LawVariant, boolean>>>;
}

/**
 * `found`: the clauses in force at the instant. `not-verified`: the same, but at least one was not checked for that date: no
 * figure of it may be relied on. `not-recorded`: no clause is known for the case; nothing is said about the law.
 * Several rows are candidates between which a person decides. A found row of certainty S is still to be shown as not verified.
 */
export interface LawAnswer {
  readonly state: 'found' | 'not-verified' | 'not-recorded';
  readonly rows: readonly LawRow[];
  /** The case lapses at this instant, one year after it (Decree 168/2024, Art. 4), ms since 1970. */
  readonly lapsesAtMs: number;
}

const VIETNAM_OFFSET_MS = 7 * 3_600_000;
const LIMITATION_YEARS = 1;

const GROUPS: Readonly<Partial<Record<RoadUserLabel, VehicleGroup>>> = {
  car: 'car',
  bus: 'car',
  truck: 'car',
  motorbike: 'motorbike',
};

/** The clause and fine in force at the instant of a violation. @param rows the law to look in; what is recorded by default */
export function resolveLaw(question: LawQuestion, rows: readonly LawRow[] = LAW_ROWS): LawAnswer {
  const { kind, label, atMs, variants = {} } = question;
  const lapsesAtMs = addYears(atMs, LIMITATION_YEARS);
  const group = GROUPS[label];
  const found = rows.filter(
    (row) =>
      row.kind === kind &&
      row.group === group &&
      isInForce(row, atMs) &&
      isWithinBand(row, question.measures) &&
      (row.variant === undefined || variants[row.variant] !== false),
  );
  const certain = found.filter(({ variant }) => variant !== undefined && variants[variant] === true);
  const candidates = certain.length > 0 ? certain : found;
  if (candidates.length === 0) return { state: 'not-recorded', rows: [], lapsesAtMs };
  const isVerified = candidates.every(({ certainty }) => certainty !== 'U');
  return { state: isVerified ? 'found' : 'not-verified', rows: candidates, lapsesAtMs };
}

function isInForce({ validFrom, validUntil }: LawRow, atMs: number): boolean {
  return startOfDay(validFrom) <= atMs && (validUntil === undefined || atMs < startOfDay(validUntil));
}

/** Midnight in Vietnam at which a day begins, ms since 1970. */
function startOfDay(day: string): number {
  return Date.parse(`${day}T00:00:00.000Z`) - VIETNAM_OFFSET_MS;
}

/** The same day of a later year in Vietnam; 29 February becomes 1 March. */
function addYears(atMs: number, years: number): number {
  const local = new Date(atMs + VIETNAM_OFFSET_MS);
  local.setUTCFullYear(local.getUTCFullYear() + years);
  return local.getTime() - VIETNAM_OFFSET_MS;
}

/** The bound that favours the road user decides: how much it was over the limit at least. */
function isWithinBand({ overKmh }: LawRow, measures: LawQuestion['measures']): boolean {
  if (overKmh === undefined) return true;
  const speed = measures['speedLowKmh'] ?? measures['speedKmh'];
  const limit = measures['limitKmh'];
  if (speed === undefined || limit === undefined) return true;
  // figures are rounded to a tenth: what is left of a subtraction below that is no part of them
  const over = Math.round((speed - limit) * 1_000) / 1_000;
  const { from, fromInclusive, to, toInclusive } = overKmh;
  if (fromInclusive ? over < from : over <= from) return false;
  return to === undefined || (toInclusive === true ? over <= to : over < to);
}
