import type { EventKind, RoadUserLabel } from '@ngatu/contract';
import { CaseDraft, type CaseIntent, type CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import type { Obstacle } from './road-user-motion.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource } from './street-site.ts';
import { fillLane, MIXED_TRAFFIC } from './street-traffic.ts';
import { listStretches, walkThrough } from './truth-path.ts';

const STANDING_MPS = 0.1;
const OPEN_MS = 1_500;
/** A place at the kerb where stopping is forbidden; real scenes say two minutes, a case would take too long. */
const PARK = { standMs: 20_000, halfM: 1.5, lengthM: 9 };
const JUNCTION = { standMs: 8_000, halfM: 4.5 };

type Variant = readonly [story: string, place: (draft: CaseDraft) => void];

/** Comes, stands in the zone for so long, and drives on. */
function stand(draft: CaseDraft, standS: number): void {
  const { random } = draft;
  const label = random.pick(['car', 'car', 'truck', 'motorbike']);
  const startMs = random.between(0, 2_000);
  const { before, after } = draft.site.reach;
  // the way begins this far before the place
  const atM = PARK.lengthM + 8 + random.between(-0.35 * before, 0.35 * after);
  const speed = draft.steady(4, 7);
  const arriveMs = startMs + (atM / speed.startSpeedMps) * 1000 + (speed.startSpeedMps / 2.2 / 2) * 1000;
  void draft.add({
    label,
    role: 'subject',
    from: { across: random.between(-0.2, 0.2), along: -PARK.lengthM - 8 },
    drive: { startMs, ...speed, obstacles: [{ atM, fromMs: 0, untilMs: arriveMs + standS * 1000 }] },
  });
}

/** Comes and stands until the end with its nearer side half a metre to one metre outside the zone, on its left (-1) or right (1). */
function standBeside(draft: CaseDraft, labels: readonly RoadUserLabel[], side: -1 | 1): void {
  const label = draft.random.pick(labels);
  const clearM = PARK.halfM + (label === 'car' ? 0.9 : 0.4) + draft.random.between(0.5, 1);
  void draft.add({
    label,
    role: 'subject',
    from: { across: side * clearM, along: -PARK.lengthM - 8 },
    drive: {
      startMs: 500,
      ...draft.steady(4, 6),
      obstacles: [{ atM: PARK.lengthM + 8, fromMs: 0, untilMs: 200_000 }],
    },
  });
}

const PARKS: readonly Variant[] = [
  ['stands at the kerb and drives on', (d) => stand(d, d.random.between(24, 32))],
  ['stands at the kerb until the end', (d) => stand(d, 200)],
];

const PARKS_NOT: readonly Variant[] = [
  ['stops at the kerb for a short time', (d) => stand(d, d.random.between(4, 15))],
  [
    'drives past the kerb',
    (d) =>
      void d.add({
        label: d.random.pick(['car', 'motorbike']),
        role: 'subject',
        from: { across: 0, along: -PARK.lengthM - 8 },
        drive: { startMs: d.random.between(0, 5_000), ...d.steady(2, 5) },
      }),
  ],
  ['stands on the road beside the place', (d) => standBeside(d, ['car'], -1)],
  ['stands on the pavement behind the kerb', (d) => standBeside(d, ['car', 'motorbike', 'motorbike'], 1)],
];

function drawStopPark(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: PARK.lengthM,
    after: PARK.lengthM,
    halfWidth: PARK.halfM + 2,
  });
  const draft = new CaseDraft(site, random, 42_000);
  const [story, place] = random.pick(intent === 'violation' ? PARKS : PARKS_NOT);
  place(draft);
  draft.story = `${draft.subject.body.label} ${story}`;
  draft.parts = {
    zones: [draft.zone('kerb', [-PARK.halfM, PARK.halfM], [-site.reach.before, site.reach.after])],
    tripwires: [],
    signals: [],
    rules: [{ name: 'no-stopping', kind: 'STOP_PARK', zone: 'kerb', standMs: PARK.standMs }],
  };
  for (const across of [-4.6, -7.6]) {
    if (random.chance(0.3)) continue;
    fillLane(draft, {
      across,
      widthM: 1.6,
      fromM: -PARK.lengthM - 10,
      labels: MIXED_TRAFFIC,
      speedMps: [4, 9],
      headwayS: random.between(2.5, 7),
      maxUsers: 12,
    });
  }
  return draft;
}

/** Who stands in a place for how long; `atMs` is when it had stood for long enough. */
function judgeStanding(
  draft: CaseDraft,
  kind: EventKind,
  standMs: number,
  isInside: (across: number, along: number, slackM: number) => boolean,
): CaseTruth[] {
  return draft.users.flatMap((user): CaseTruth[] => {
    if (user.body.label === 'person') return [];
    const stretch = listStretches(
      walkThrough(draft, user),
      ({ middle, speedMps }) => speedMps < STANDING_MPS && isInside(middle.across, middle.along, 0.5),
    ).toSorted((a, b) => b.durationMs - a.durationMs)[0];
    if (stretch === undefined || stretch.durationMs < standMs - OPEN_MS) return [];
    const { middle } = stretch.first;
    const isSure = stretch.durationMs > standMs + OPEN_MS && isInside(middle.across, middle.along, -0.5);
    return [
      {
        kind,
        userId: user.userId,
        atMs: stretch.first.atMs + standMs,
        fromMs: stretch.first.atMs - 1_000,
        untilMs: stretch.last.atMs + 500,
        isOpen: !isSure,
        note: `stands for ${(stretch.durationMs / 1000).toFixed(1)} s`,
      },
    ];
  });
}

