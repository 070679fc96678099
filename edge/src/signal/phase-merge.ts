import type { PhaseSource, SourcePhase } from './phase-record.ts';

/** What one source tells, and the bound on the error of its instants against the picture, ms. */
export interface Testimony {
  readonly source: PhaseSource;
  readonly errorMs: number;
}

/**
 * What a source surely shows at an instant: red begins only after its onset by the error, and ends before its end by the error,
 * so that an instant within the error of a change is never called red.
 */
function readSurely({ source, errorMs }: Testimony, atMs: number): SourcePhase | undefined {
  const phase = source.phaseAt(atMs);
  if (phase?.state !== 'red' || errorMs === 0) return phase;
  if (phase.onsetSeen && atMs - phase.sinceMs < errorMs) return source.phaseAt(phase.sinceMs - 1);
  const after = source.phaseAt(atMs + errorMs);
  if (after !== undefined && after.state !== 'red') return after;
  return phase.onsetSeen ? { ...phase, sinceMs: phase.sinceMs + errorMs } : phase;
}

/**
 * What all sources together say: red only where each of them that speaks says red, and since the latest of their onsets. Where
 * they differ, the one that speaks for the road user counts. Undefined where none speaks.
 */
export function mergePhases(testimonies: readonly Testimony[], atMs: number): SourcePhase | undefined {
  const phases = testimonies
    .map((testimony) => readSurely(testimony, atMs))
    .filter((phase) => phase !== undefined && phase.state !== 'unknown');
  const first = phases.find((phase) => phase?.state !== 'red') ?? phases[0];
  if (first === undefined) return undefined;
  const same = phases.filter((phase) => phase?.state === first.state);
  return same.reduce((latest, phase) => {
    return latest === undefined || (phase !== undefined && phase.sinceMs > latest.sinceMs) ? phase : latest;
  }, first);
}
