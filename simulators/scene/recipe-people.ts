import { CaseDraft, type CaseIntent, type CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource } from './street-site.ts';
import { fillLane } from './street-traffic.ts';
import { findPassing, walkThrough } from './truth-path.ts';

const ROAD_HALF_M = 3.5;

function drawOverloaded(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: 8,
    after: 8,
    halfWidth: ROAD_HALF_M,
  });
  const draft = new CaseDraft(site, random, random.between(10_000, 15_000));
  const riders = intent === 'violation' ? random.pick([3, 3, 4]) : random.pick([1, 2, 2]);
  draft.add({
    label: 'motorbike',
    role: 'subject',
    riders,
    from: { across: random.between(-2.5, 2.5), along: -16 },
    drive: { startMs: random.between(0, 3_000), ...draft.steady(3, 8) },
  });
  draft.story = `motorbike with ${riders} people on it`;
  draft.parts = {
    zones: [],
    tripwires: [],
    signals: [],
    rules: [{ name: 'overloaded', kind: 'OVERLOADED' }],
  };
  for (const across of [-2.4, 0, 2.4]) {
    if (random.chance(0.4)) continue;
    fillLane(draft, {
      across,
      widthM: 1.6,
      fromM: -18,
      labels: ['motorbike', 'motorbike', 'motorbike', 'car'],
      speedMps: [3, 8],
      headwayS: random.between(2, 6),
      maxUsers: 6,
    });
  }
  return draft;
}

function judgeOverloaded(draft: CaseDraft): CaseTruth[] {
  return draft.users.flatMap((user): CaseTruth[] => {
    if (user.body.label !== 'motorbike' || user.body.riders.length <= 2) return [];
    return [
      {
        kind: 'OVERLOADED',
        userId: user.userId,
        atMs: user.motion.startMs,
        fromMs: 0,
        untilMs: draft.durationMs,
        isOpen: false,
        note: `${user.body.riders.length} people`,
      },
    ];
  });
}

export const OVERLOADED_RECIPE: CaseRecipe = {
  kind: 'OVERLOADED',
  draw: drawOverloaded,
  judge: judgeOverloaded,
};

/** The zebra lies across the street around the middle of the site. */
const ZEBRA_HALF_M = 1.6;
const WALK_MPS = 1.3;
/** The rule's limit, and what is left open around it, ms. */
const GAP_MS = 2_000;
const SURE_GAP_MS = 1_400;
const FREE_GAP_MS = 2_900;

/** A pedestrian crosses from one kerb; a vehicle passes so long before or after on its way. */
function meet(draft: CaseDraft, gapMs: number, order: 'vehicle-first' | 'pedestrian-first'): void {
  const { random } = draft;
  const side = random.pick([1, -1]);
  const walkMs = random.between(1_000, 3_000);
  const along = random.between(-0.6, 0.6);
  const pace = random.between(0.9, 1.15) * WALK_MPS;
  const across = random.between(-1.6, 1.6);
  const walker = { across: side * (ROAD_HALF_M + 2.5), along };
  const reachMs = walkMs + ((ROAD_HALF_M + 2.5 - side * across) / pace) * 1000;
  draft.add({
    label: 'person',
    from: walker,
    turnedDeg: side * 90,
    drive: { startMs: walkMs, startSpeedMps: pace, desiredSpeedMps: pace },
  });
  const speed = draft.steady(4, 9);
  const shift = order === 'vehicle-first' ? -(gapMs + 900) : gapMs + 700;
  const run = 24;
  const startMs = reachMs + shift - (run / speed.startSpeedMps) * 1000;
  draft.add({
    label: random.pick(['motorbike', 'motorbike', 'car']),
    role: 'subject',
    from: { across, along: -run },
    drive: {
      startMs: Math.max(0, startMs),
      startM: Math.max(0, (-startMs / 1000) * speed.startSpeedMps),
      ...speed,
    },
  });
}

type Variant = readonly [story: string, place: (draft: CaseDraft) => void];

const CUTS: readonly Variant[] = [
  [
    'passes close before a pedestrian on the zebra',
    (d) => meet(d, d.random.between(200, 900), 'vehicle-first'),
  ],
];

