import type { RoadUserLabel } from '@ngatu/contract';
import { CaseDraft, type CaseIntent, type CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource, StreetPoint } from './street-site.ts';
import { fillLane, MIXED_TRAFFIC } from './street-traffic.ts';
import { listStretches, walkThrough } from './truth-path.ts';

const ROAD_HALF_M = 3.4;
const BEFORE_M = 13;
const AFTER_M = 11;
const LABELS = [
  'motorbike',
  'motorbike',
  'motorbike',
  'bicycle',
  'car',
  'truck',
] as const satisfies RoadUserLabel[];

type Variant = readonly [story: string, place: (draft: CaseDraft) => void];

/** Going against the traffic for so long and so far is a violation that nobody can call a manoeuvre. */
const SURE_M = 9;
const SURE_MS = 1_500;
/** Less than this is one. */
const MANOEUVRE_M = 3;
const WRONG_ANGLE_DEG = 120;
/** A course this much nearer to the limit than it is left open. */
const OPEN_ANGLE_DEG = 12;

function inLane(random: SceneRandom): number {
  return random.between(-ROAD_HALF_M + 1.2, ROAD_HALF_M - 1.2);
}

const WRONG_WAYS: readonly Variant[] = [
  [
    'drives against the traffic along the lane',
    (d) =>
      void d.add({
        label: d.random.pick(LABELS),
        role: 'subject',
        from: { across: inLane(d.random), along: AFTER_M + 8 },
        turnedDeg: 180 + d.random.between(-4, 4),
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(2.5, 8) },
      }),
  ],
  [
    'comes out of a side street and turns against the traffic',
    (d) => {
      const along = d.random.between(5, 8);
      void d.add({
        label: d.random.pick(['motorbike', 'bicycle', 'motorbike']),
        role: 'subject',
        from: { across: ROAD_HALF_M + 8, along },
        turnedDeg: 90,
        pieces: [{ lengthM: 8 + d.random.between(0.5, 2) }, { radiusM: 2.5, angleDeg: 90 }, { lengthM: 60 }],
        drive: { startMs: d.random.between(0, 3_000), ...d.steady(2.5, 5) },
      });
    },
  ],
];

const RIGHT_WAYS: readonly Variant[] = [
  [
    'drives along the lane as allowed, slowly',
    (d) =>
      void d.add({
        label: d.random.pick(LABELS),
        role: 'subject',
        from: { across: inLane(d.random), along: -BEFORE_M - 6 },
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(1.5, 5) },
      }),
  ],
  [
    'crosses the lane',
    (d) => {
      const side = d.random.pick([1, -1]);
      void d.add({
        label: d.random.pick(['motorbike', 'bicycle', 'car', 'person']),
        role: 'subject',
        from: { across: side * (ROAD_HALF_M + 9), along: d.random.between(-4, 5) },
        turnedDeg: side * (90 + d.random.between(-12, 12)),
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(1.2, 5) },
      });
    },
  ],
  [
    'makes a U-turn out of the lane',
    (d) =>
      void d.add({
        label: d.random.pick(['motorbike', 'car']),
        role: 'subject',
        from: { across: -0.5, along: -BEFORE_M - 6 },
        pieces: [
          { lengthM: BEFORE_M + 6 + d.random.between(-3, 4) },
          { radiusM: d.random.between(3.2, 4.5), angleDeg: 180 },
          { lengthM: 60 },
        ],
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(2.5, 5) },
      }),
  ],
  [
    'drives against it on the road beside the lane',
    (d) =>
      void d.add({
        label: d.random.pick(LABELS),
        role: 'subject',
        from: { across: -ROAD_HALF_M - d.random.between(1.6, 3.2), along: AFTER_M + 8 },
        turnedDeg: 180,
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(3, 9) },
      }),
  ],
];

function drawWrongWay(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: BEFORE_M,
    after: AFTER_M,
    halfWidth: ROAD_HALF_M,
  });
  const draft = new CaseDraft(site, random, random.between(14_000, 22_000));
  const [story, place] = random.pick(intent === 'violation' ? WRONG_WAYS : RIGHT_WAYS);
  place(draft);
  draft.story = `${draft.subject.body.label} ${story}`;
  draft.parts = {
    zones: [
      draft.zone(
        'lane',
        [-site.reach.halfWidth, site.reach.halfWidth],
        [-site.reach.before, site.reach.after],
      ),
    ],
    tripwires: [],
    signals: [],
    rules: [
      {
        name: 'wrong-way',
        kind: 'WRONG_WAY',
        zone: 'lane',
        allowed: {
          from: draft.pixel(0, -Math.min(6, site.reach.before)),
          to: draft.pixel(0, Math.min(6, site.reach.after)),
        },
        minAngleDeg: WRONG_ANGLE_DEG,
      },
    ],
  };
  addFlow(draft);
  return draft;
}

/** Traffic in the allowed direction, beside the subject or with it. */
function addFlow(draft: CaseDraft): void {
  const { random } = draft;
  for (const across of [-1.8, 1.6]) {
    if (random.chance(0.35)) continue;
    fillLane(draft, {
      across,
      widthM: 2.4,
      fromM: -BEFORE_M - 8,
      labels: MIXED_TRAFFIC,
      speedMps: [4, 10],
      headwayS: random.between(3, 9),
      maxUsers: 6,
    });
  }
}

function judgeWrongWay(draft: CaseDraft): CaseTruth[] {
  const { before, after, halfWidth } = draft.site.reach;
  const isInLane = ({ across, along }: StreetPoint, slackM: number): boolean =>
    Math.abs(across) <= halfWidth + slackM && along >= -before - slackM && along <= after + slackM;
  return draft.users.flatMap((user): CaseTruth[] => {
    if (user.body.label === 'person') return [];
    const steps = walkThrough(draft, user);
    const isAgainst = (limitDeg: number, slackM: number) =>
      listStretches(
        steps,
        (step) => isInLane(step.middle, slackM) && step.offDeg >= limitDeg && step.speedMps > 0.2,
      )
        .map((stretch) => ({
          ...stretch,
          travelM: stretch.first.middle.along - stretch.last.middle.along,
        }))
        .toSorted((a, b) => b.travelM - a.travelM)[0];
    const sure = isAgainst(WRONG_ANGLE_DEG + OPEN_ANGLE_DEG, -0.4);
    const loose = isAgainst(WRONG_ANGLE_DEG - OPEN_ANGLE_DEG, 0.6);
    if (loose === undefined || loose.travelM < MANOEUVRE_M) return [];
    const isSure = sure !== undefined && sure.travelM >= SURE_M && sure.durationMs >= SURE_MS;
    return [
      {
        kind: 'WRONG_WAY',
        userId: user.userId,
        atMs: (sure ?? loose).first.atMs,
        fromMs: loose.first.atMs,
        untilMs: loose.last.atMs,
        isOpen: !isSure,
        note: `${loose.travelM.toFixed(1)} m against the lane in ${(loose.durationMs / 1000).toFixed(1)} s`,
      },
    ];
  });
}

export const WRONG_WAY_RECIPE: CaseRecipe = {
  kind: 'WRONG_WAY',
  draw: drawWrongWay,
  judge: judgeWrongWay,
};