export const STOP_PARK_RECIPE: CaseRecipe = {
  kind: 'STOP_PARK',
  draw: drawStopPark,
  judge: (draft) =>
    judgeStanding(
      draft,
      'STOP_PARK',
      PARK.standMs,
      (across, along, slackM) =>
        Math.abs(across) < PARK.halfM + slackM &&
        along > -draft.site.reach.before - slackM &&
        along < draft.site.reach.after + slackM,
    ),
};

/** Somebody stands beyond the junction already when the subject comes. */
function addQueue(draft: CaseDraft, untilMs: number): Obstacle {
  const stop = { atM: 30 + JUNCTION.halfM + 1, fromMs: 0, untilMs };
  const along = JUNCTION.halfM - 5.5;
  const leader = draft.add({
    label: draft.random.pick(['car', 'truck']),
    from: { across: 0, along: -30 },
    drive: { startMs: 0, startM: 30 + along, startSpeedMps: 2, desiredSpeedMps: 5, obstacles: [stop] },
  });
  return { atM: 30 + along + leader.body.wheelBaseM, fromMs: 0, untilMs };
}

const BLOCKS: readonly Variant[] = [
  [
    'enters behind a standing queue and stands in the junction',
    (d) => {
      const untilMs = d.random.between(24_000, 28_000);
      const standing = { atM: 30 + JUNCTION.halfM + 2.2, fromMs: 0, untilMs };
      const leader = d.add({
        label: d.random.pick(['car', 'truck']),
        from: { across: 0, along: -30 },
        drive: { startMs: 0, startM: 30 - 4, startSpeedMps: 4, desiredSpeedMps: 5, obstacles: [standing] },
      });
      const front = (leader.motion.alongAt(9_000) ?? 0) - leader.body.rearOverhangM;
      const gap = d.random.between(1.2, 2.2);
      void d.add({
        label: d.random.pick(['car', 'car', 'motorbike', 'truck']),
        role: 'subject',
        from: { across: 0, along: -30 },
        drive: {
          startMs: d.random.between(3_000, 6_000),
          startM: 8,
          ...d.steady(4, 6),
          obstacles: [{ atM: front - gap - 0.5, fromMs: 0, untilMs: untilMs + 800 }],
        },
      });
    },
  ],
];

const BLOCKS_NOT: readonly Variant[] = [
  [
    'waits before the junction until there is room',
    (d) => {
      const untilMs = d.random.between(16_000, 20_000);
      addQueue(d, untilMs);
      void d.add({
        label: d.random.pick(['car', 'motorbike', 'truck']),
        role: 'subject',
        from: { across: 0, along: -30 },
        drive: {
          startMs: 3_000,
          startM: 8,
          ...d.steady(4, 6),
          obstacles: [
            { atM: 30 - JUNCTION.halfM - d.random.between(0.6, 2), fromMs: 0, untilMs: untilMs + 2_500 },
          ],
        },
      });
    },
  ],
  [
    'drives through',
    (d) =>
      void d.add({
        label: d.random.pick(['car', 'motorbike', 'bus']),
        role: 'subject',
        from: { across: d.random.between(-1, 1), along: -22 },
        drive: { startMs: d.random.between(0, 5_000), ...d.steady(2, 6) },
      }),
  ],
  [
    'stops in the junction for a moment and drives on',
    (d) => {
      const startMs = d.random.between(0, 3_000);
      void d.add({
        label: d.random.pick(['car', 'motorbike']),
        role: 'subject',
        from: { across: d.random.between(-1, 1), along: -20 },
        drive: {
          startMs,
          ...d.steady(4, 6),
          obstacles: [{ atM: 21, fromMs: 0, untilMs: startMs + 8_000 + d.random.between(0, 3_000) }],
        },
      });
    },
  ],
];

function drawBlocked(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const { halfM, standMs } = JUNCTION;
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: halfM + 6,
    after: halfM + 6,
    halfWidth: halfM,
  });
  const draft = new CaseDraft(site, random, 31_000);
  const [story, place] = random.pick(intent === 'violation' ? BLOCKS : BLOCKS_NOT);
  place(draft);
  draft.story = `${draft.subject.body.label} ${story}`;
  draft.parts = {
    zones: [draft.zone('junction', [-halfM, halfM], [-halfM, halfM])],
    tripwires: [],
    signals: [],
    rules: [{ name: 'junction', kind: 'BLOCKED_JUNCTION', zone: 'junction', standMs }],
  };
  fillLane(draft, {
    across: random.pick([-3, 3]),
    widthM: 1.4,
    fromM: -halfM - 16,
    labels: MIXED_TRAFFIC,
    speedMps: [4, 8],
    headwayS: random.between(4, 9),
    maxUsers: 5,
  });
  return draft;
}

export const BLOCKED_JUNCTION_RECIPE: CaseRecipe = {
  kind: 'BLOCKED_JUNCTION',
  draw: drawBlocked,
  judge: (draft) =>
    judgeStanding(draft, 'BLOCKED_JUNCTION', JUNCTION.standMs, (across, along, slackM) => {
      const half = JUNCTION.halfM + slackM;
      return Math.abs(across) < half && Math.abs(along) < half;
    }).map((truth) => {
      // who stands there from the beginning was not seen to enter
      const user = draft.users.find(({ userId }) => userId === truth.userId);
      return user?.role === 'subject' ? truth : { ...truth, isOpen: true };
    }),
};
