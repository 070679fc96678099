import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { EventKind } from '@ngatu/contract';
import { drawCase, type NoiseProfile } from '@ngatu/simulators';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { type CaseOutcome, playCase } from './scene-campaign-case.ts';

export interface CampaignOptions {
  readonly kinds: readonly EventKind[];
  readonly casesPerKind: number;
  /** Of the first case; the others follow. */
  readonly seed: number;
  /** A perfect detector where it is left out. */
  readonly noise?: NoiseProfile;
  readonly onCase?: (kind: EventKind, done: number) => void;
}

/** Something that the rules got wrong, to be played again by its seed. */
export interface CaseMismatch {
  readonly seed: number;
  readonly what: 'missed' | 'wrong';
  /** Of what is wrong: nobody did it, it was told before, or too late. */
  readonly why?: CaseOutcome['wrong'][number]['why'];
  readonly intent: string;
  readonly text: string;
}

export interface KindCampaign {
  readonly kind: EventKind;
  readonly cases: number;
  readonly nearMisses: number;
  /** Claims that are true, of all claims that the truth decides. */
  readonly precision: Proportion;
  readonly recall: Proportion;
  /** Near-miss cases without any wrong claim. */
  readonly quietNearMisses: Proportion;
  readonly openClaims: number;
  readonly letPass: number;
  readonly medianDelayMs?: number;
  readonly mismatches: readonly CaseMismatch[];
}

export interface CampaignMetrics {
  readonly seed: number;
  /** Absent where the detector was perfect. */
  readonly noise?: { readonly measuredAt: string; readonly model: NoiseProfile['model'] };
  readonly kinds: readonly KindCampaign[];
}

/** Plays the cases of every kind. The signal ends it between two cases; what was played by then is summed up. */
export async function runSceneCampaign(
  options: CampaignOptions,
  signal: AbortSignal,
): Promise<CampaignMetrics> {
  const kinds: KindCampaign[] = [];
  for (const kind of options.kinds) {
    const outcomes: CaseOutcome[] = [];
    for (let n = 0; n < options.casesPerKind; n++) {
      if (signal.aborted) break;
      outcomes.push(playCase(drawCase(kind, options.seed + n), options.noise));
      options.onCase?.(kind, n + 1);
      // a case is one long computation: whoever wants it to stop gets a turn here
      await yieldToEvents();
    }
    kinds.push(summarizeKind(kind, outcomes));
  }
  const { seed, noise } = options;
  if (noise === undefined) return { seed, kinds };
  return { seed, noise: { measuredAt: noise.measuredAt, model: noise.model }, kinds };
}

function summarizeKind(kind: EventKind, outcomes: readonly CaseOutcome[]): KindCampaign {
  const count = (pick: (outcome: CaseOutcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + pick(outcome), 0);
  const matched = count((outcome) => outcome.matched.length);
  const near = outcomes.filter((outcome) => outcome.case.intent === 'near-miss');
  const delays = outcomes.flatMap((outcome) => outcome.matched.map(({ delayMs }) => delayMs));
  const medianDelayMs = delays.sort((a, b) => a - b)[Math.floor(delays.length / 2)];
  return {
    kind,
    cases: outcomes.length,
    nearMisses: near.length,
    precision: computeProportion(matched, matched + count((outcome) => outcome.wrong.length)),
    recall: computeProportion(matched, matched + count((outcome) => outcome.missed.length)),
    quietNearMisses: computeProportion(near.filter(({ wrong }) => wrong.length === 0).length, near.length),
    openClaims: count((outcome) => outcome.open),
    letPass: count((outcome) => outcome.letPass),
    ...(medianDelayMs === undefined ? {} : { medianDelayMs: Math.round(medianDelayMs) }),
    mismatches: outcomes.flatMap(listMismatches),
  };
}

function listMismatches(outcome: CaseOutcome): CaseMismatch[] {
  const { seed, intent, story, subjectId, world } = outcome.case;
  const about = { seed, intent };
  const nameOf = (userId: number | undefined): string => {
    if (userId === undefined) return 'nobody';
    const label = world.users.find((user) => user.userId === userId)?.body.label ?? 'somebody';
    return userId === subjectId ? `the subject (${story})` : `${label} ${userId} of the traffic`;
  };
  return [
    ...outcome.missed.map((truth) => ({
      ...about,
      what: 'missed' as const,
      text: `${nameOf(truth.userId)} at ${(truth.atMs / 1000).toFixed(2)} s: ${truth.note}`,
    })),
    ...outcome.wrong.map(({ match, userId, why }) => ({
      ...about,
      what: 'wrong' as const,
      why,
      text: `${nameOf(userId)} (${why}) at ${(match.observation.frame.mediaTimeMs / 1000).toFixed(2)} s: ${match.explanation.en}`,
    })),
  ];
}

/** The table that `ngatu eval rules` prints. */
export function formatCampaignTable(metrics: CampaignMetrics, maxMismatches = 10): string {
  const noise =
    metrics.noise === undefined
      ? 'perfect detector'
      : `noise of ${metrics.noise.model.name} measured ${metrics.noise.measuredAt}`;
  const lines = [
    `tracks level, ${noise}, seeds from ${metrics.seed}`,
    'kind              cases  precision                    recall                       near-misses kept quiet       median delay  open  let pass',
  ];
  for (const entry of metrics.kinds) {
    const delay = entry.medianDelayMs === undefined ? '–' : `${entry.medianDelayMs} ms`;
    lines.push(
      [
        entry.kind.padEnd(18),
        String(entry.cases).padEnd(7),
        formatProportion(entry.precision).padEnd(29),
        formatProportion(entry.recall).padEnd(29),
        formatProportion(entry.quietNearMisses).padEnd(29),
        delay.padEnd(14),
        String(entry.openClaims).padEnd(6),
        String(entry.letPass),
      ].join(''),
    );
  }
  for (const { kind, mismatches } of metrics.kinds) {
    for (const { seed, what, text } of mismatches.slice(0, maxMismatches))
      lines.push(`${kind} seed ${seed}: ${what} ${text}`);
    const rest = mismatches.length - maxMismatches;
    if (rest > 0) lines.push(`${kind}: ${rest} more, all in --json`);
  }
  return lines.join('\n');
}