const YIELDS: readonly Variant[] = [
  ['passes behind a pedestrian', (d) => meet(d, d.random.between(500, 3_000), 'pedestrian-first')],
  ['passes long before a pedestrian', (d) => meet(d, d.random.between(2_400, 3_200), 'vehicle-first')],
  [
    'stops and lets a pedestrian pass',
    (d) => {
      const walkMs = d.random.between(1_500, 3_000);
      const side = d.random.pick([1, -1]);
      d.add({
        label: 'person',
        from: { across: side * (ROAD_HALF_M + 2.5), along: 0 },
        turnedDeg: side * 90,
        drive: { startMs: walkMs, startSpeedMps: WALK_MPS, desiredSpeedMps: WALK_MPS },
      });
      const goMs = walkMs + ((2 * ROAD_HALF_M + 4.5) / WALK_MPS) * 1000;
      void d.add({
        label: d.random.pick(['motorbike', 'car']),
        role: 'subject',
        from: { across: d.random.between(-1.5, 1.5), along: -24 },
        drive: {
          startMs: 0,
          ...d.steady(4, 7),
          obstacles: [{ atM: 24 - ZEBRA_HALF_M - d.random.between(0.5, 1.5), fromMs: 0, untilMs: goMs }],
        },
      });
    },
  ],
];

function drawZebra(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: 9,
    after: 6,
    halfWidth: ROAD_HALF_M + 2,
  });
  const draft = new CaseDraft(site, random, 16_000);
  const [story, place] = random.pick(intent === 'violation' ? CUTS : YIELDS);
  place(draft);
  draft.story = `${draft.subject.body.label} ${story}`;
  draft.parts = {
    zones: [draft.zone('zebra', [-ROAD_HALF_M, ROAD_HALF_M], [-ZEBRA_HALF_M, ZEBRA_HALF_M])],
    tripwires: [],
    signals: [],
    rules: [
      {
        name: 'zebra',
        kind: 'ZEBRA_YIELD',
        zebra: 'zebra',
        approach: { from: draft.pixel(0, -7), to: draft.pixel(0, 3) },
        maxGapMs: GAP_MS,
      },
    ],
  };
  return draft;
}

/** Post-encroachment time of every vehicle with every pedestrian: from the rear having left the pedestrian's line to the pedestrian's reaching the way. */
function judgeZebra(draft: CaseDraft): CaseTruth[] {
  const walkers = draft.users.filter(({ body }) => body.label === 'person');
  return draft.users.flatMap((user): CaseTruth[] => {
    if (user.body.label === 'person') return [];
    const steps = walkThrough(draft, user);
    return walkers.flatMap((walker): CaseTruth[] => {
      const walk = walkThrough(draft, walker);
      const line = walk[0]?.middle.along ?? 0;
      const leaves = findPassing(steps, (step) => step.rear.along - user.body.rearOverhangM - line - 0.25);
      const reaches = findPassing(steps, (step) => step.front.along + user.body.frontOverhangM - line + 0.25);
      if (leaves === undefined || reaches === undefined) return [];
      const half = user.body.widthM / 2 + 0.25;
      const [from, to] = [walk[0]?.middle.across ?? 0, walk.at(-1)?.middle.across ?? 0];
      const side = Math.sign(from - to);
      const arrives = findPassing(walk, ({ middle }) => side * (leaves.middle.across - middle.across) + half);
      const atPassing = walk.find(({ atMs }) => atMs >= leaves.atMs);
      if (arrives === undefined || arrives.atMs < reaches.atMs || atPassing === undefined) return [];
      const gapMs = arrives.atMs - leaves.atMs;
      if (gapMs > FREE_GAP_MS) return [];
      const isOnZebra = Math.abs(atPassing.middle.across) < ROAD_HALF_M - 0.3;
      return [
        {
          kind: 'ZEBRA_YIELD',
          userId: user.userId,
          atMs: leaves.atMs,
          fromMs: reaches.atMs - 1_000,
          untilMs: arrives.atMs + 1_000,
          isOpen: gapMs > SURE_GAP_MS || !isOnZebra,
          note: `the pedestrian is there ${(gapMs / 1000).toFixed(1)} s after it has left`,
        },
      ];
    });
  });
}

export const ZEBRA_YIELD_RECIPE: CaseRecipe = { kind: 'ZEBRA_YIELD', draw: drawZebra, judge: judgeZebra };
