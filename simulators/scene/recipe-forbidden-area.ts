import type { RoadUserLabel } from '@ngatu/contract';
import { CaseDraft, type CaseIntent, type CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource, StreetPoint } from './street-site.ts';
import { fillLane, MIXED_TRAFFIC } from './street-traffic.ts';
import { listStretches, type StreetStep, walkThrough } from './truth-path.ts';

/** The pavement lies to the right of a road of two lanes; the middle of the pavement is the middle of the street. */
const HALF_M = 1.8;
const LENGTH_M = 9;
const KERB_M = -HALF_M;
const DWELL_MS = 1_000;
const LABELS = ['motorbike', 'car', 'truck'] as const satisfies RoadUserLabel[];
/** What lies nearer to the border than this is left open, m and ms. */
const OPEN_M = 0.3;
const OPEN_MS = 500;

type Variant = readonly [story: string, place: (draft: CaseDraft) => void];

const ENTRIES: readonly Variant[] = [
  [
    'rides along the pavement',
    (d) =>
      void d.add({
        label: 'motorbike',
        role: 'subject',
        from: { across: d.random.between(-1, 1.1), along: -LENGTH_M - d.random.between(6, 10) },
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(2, 6) },
      }),
  ],
  [
    'leaves the road for the pavement and stops there',
    (d) => {
      const angle = d.random.between(25, 45);
      const run = d.random.between(4, 8);
      const label = d.random.pick(['motorbike', 'motorbike', 'car']);
      const rise = Math.sin((angle * Math.PI) / 180) * run;
      const across = d.random.between(0.2, 0.8) - rise;
      void d.add({
        label,
        role: 'subject',
        from: { across, along: -LENGTH_M - 4 },
        pieces: [
          { lengthM: d.random.between(6, 9) },
          { radiusM: 3, angleDeg: -angle },
          { lengthM: run },
          { radiusM: 3, angleDeg: angle },
        ],
        drive: {
          startMs: d.random.between(0, 3_000),
          ...d.steady(3, 5),
          obstacles: [{ atM: 9 + run + 7, fromMs: 0, untilMs: d.durationMs }],
        },
      });
    },
  ],
];

const NEAR: readonly Variant[] = [
  [
    'drives along the kerb on the road',
    (d) => {
      const label = d.random.pick(LABELS);
      const half = label === 'motorbike' ? 0.35 : label === 'car' ? 0.9 : 1.1;
      void d.add({
        label,
        role: 'subject',
        from: { across: KERB_M - half - d.random.between(0.35, 1), along: -LENGTH_M - 8 },
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(2.5, 8) },
      });
    },
  ],
  [
    'walks on the pavement',
    (d) =>
      void d.add({
        label: 'person',
        role: 'subject',
        from: { across: d.random.between(-1, 1), along: -LENGTH_M - 3 },
        drive: { startMs: d.random.between(0, 3_000), ...d.steady(1, 1.7) },
      }),
  ],
  [
    'crosses the pavement quickly',
    (d) =>
      void d.add({
        label: 'motorbike',
        role: 'subject',
        from: { across: KERB_M - 9, along: d.random.between(-5, 5) },
        turnedDeg: -90,
        drive: { startMs: d.random.between(1_000, 4_000), ...d.steady(8, 11) },
      }),
  ],
];

function drawForbiddenArea(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: LENGTH_M + 1,
    after: LENGTH_M + 1,
    halfWidth: HALF_M + 1,
  });
  const draft = new CaseDraft(site, random, random.between(14_000, 20_000));
  const [story, place] = random.pick(intent === 'violation' ? ENTRIES : NEAR);
  place(draft);
  draft.story = `${draft.subject.body.label} ${story}`;
  draft.parts = {
    zones: [draft.zone('pavement', [-HALF_M, HALF_M], [-LENGTH_M, LENGTH_M])],
    tripwires: [],
    signals: [],
    rules: [
      { name: 'pavement', kind: 'FORBIDDEN_AREA', zone: 'pavement', labels: LABELS, dwellMs: DWELL_MS },
    ],
  };
  for (const across of [KERB_M - 5, KERB_M - 2.2]) {
    if (random.chance(0.4)) continue;
    fillLane(draft, {
      across,
      widthM: 1.8,
      fromM: -LENGTH_M - 8,
      labels: MIXED_TRAFFIC,
      speedMps: [4, 9],
      headwayS: random.between(3, 8),
      maxUsers: 5,
    });
  }
  return draft;
}

function isInside({ across, along }: StreetPoint, slackM: number): boolean {
  return Math.abs(across) <= HALF_M + slackM && Math.abs(along) <= LENGTH_M + slackM;
}

function judgeForbiddenArea(draft: CaseDraft): CaseTruth[] {
  return draft.users.flatMap((user): CaseTruth[] => {
    if (!(LABELS as readonly RoadUserLabel[]).includes(user.body.label)) return [];
    const steps = walkThrough(draft, user);
    const half = user.body.widthM / 2;
    const whole = (step: StreetStep): boolean =>
      [step.rear, step.front].every((point) => isInside(point, -OPEN_M));
    const touching = (step: StreetStep): boolean =>
      [step.rear, step.middle, step.front].some((point) =>
        isInside(point, OPEN_M + (user.body.label === 'motorbike' ? 0 : half - 0.8)),
      );
    const longest = (holds: (step: StreetStep) => boolean) =>
      listStretches(steps, holds).toSorted((a, b) => b.durationMs - a.durationMs)[0];
    const [sure, loose] = [longest(whole), longest(touching)];
    if (loose === undefined || loose.durationMs < DWELL_MS - OPEN_MS) return [];
    return [
      {
        kind: 'FORBIDDEN_AREA',
        userId: user.userId,
        atMs: (sure ?? loose).first.atMs + DWELL_MS,
        fromMs: loose.first.atMs,
        untilMs: loose.last.atMs,
        isOpen: sure === undefined || sure.durationMs < DWELL_MS + OPEN_MS,
        note: `${((sure?.durationMs ?? 0) / 1000).toFixed(1)} s with both wheels on the pavement`,
      },
    ];
  });
}

export const FORBIDDEN_AREA_RECIPE: CaseRecipe = {
  kind: 'FORBIDDEN_AREA',
  draw: drawForbiddenArea,
  judge: judgeForbiddenArea,
};
