import { SeededRandom } from '../random/seeded-random.ts';
import type { SceneKind } from './scene-plan.ts';

/** What somebody may do wrong before a gate; most put it right when they are told. */
export const VISIT_MISTAKES = [
  'glasses',
  'hat',
  'fringe',
  'turned-away',
  'two-people',
  'hot-cup',
] as const satisfies readonly SceneKind[];

/** What stands before the camera from an instant on, ms after the beginning. */
export interface VisitPhase {
  readonly fromMs: number;
  readonly kind: SceneKind;
}

/** One person comes to the gate, stands before it, and leaves. */
export interface GateVisit {
  /** From 1 on. */
  readonly number: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Skin at the warmer inner canthus: the exact truth, °C. */
  readonly canthusC: number;
  readonly mistake?: (typeof VISIT_MISTAKES)[number];
  /** The mistake was put right; true where there was none. */
  readonly isCorrected: boolean;
  /** In order of time; the first begins with the visit. */
  readonly phases: readonly VisitPhase[];
}

export interface VisitOptions {
  readonly seed: number;
  /** Share of people with fever, 0–1. */
  readonly feverShare: number;
  /** Share of people who do something wrong at first, 0–1. */
  readonly mistakeShare: number;
}

/** Skin of the healthy and of the febrile at the inner canthi, mean and standard deviation, °C. */
const HEALTHY_C = [35.2, 0.4] as const;
const FEBRILE_C = [37.1, 0.4] as const;
/** Of those who do something wrong so many do not listen. */
const STUBBORN_SHARE = 0.2;
const APPROACH_MS = 1_000;
const STAND_MS = 4_500;
const MISTAKE_MS = 3_500;
/** Longer than a gate waits before it sends somebody to the thermometer. */
const STUBBORN_MS = 10_000;

/** People who come to a gate one after the other, for ever. The same options give the same people. */
export function* planVisits({ seed, feverShare, mistakeShare }: VisitOptions): Generator<GateVisit> {
  const random = new SeededRandom(seed);
  let fromMs = 0;
  for (let number = 1; ; number++) {
    fromMs += random.between(2_000, 6_000);
    const canthusC = random.gaussian(...(random.chance(feverShare) ? FEBRILE_C : HEALTHY_C));
    const mistake = random.chance(mistakeShare) ? random.pick(VISIT_MISTAKES) : undefined;
    const isStubborn = mistake !== undefined && random.chance(STUBBORN_SHARE);
    const phases: VisitPhase[] = [{ fromMs, kind: 'too-far' }];
    let atMs = fromMs + APPROACH_MS;
    if (mistake !== undefined) {
      phases.push({ fromMs: atMs, kind: mistake });
      atMs += isStubborn ? STUBBORN_MS : MISTAKE_MS;
    }
    if (!isStubborn) {
      phases.push({ fromMs: atMs, kind: 'protocol' });
      atMs += STAND_MS;
    }
    const found = mistake === undefined ? {} : { mistake };
    yield { number, fromMs, toMs: atMs, canthusC, isCorrected: !isStubborn, phases, ...found };
    fromMs = atMs;
  }
}
