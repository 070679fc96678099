import type { RoadUserLabel } from '@ngatu/contract';
import { CaseDraft, type CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import type { Obstacle } from './road-user-motion.ts';
import type { SceneRandom } from './scene-random.ts';
import { findLampPhase, type LampPhase, type ScriptedUser } from './scene-world.ts';
import type { SiteSource } from './street-site.ts';
import { fillLane, MIXED_TRAFFIC } from './street-traffic.ts';
import { findPassing, listStretches, walkThrough } from './truth-path.ts';

const HALF_WIDTH_M = 5.2;
const FROM_M = -24;
const GRACE_MS = 300;
const WAIT_MS = 2_000;
/** Instants nearer to the border than this are left open: a frame interval of the slowest camera, and lamp and shutter, ms. */
const OPEN_MS = 250;
/** Places nearer to the line than this are left open: the paint itself is 0.2–0.3 m wide, m. */
const OPEN_M = 0.25;
const STANDING_MPS = 0.08;
const LABELS = ['motorbike', 'motorbike', 'car', 'car', 'truck', 'bus'] as const satisfies RoadUserLabel[];

type Variant = (draft: CaseDraft, lamp: Lamp) => ScriptedUser;

/** When the lamp changes, ms. */
interface Lamp {
  readonly redMs: number;
  readonly greenMs: number;
}

function drawStreet(random: SceneRandom, sites: SiteSource): { draft: CaseDraft; lamp: Lamp } {
  const site = sites(random, {
    directions: ['away', 'away', 'towards', 'sideways'],
    before: 11,
    after: 7,
    halfWidth: HALF_WIDTH_M,
  });
  const redMs = random.between(5_000, 8_000);
  const greenMs = redMs + random.between(12_000, 17_000);
  const draft = new CaseDraft(site, random, greenMs + 4_000);
  draft.lamp = [
    { state: 'green', sinceMs: -20_000 },
    { state: 'amber', sinceMs: redMs - 3_000 },
    { state: 'red', sinceMs: redMs },
    { state: 'green', sinceMs: greenMs },
  ];
  return { draft, lamp: { redMs, greenMs } };
}

function describe(draft: CaseDraft, rule: object): void {
  const { before, after, halfWidth } = draft.site.reach;
  const approach = { from: draft.pixel(0, -Math.min(8, before)), to: draft.pixel(0, Math.min(4, after)) };
  draft.parts = {
    zones: [],
    tripwires: [
      {
        name: 'stop-line',
        points: [draft.pixel(-halfWidth, 0), draft.pixel(0, 0), draft.pixel(halfWidth, 0)],
        forwardTowards: draft.pixel(0, Math.min(5, after)),
      },
    ],
    signals: [{ name: 'main', box: [4, 4, 16, 40], lenses: ['red', 'amber', 'green'] }],
    rules: [{ ...rule, stopLine: 'stop-line', signal: 'main', approach }],
  };
}

/** The others: they stop on red, start on green; those of the crossing road pass beyond the line while it is red. */
function fillStreet(draft: CaseDraft, lamp: Lamp, subject: ScriptedUser): void {
  const { random } = draft;
  const subjectAcross = draft.site.locate(subject.path.poseAt(0).point).across;
  for (const across of [-3.4, 0, 3.4]) {
    if (Math.abs(across - subjectAcross) < 1.7 || random.chance(0.25)) continue;
    const stop: Obstacle = {
      atM: -FROM_M - random.between(0.4, 2.5),
      fromMs: lamp.redMs - 3_000,
      untilMs: lamp.greenMs + random.between(300, 1_200),
    };
    fillLane(draft, {
      across,
      widthM: 3.2,
      fromM: FROM_M,
      labels: MIXED_TRAFFIC,
      speedMps: [5, 10],
      headwayS: random.between(2.5, 8),
      obstacles: [stop],
      maxUsers: 6,
    });
  }
  if (random.chance(0.5)) {
    const side = random.chance(0.5) ? 1 : -1;
    fillLane(draft, {
      across: -side * 22,
      widthM: 1,
      fromM: random.between(9, 13),
      turnedDeg: side > 0 ? -90 : 90,
      labels: MIXED_TRAFFIC,
      speedMps: [5, 9],
      headwayS: 4,
      startMs: lamp.redMs + 2_000,
      maxUsers: 4,
    });
  }
}

function addSubject(
  draft: CaseDraft,
  options: { label: RoadUserLabel; speedMps: number; startMs: number; obstacles?: Obstacle[] },
): ScriptedUser {
  const { label, speedMps, startMs, obstacles = [] } = options;
  const sway = label === 'bus' || label === 'truck' ? 2.5 : 3.8;
  return draft.add({
    label,
    role: 'subject',
    from: { across: draft.random.between(-sway, sway), along: FROM_M },
    drive: { startMs, startSpeedMps: speedMps, desiredSpeedMps: speedMps, obstacles },
  });
}

/** Comes evenly, its rear over the line at the moment. */
function passAt(draft: CaseDraft, rearAtMs: number, speedMps: number): ScriptedUser {
  const startMs = Math.max(0, rearAtMs - (-FROM_M / speedMps) * 1000);
  return addSubject(draft, { label: draft.random.pick(LABELS), speedMps, startMs });
}

/** Stands with its front `pastM` beyond the line until the moment. */
function standAt(
  draft: CaseDraft,
  pastM: number,
  range: { arriveMs: number; untilMs: number },
  label?: RoadUserLabel,
): ScriptedUser {
  const speedMps = draft.random.between(4, 9);
  const startMs = Math.max(0, range.arriveMs - ((-FROM_M + 6) / speedMps) * 1000);
  const stop = { atM: -FROM_M + pastM, fromMs: 0, untilMs: range.untilMs };
  return addSubject(draft, {
    label: label ?? draft.random.pick(LABELS),
    speedMps,
    startMs,
    obstacles: [stop],
  });
}

const RED_VIOLATIONS: readonly [string, Variant][] = [
  ['passes on red', (d, l) => passAt(d, l.redMs + d.random.between(900, 9_000), d.random.between(4, 12))],
  [
    'passes shortly after the onset of red',
    (d, l) => passAt(d, l.redMs + d.random.between(1_100, 2_200), d.random.between(8, 13)),
  ],
  [
    'waits at the line and leaves before green',
    (d, l) =>
      standAt(d, -d.random.between(0.2, 1.5), {
        arriveMs: l.redMs,
        untilMs: l.greenMs - d.random.between(3_500, 7_000),
      }),
  ],
];

const RED_NEAR: readonly [string, Variant][] = [
  [
    'passes on green or amber',
    (d, l) => passAt(d, l.redMs - d.random.between(500, 2_500), d.random.between(5, 12)),
  ],
  [
    'front over the line on amber, rear on red',
    (d, l) => {
      const label = d.random.pick(['bus', 'truck', 'car']);
      const speedMps = label === 'car' ? d.random.between(1.2, 1.8) : d.random.between(2, 3);
      const startMs = Math.max(0, l.redMs - ((-FROM_M - 1.5) / speedMps) * 1000);
      const from = -FROM_M - ((l.redMs - startMs) / 1000) * speedMps - d.random.between(0.9, 1.6);
      const sway = 2.5;
      return d.add({
        label,
        role: 'subject',
        from: { across: d.random.between(-sway, sway), along: FROM_M },
        drive: { startMs, startM: from, startSpeedMps: speedMps, desiredSpeedMps: speedMps },
      });
    },
  ],
  [
    'stops before the line and leaves on green',
    (d, l) =>
      standAt(d, -d.random.between(0.2, 1.5), {
        arriveMs: l.redMs + 1_000,
        untilMs: l.greenMs + d.random.between(400, 1_500),
      }),
  ],
  [
    'stops with its front past the line and leaves on green',
    (d, l) =>
      standAt(d, d.random.between(0.2, 0.7), {
        arriveMs: l.redMs + 1_000,
        untilMs: l.greenMs + d.random.between(400, 1_500),
      }),
  ],
];

const STOP_VIOLATIONS: readonly [string, Variant][] = [
  [
    'stops with its front past the line',
    (d, l) => {
      const label = d.random.pick(LABELS);
      const most = label === 'motorbike' ? 0.85 : label === 'car' ? 1.9 : 2.4;
      return standAt(
        d,
        d.random.between(0.4, most),
        { arriveMs: l.redMs + d.random.between(1_500, 6_000), untilMs: l.greenMs + 700 },
        label,
      );
    },
  ],
];

const STOP_NEAR: readonly [string, Variant][] = [
  [
    'stops before the line',
    (d, l) =>
      standAt(d, -d.random.between(0.3, 1.8), {
        arriveMs: l.redMs + d.random.between(1_000, 5_000),
        untilMs: l.greenMs + 700,
      }),
  ],
  [
    'stands past the line since before red',
    (d, l) => {
      const label = d.random.pick(['car', 'motorbike', 'truck']);
      const past = label === 'motorbike' ? d.random.between(0.3, 0.8) : d.random.between(0.4, 1.8);
      return standAt(
        d,
        past,
        { arriveMs: l.redMs - d.random.between(1_500, 3_000), untilMs: l.greenMs + 700 },
        label,
      );
    },
  ],
  [
    'pauses past the line for less than the waiting time before green',
    (d, l) => {
      const label = d.random.pick(['car', 'motorbike']);
      return standAt(
        d,
        d.random.between(0.4, 0.8),
        { arriveMs: l.greenMs - d.random.between(300, 1_000), untilMs: l.greenMs + 100 },
        label,
      );
    },
  ],
  [
    'passes on red without stopping',
    (d, l) => passAt(d, l.redMs + d.random.between(1_500, 6_000), d.random.between(4, 10)),
  ],
];

function drawSignalCase(
  random: SceneRandom,
  sites: SiteSource,
  variants: readonly [string, Variant][],
  rule: object,
): CaseDraft {
  const { draft, lamp } = drawStreet(random, sites);
  const [story, variant] = variants[random.integer(0, variants.length - 1)] ?? ['', undefined];
  if (variant === undefined) throw new RangeError('A recipe has at least one variant');
  const subject = variant(draft, lamp);
  draft.story = `${subject.body.label} ${story}`;
  describe(draft, rule);
  fillStreet(draft, lamp, subject);
  return draft;
}

const isIn = (draft: CaseDraft, across: number): boolean => Math.abs(across) <= draft.site.reach.halfWidth;

function redOnsetBefore(lamp: readonly LampPhase[], atMs: number): LampPhase | undefined {
  const phase = findLampPhase(lamp, atMs);
  return phase?.state === 'red' ? phase : undefined;
}

/** How far a moment lies from the nearest change of the lamp, ms. */
function distanceToChange(lamp: readonly LampPhase[], atMs: number): number {
  return Math.min(...lamp.map(({ sinceMs }) => Math.abs(atMs - sinceMs)));
}

function judgeRedLight(draft: CaseDraft): CaseTruth[] {
  return draft.users.flatMap((user): CaseTruth[] => {
    const steps = walkThrough(draft, user);
    const rear = findPassing(steps, ({ rear: { along } }) => along);
    const front = findPassing(steps, ({ front: { along } }) => along);
    if (rear === undefined || !isIn(draft, rear.rear.across)) return [];
    const frontMs = front?.atMs ?? 0;
    const phase = redOnsetBefore(draft.lamp, rear.atMs);
    const isNearChange =
      distanceToChange(draft.lamp, rear.atMs) < OPEN_MS || distanceToChange(draft.lamp, frontMs) < OPEN_MS;
    const isInGrace = phase !== undefined && rear.atMs - phase.sinceMs < GRACE_MS + OPEN_MS;
    const farthest = Math.max(...steps.map((step) => step.rear.along));
    const isOpen = isNearChange || (isInGrace && frontMs >= (phase?.sinceMs ?? 0)) || farthest < 2 * OPEN_M;
    const isViolation = phase !== undefined && frontMs >= phase.sinceMs;
    if (!isViolation && !isOpen) return [];
    const truth = { kind: 'RED_LIGHT' as const, userId: user.userId, atMs: rear.atMs };
    const sinceRed =
      phase === undefined ? 'not on red' : `${((rear.atMs - phase.sinceMs) / 1000).toFixed(1)} s after red`;
    return [
      {
        ...truth,
        fromMs: rear.atMs - 1_000,
        untilMs: rear.atMs + 1_000,
        isOpen,
        note: `rear passes the line ${sinceRed}`,
      },
    ];
  });
}

function judgeStopLine(draft: CaseDraft): CaseTruth[] {
  return draft.users.flatMap((user): CaseTruth[] => {
    const steps = walkThrough(draft, user);
    const front = findPassing(steps, ({ front: { along } }) => along);
    // the foremost point of the body is past, whatever the wheel does
    const nose = findPassing(steps, (step) => step.front.along + user.body.frontOverhangM);
    const standing = listStretches(
      steps,
      (step) =>
        step.speedMps < STANDING_MPS &&
        step.front.along + user.body.frontOverhangM > -OPEN_M &&
        step.rear.along < OPEN_M &&
        isIn(draft, step.front.across) &&
        redOnsetBefore(draft.lamp, step.atMs) !== undefined,
    ).toSorted((a, b) => b.durationMs - a.durationMs)[0];
    if (standing === undefined || nose === undefined || standing.durationMs < WAIT_MS - 600) return [];
    const passedMs = front?.atMs ?? nose.atMs;
    const cameOnRed = redOnsetBefore(draft.lamp, passedMs) !== undefined;
    const { front: at, rear } = standing.first;
    const isSure =
      cameOnRed &&
      at.along > OPEN_M &&
      rear.along < -OPEN_M &&
      standing.durationMs > WAIT_MS + 600 &&
      distanceToChange(draft.lamp, passedMs) > OPEN_MS &&
      distanceToChange(draft.lamp, nose.atMs) > OPEN_MS &&
      standing.first.atMs - passedMs <= 1_500;
    const noseOnRed = redOnsetBefore(draft.lamp, nose.atMs) !== undefined;
    // the wheel stands before the line, what hangs over it beyond: whether that is past the line is not for the truth to say
    const isNoseAlone = at.along <= OPEN_M;
    const isFarFromChange = distanceToChange(draft.lamp, passedMs) > OPEN_MS;
    if (!isSure && !cameOnRed && !noseOnRed && !isNoseAlone && isFarFromChange) return [];
    return [
      {
        kind: 'STOP_LINE',
        userId: user.userId,
        atMs: passedMs,
        fromMs: nose.atMs - 2_000,
        untilMs: standing.last.atMs,
        isOpen: !isSure,
        note: `stands ${(standing.durationMs / 1000).toFixed(1)} s with its front wheel ${at.along.toFixed(2)} m past, rear wheel ${(-rear.along).toFixed(2)} m before the line`,
      },
    ];
  });
}

export const RED_LIGHT_RECIPE: CaseRecipe = {
  kind: 'RED_LIGHT',
  draw: (random, intent, sites) =>
    drawSignalCase(random, sites, intent === 'violation' ? RED_VIOLATIONS : RED_NEAR, {
      name: 'red-light',
      kind: 'RED_LIGHT',
      graceMs: GRACE_MS,
    }),
  judge: judgeRedLight,
};

export const STOP_LINE_RECIPE: CaseRecipe = {
  kind: 'STOP_LINE',
  draw: (random, intent, sites) =>
    drawSignalCase(random, sites, intent === 'violation' ? STOP_VIOLATIONS : STOP_NEAR, {
      name: 'stop-line',
      kind: 'STOP_LINE',
      waitMs: WAIT_MS,
    }),
  judge: judgeStopLine,
};
