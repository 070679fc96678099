import { isTwoWheeler } from '@ngatu/contract';
import { CaseDraft, type CaseIntent, type CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import { LANE_TURN_RECIPE } from './recipe-turn.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource } from './street-site.ts';
import { fillLane, MIXED_TRAFFIC } from './street-traffic.ts';
import { listStretches, type StreetStep, walkThrough } from './truth-path.ts';

/** A bus lane at the right side of the street; its middle is the middle of the site. */
const HALF_M = 1.75;
const LENGTH_M = 12;
/** Driving along in it for so far is a use that nobody can call a change of lane. */
const SURE_M = 14;
const CROSSING_M = 4;

type Variant = readonly [story: string, place: (draft: CaseDraft) => void];

const USES: readonly Variant[] = [
  [
    'drives along the bus lane',
    (d) => {
      const label = d.random.pick(['motorbike', 'motorbike', 'car']);
      const sway = label === 'motorbike' ? 0.9 : 0.4;
      void d.add({
        label,
        role: 'subject',
        from: { across: d.random.between(-sway, sway), along: -LENGTH_M - 8 },
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(4, 9) },
      });
    },
  ],
];

const NO_USES: readonly Variant[] = [
  [
    'drives in the lane beside the bus lane',
    (d) => {
      const label = d.random.pick(['motorbike', 'car']);
      const half = label === 'motorbike' ? 0.35 : 0.9;
      void d.add({
        label,
        role: 'subject',
        from: { across: -HALF_M - half - d.random.between(0.15, 0.9), along: -LENGTH_M - 8 },
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(4, 9) },
      });
    },
  ],
  [
    'drives in the bus lane as it may',
    (d) =>
      void d.add({
        label: 'bus',
        role: 'subject',
        from: { across: d.random.between(-0.2, 0.2), along: -LENGTH_M - 14 },
        drive: { startMs: d.random.between(0, 3_000), ...d.steady(5, 9) },
      }),
  ],
  [
    'crosses the bus lane',
    (d) =>
      void d.add({
        label: d.random.pick(['motorbike', 'car']),
        role: 'subject',
        from: { across: -HALF_M - 10, along: d.random.between(-5, 4) },
        turnedDeg: -90 + d.random.between(-15, 15),
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(3, 6) },
      }),
  ],
];

function drawReserved(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: LENGTH_M,
    after: LENGTH_M,
    halfWidth: HALF_M + 1,
  });
  const draft = new CaseDraft(site, random, random.between(12_000, 17_000));
  const [story, place] = random.pick(intent === 'violation' ? USES : NO_USES);
  place(draft);
  draft.story = `${draft.subject.body.label} ${story}`;
  draft.parts = {
    zones: [draft.zone('bus-lane', [-HALF_M, HALF_M], [-LENGTH_M, LENGTH_M])],
    tripwires: [],
    signals: [],
    rules: [
      {
        name: 'bus-lane',
        kind: 'LANE_RESERVED',
        zone: 'bus-lane',
        allowed: ['bus'],
        along: { from: draft.pixel(0, -6), to: draft.pixel(0, 6) },
      },
    ],
  };
  for (const across of [-3.6, -7]) {
    if (random.chance(0.4)) continue;
    fillLane(draft, {
      across,
      widthM: 1.8,
      fromM: -LENGTH_M - 10,
      labels: MIXED_TRAFFIC,
      speedMps: [4, 9],
      headwayS: random.between(3, 8),
      maxUsers: 5,
    });
  }
  return draft;
}

function judgeReserved(draft: CaseDraft): CaseTruth[] {
  return draft.users.flatMap((user): CaseTruth[] => {
    const { label, widthM } = user.body;
    if (label === 'person' || label === 'bus') return [];
    const half = isTwoWheeler(label) ? 0.3 : widthM / 2;
    const steps = walkThrough(draft, user);
    const longest = (slackM: number) =>
      listStretches(
        steps,
        ({ middle }: StreetStep) =>
          Math.abs(middle.across) + half < HALF_M + slackM && Math.abs(middle.along) < LENGTH_M + slackM,
      )
        .map((stretch) => ({
          ...stretch,
          travelM: Math.abs(stretch.last.middle.along - stretch.first.middle.along),
        }))
        .toSorted((a, b) => b.travelM - a.travelM)[0];
    const [sure, loose] = [longest(-0.15), longest(0.25)];
    if (loose === undefined || loose.travelM < CROSSING_M) return [];
    // a truck is let go where buses may drive, because detectors take one for the other
    const isSure = sure !== undefined && sure.travelM >= SURE_M && label !== 'truck';
    return [
      {
        kind: 'LANE',
        userId: user.userId,
        atMs: loose.first.atMs,
        fromMs: loose.first.atMs,
        untilMs: loose.last.atMs + 500,
        isOpen: !isSure,
        note: `${loose.travelM.toFixed(1)} m along the bus lane`,
      },
    ];
  });
}

/** Uses of a bus lane and turns out of the wrong lane by turns. */
export const LANE_RECIPE: CaseRecipe = {
  kind: 'LANE',
  draw: (random, intent, sites) =>
    random.chance(0.5) ? drawReserved(random, intent, sites) : LANE_TURN_RECIPE.draw(random, intent, sites),
  judge: (draft) =>
    draft.parts.zones.some(({ name }) => name === 'bus-lane')
      ? judgeReserved(draft)
      : LANE_TURN_RECIPE.judge(draft),
};
