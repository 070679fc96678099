import { isTwoWheeler } from '@ngatu/contract';
import { CaseDraft, type CaseIntent, type CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource } from './street-site.ts';
import { fillLane, MIXED_TRAFFIC } from './street-traffic.ts';
import { type StreetStep, walkThrough } from './truth-path.ts';

/** A solid line between two lanes, along the middle of the street. */
const LINE_M = 11;
const OPEN_M = 0.3;

type Variant = readonly [story: string, place: (draft: CaseDraft) => void];

/** Changes over by `aside` metres to the left around `along`. */
function changeOver(
  aside: number,
  runM: number,
): { pieces: ({ radiusM: number; angleDeg: number } | { lengthM: number })[] } {
  const radiusM = 12;
  const angle = Math.acos(Math.max(-1, 1 - aside / (2 * radiusM)));
  const angleDeg = (angle * 180) / Math.PI;
  return {
    pieces: [{ lengthM: runM }, { radiusM, angleDeg }, { radiusM, angleDeg: -angleDeg }, { lengthM: 80 }],
  };
}

const OVER: readonly Variant[] = [
  [
    'changes lane over the solid line',
    (d) => {
      const label = d.random.pick(['motorbike', 'motorbike', 'car', 'car', 'truck']);
      const from = label === 'motorbike' ? d.random.between(0.8, 1.8) : d.random.between(1.5, 1.9);
      const to = label === 'motorbike' ? d.random.between(0.8, 1.8) : d.random.between(1.6, 2.1);
      void d.add({
        label,
        role: 'subject',
        from: { across: from, along: -LINE_M - 8 },
        ...changeOver(from + to, 8 + d.random.between(4, 9)),
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(4, 9) },
      });
    },
  ],
];

const BESIDE: readonly Variant[] = [
  [
    'drives close to the solid line',
    (d) => {
      const label = d.random.pick(['motorbike', 'car', 'truck']);
      const half = label === 'motorbike' ? 0.35 : label === 'car' ? 0.9 : 1.1;
      void d.add({
        label,
        role: 'subject',
        from: { across: half + d.random.between(0.15, 0.6), along: -LINE_M - 8 },
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(4, 10) },
      });
    },
  ],
  [
    'drives with one pair of wheels over the solid line',
    (d) =>
      void d.add({
        label: d.random.pick(['car', 'truck']),
        role: 'subject',
        from: { across: d.random.between(0, 0.3), along: -LINE_M - 8 },
        drive: { startMs: d.random.between(0, 4_000), ...d.steady(4, 9) },
      }),
  ],
];

function drawSolidLine(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'away', 'sideways'],
    before: LINE_M + 1,
    after: LINE_M + 1,
    halfWidth: 3.5,
  });
  const draft = new CaseDraft(site, random, random.between(12_000, 18_000));
  const [story, place] = random.pick(intent === 'violation' ? OVER : BESIDE);
  place(draft);
  draft.story = `${draft.subject.body.label} ${story}`;
  draft.parts = {
    zones: [],
    tripwires: [
      {
        name: 'solid-line',
        points: [draft.pixel(0, -LINE_M), draft.pixel(0, 0), draft.pixel(0, LINE_M)],
        forwardTowards: draft.pixel(-3, 0),
      },
    ],
    signals: [],
    rules: [{ name: 'solid-line', kind: 'SOLID_LINE', line: 'solid-line' }],
  };
  for (const [across, turnedDeg] of [
    [-1.8, 180],
    [1.9, 0],
  ] as const) {
    if (random.chance(0.35)) continue;
    fillLane(draft, {
      across,
      widthM: 1.6,
      fromM: turnedDeg === 0 ? -LINE_M - 10 : LINE_M + 10,
      turnedDeg,
      labels: MIXED_TRAFFIC,
      speedMps: [4, 9],
      headwayS: random.between(3, 8),
      maxUsers: 5,
    });
  }
  return draft;
}

function judgeSolidLine(draft: CaseDraft): CaseTruth[] {
  return draft.users.flatMap((user): CaseTruth[] => {
    if (user.body.label === 'person') return [];
    // the outer wheels stand this far from the middle
    const half = isTwoWheeler(user.body.label) ? 0.05 : user.body.widthM / 2 - 0.1;
    const steps = walkThrough(draft, user);
    const side = (step: StreetStep, slackM: number): -1 | 0 | 1 => {
      const [low, high] = [
        Math.min(step.rear.across, step.front.across),
        Math.max(step.rear.across, step.front.across),
      ];
      if (low > half + slackM) return 1;
      return high < -half - slackM ? -1 : 0;
    };
    const changes = (slackM: number): { before: StreetStep; after: StreetStep } | undefined => {
      let last: StreetStep | undefined;
      for (const step of steps) {
        const now = side(step, slackM);
        if (now === 0) continue;
        if (last !== undefined && side(last, slackM) !== now) return { before: last, after: step };
        last = step;
      }
      return undefined;
    };
    const [loose, sure] = [changes(-OPEN_M), changes(OPEN_M)];
    if (loose === undefined) return [];
    const from = sure?.before ?? loose.before;
    const until = sure?.after ?? loose.after;
    const isBetweenEnds = [from, until].every(({ middle }) => Math.abs(middle.along) < LINE_M - 1);
    const isPastEnds = [from, until].every(({ middle }) => Math.abs(middle.along) > LINE_M + 2);
    if (isPastEnds) return [];
    return [
      {
        kind: 'SOLID_LINE',
        userId: user.userId,
        atMs: until.atMs,
        fromMs: from.atMs - 500,
        untilMs: until.atMs + 2_000,
        isOpen: sure === undefined || !isBetweenEnds,
        note: `all wheels over the line between ${from.middle.along.toFixed(1)} and ${until.middle.along.toFixed(1)} m`,
      },
    ];
  });
}

export const SOLID_LINE_RECIPE: CaseRecipe = {
  kind: 'SOLID_LINE',
  draw: drawSolidLine,
  judge: judgeSolidLine,
};
