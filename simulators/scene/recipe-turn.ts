import { CaseDraft, type CaseTruth } from './case-draft.ts';
import type { PathPiece } from './ground-path.ts';
import type { CaseRecipe } from './recipe.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource } from './street-site.ts';
import { fillLane, MIXED_TRAFFIC } from './street-traffic.ts';
import { findPassing, walkThrough } from './truth-path.ts';

/** Two lanes up to the junction (entry at −2 m), a road to the left that begins 7 m to the left between 1 and 9 m. */
const ENTRY_M = -2;
const EXIT_ACROSS = -6.5;
const EXIT = [0.5, 9] as const;
const LANE_WIDTH_M = 3.2;
const OPEN_M = 0.4;

type Variant = readonly [story: string, place: (draft: CaseDraft) => void];

const LABELS = ['motorbike', 'motorbike', 'car', 'truck'] as const;

/** From a place on the approach around to the left, over the exit. */
function turnLeft(draft: CaseDraft, across: number): PathPiece[] {
  const exitAlong = draft.random.between(EXIT[0] + 2, EXIT[1] - 2);
  const radiusM = Math.min(5, exitAlong - ENTRY_M - 0.5, across - EXIT_ACROSS - 0.5);
  return [{ lengthM: 10 + exitAlong - radiusM + 2 }, { radiusM, angleDeg: 90 }, { lengthM: 60 }];
}

function addTurner(draft: CaseDraft, across: number): void {
  void draft.add({
    label: draft.random.pick(LABELS),
    role: 'subject',
    from: { across, along: -12 },
    pieces: turnLeft(draft, across),
    drive: { startMs: draft.random.between(0, 4_000), ...draft.steady(3, 6) },
  });
}

const left = (random: SceneRandom): number => -LANE_WIDTH_M / 2 + random.between(-0.4, 0.4);
const right = (random: SceneRandom): number => LANE_WIDTH_M / 2 + random.between(-0.4, 0.4);

const STRAIGHT: Variant = [
  'goes straight on',
  (d) =>
    void d.add({
      label: d.random.pick(LABELS),
      role: 'subject',
      from: { across: d.random.chance(0.5) ? left(d.random) : right(d.random), along: -12 },
      drive: { startMs: d.random.between(0, 4_000), ...d.steady(4, 9) },
    }),
];
const FROM_THE_SIDE: Variant = [
  'comes from the right and leaves by the same exit',
  (d) =>
    void d.add({
      label: d.random.pick(LABELS),
      role: 'subject',
      from: { across: 16, along: d.random.between(2.5, 7) },
      turnedDeg: 90,
      drive: { startMs: d.random.between(0, 4_000), ...d.steady(4, 8) },
    }),
];

function drawJunction(
  random: SceneRandom,
  sites: SiteSource,
  variants: readonly Variant[],
  rule: object,
): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: 8,
    after: 9,
    halfWidth: 8,
  });
  const draft = new CaseDraft(site, random, random.between(13_000, 18_000));
  const [story, place] = random.pick(variants);
  place(draft);
  draft.story = `${draft.subject.body.label} ${story}`;
  draft.parts = {
    zones: [
      draft.zone('right-lane', [0, LANE_WIDTH_M], [-8, ENTRY_M]),
      draft.zone('left-lane', [-LANE_WIDTH_M, 0], [-8, ENTRY_M]),
    ],
    tripwires: [
      {
        name: 'entry',
        points: [draft.pixel(-LANE_WIDTH_M, ENTRY_M), draft.pixel(LANE_WIDTH_M, ENTRY_M)],
        forwardTowards: draft.pixel(0, 4),
      },
      {
        name: 'exit-left',
        points: [draft.pixel(EXIT_ACROSS, EXIT[0]), draft.pixel(EXIT_ACROSS, EXIT[1])],
        forwardTowards: draft.pixel(EXIT_ACROSS - 1.4, 4.5),
      },
    ],
    signals: [],
    rules: [rule],
  };
  for (const across of [-1.6, 1.6]) {
    if (random.chance(0.5)) continue;
    fillLane(draft, {
      across,
      widthM: 2,
      fromM: -16,
      labels: MIXED_TRAFFIC,
      speedMps: [4, 8],
      headwayS: random.between(4, 9),
      maxUsers: 4,
    });
  }
  return draft;
}

/** Who crosses the exit after the entry; with its lane where the lane decides. */
function judgeTurn(draft: CaseDraft, kind: 'FORBIDDEN_TURN' | 'LANE'): CaseTruth[] {
  return draft.users.flatMap((user): CaseTruth[] => {
    if (user.body.label === 'person') return [];
    const steps = walkThrough(draft, user);
    const exit = findPassing(steps, ({ middle }) => EXIT_ACROSS - middle.across);
    const entry = findPassing(steps, ({ middle }) => middle.along - ENTRY_M);
    if (exit === undefined || entry === undefined || entry.atMs > exit.atMs) return [];
    const slack = Math.min(exit.middle.along - EXIT[0], EXIT[1] - exit.middle.along);
    const isInLanes = Math.abs(entry.middle.across) < LANE_WIDTH_M;
    if (slack < -OPEN_M || !isInLanes) return [];
    const half = user.body.label === 'motorbike' ? 0.3 : user.body.widthM / 2;
    const inRightLane = entry.middle.across > 0;
    if (kind === 'LANE' && !inRightLane) return [];
    const isInside = entry.middle.across - half > 0 && entry.middle.across + half < LANE_WIDTH_M;
    return [
      {
        kind,
        userId: user.userId,
        atMs: exit.atMs,
        fromMs: exit.atMs - 1_500,
        untilMs: exit.atMs + 1_500,
        isOpen: slack < OPEN_M || (kind === 'LANE' && !isInside),
        note: `turns left ${entry.middle.across.toFixed(1)} m right of the middle of the approach`,
      },
    ];
  });
}

export const FORBIDDEN_TURN_RECIPE: CaseRecipe = {
  kind: 'FORBIDDEN_TURN',
  draw: (random, intent, sites) => {
    const turn: Variant = [
      'turns left',
      (d) => addTurner(d, d.random.chance(0.7) ? left(d.random) : right(d.random)),
    ];
    const rule = {
      name: 'no-left-turn',
      kind: 'FORBIDDEN_TURN',
      turn: 'left',
      entry: 'entry',
      exit: 'exit-left',
    };
    return drawJunction(random, sites, intent === 'violation' ? [turn] : [STRAIGHT, FROM_THE_SIDE], rule);
  },
  judge: (draft) => judgeTurn(draft, 'FORBIDDEN_TURN'),
};

/** Turning left out of the right lane; half of the cases of `LANE`. */
export const LANE_TURN_RECIPE: CaseRecipe = {
  kind: 'LANE',
  draw: (random, intent, sites) => {
    const wrong: Variant = ['turns left out of the right lane', (d) => addTurner(d, right(d.random))];
    const allowed: Variant = ['turns left out of the left lane', (d) => addTurner(d, left(d.random))];
    const rule = { name: 'right-lane', kind: 'LANE_TURN', lane: 'right-lane', exits: ['exit-left'] };
    return drawJunction(
      random,
      sites,
      intent === 'violation' ? [wrong] : [allowed, STRAIGHT, FROM_THE_SIDE],
      rule,
    );
  },
  judge: (draft) => judgeTurn(draft, 'LANE'),
};
