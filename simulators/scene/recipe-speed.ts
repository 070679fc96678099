import { CaseDraft, type CaseIntent, type CaseTruth } from './case-draft.ts';
import type { CaseRecipe } from './recipe.ts';
import type { SceneRandom } from './scene-random.ts';
import type { SiteSource } from './street-site.ts';
import { fillLane, MIXED_TRAFFIC } from './street-traffic.ts';
import { walkThrough } from './truth-path.ts';

const LIMIT_KMH = 50;
const TOLERANCE_KMH = 5;
/** So much faster than limit and tolerance and it should be found; between is what the interval decides. */
const SURE_KMH = 12;
const HALF_M = 3.5;
const LENGTH_M = 13;
/** Points that were measured for the calibration, and how well: marked in the picture, px, and on the road, m. */
const CALIBRATION_ERROR = { imagePx: 1, groundM: 0.03 };

function drawSpeed(random: SceneRandom, intent: CaseIntent, sites: SiteSource): CaseDraft {
  const site = sites(random, {
    directions: ['away', 'towards', 'sideways'],
    before: LENGTH_M,
    after: LENGTH_M,
    halfWidth: HALF_M,
  });
  const draft = new CaseDraft(site, random, random.between(9_000, 13_000));
  const most = LIMIT_KMH + TOLERANCE_KMH;
  const kmh =
    intent === 'violation' ? random.between(most + SURE_KMH, 105) : random.between(LIMIT_KMH - 8, most - 0.5);
  const speedMps = kmh / 3.6;
  draft.add({
    label: random.pick(['motorbike', 'motorbike', 'car', 'car', 'truck']),
    role: 'subject',
    from: { across: random.between(-2.2, 2.2), along: -LENGTH_M - 25 },
    drive: { startMs: random.between(0, 3_000), startSpeedMps: speedMps, desiredSpeedMps: speedMps },
  });
  draft.margin = {
    what: 'over limit and tolerance',
    value: Math.round((kmh - most) * 10) / 10,
    unit: 'km/h',
  };
  draft.story = `${draft.subject.body.label} drives ${kmh.toFixed(1)} km/h where ${LIMIT_KMH} are allowed`;
  draft.parts = {
    zones: [
      draft.zone(
        'measured',
        [-site.reach.halfWidth, site.reach.halfWidth],
        [-site.reach.before, site.reach.after],
      ),
    ],
    tripwires: [],
    signals: [],
    rules: [
      { name: 'speed', kind: 'SPEED', zone: 'measured', limitKmh: LIMIT_KMH, toleranceKmh: TOLERANCE_KMH },
    ],
    calibration: calibrate(draft),
  };
  if (random.chance(0.6)) {
    fillLane(draft, {
      across: random.pick([-2, 2]),
      widthM: 2,
      fromM: -LENGTH_M - 15,
      labels: MIXED_TRAFFIC,
      speedMps: [7, 13],
      headwayS: random.between(3, 7),
      maxUsers: 4,
    });
  }
  return draft;
}

/** Eight points of the road, as somebody marks and measures them. */
function calibrate(draft: CaseDraft): object {
  const { site, random } = draft;
  const { before, after, halfWidth } = site.reach;
  const pairs = [-before, -before / 3, after / 3, after].flatMap((along) =>
    [-halfWidth, halfWidth].map((across) => {
      const [x, y] = site.ground({ across, along });
      const [u, v] = site.pixel({ across, along });
      const { imagePx, groundM } = CALIBRATION_ERROR;
      return {
        image: [u + random.gaussian(0, imagePx), v + random.gaussian(0, imagePx)],
        ground: [x + random.gaussian(0, groundM), y + random.gaussian(0, groundM)],
      };
    }),
  );
  return { pairs, imageErrorPx: 1.5, groundErrorM: 0.05 };
}

function judgeSpeed(draft: CaseDraft): CaseTruth[] {
  const { before, after, halfWidth } = draft.site.reach;
  return draft.users.flatMap((user): CaseTruth[] => {
    const inside = walkThrough(draft, user).filter(
      ({ middle }) => Math.abs(middle.across) < halfWidth && middle.along > -before && middle.along < after,
    );
    const [first, last] = [inside[0], inside.at(-1)];
    if (first === undefined || last === undefined) return [];
    const fastest = Math.max(...inside.map(({ speedMps }) => speedMps)) * 3.6;
    const seconds = (last.atMs - first.atMs) / 1000;
    const mean =
      (Math.hypot(last.middle.along - first.middle.along, last.middle.across - first.middle.across) /
        seconds) *
      3.6;
    const most = LIMIT_KMH + TOLERANCE_KMH;
    if (fastest <= most) return [];
    return [
      {
        kind: 'SPEED',
        userId: user.userId,
        atMs: (first.atMs + last.atMs) / 2,
        fromMs: first.atMs - 500,
        untilMs: last.atMs + 1_500,
        isOpen: mean < most + SURE_KMH - 0.5,
        note: `${mean.toFixed(1)} km/h in the zone`,
      },
    ];
  });
}

export const SPEED_RECIPE: CaseRecipe = { kind: 'SPEED', draw: drawSpeed, judge: judgeSpeed };
