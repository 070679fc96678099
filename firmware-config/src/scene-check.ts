import type { Rule, Scene } from '@ngatu/contract';
import { computePolygonArea, computeSideDistance, isSelfIntersecting } from './scene-geometry.ts';
import type { FileIssue } from './yaml-file.ts';

/** How far a point may lie outside the picture, as a share of its width and height: lines may run out of it. */
const SLACK = 0.25;
/** A smaller zone cannot hold a ground point for two frames, px². */
const MIN_ZONE_AREA_PX2 = 16;
/** A point nearer to the line than this tells no side, px. */
const MIN_SIDE_DISTANCE_PX = 2;
/** A smaller part shows no road user, px. */
const MIN_CLOSE_UP_SIDE_PX = 32;
/** The detector draws no smaller box, px. */
const MIN_LOOKALIKE_SIDE_PX = 4;
/** A larger picture than this takes the detector seconds, px². */
const MAX_CLOSE_UP_PX2 = 1920 * 1920;
/** A smaller lamp cannot be read, px. */
const MIN_LAMP_SIDE_PX = 3;

type Point = readonly [number, number];

/** What contradicts itself in a scene that matches its schema. */
export function findSceneIssues(scene: Scene): FileIssue[] {
  return [
    ...findRepeatedNames('/zones', scene.zones),
    ...findRepeatedNames('/tripwires', scene.tripwires),
    ...findRepeatedNames('/signals', scene.signals),
    ...findRepeatedNames('/rules', scene.rules),
    ...(scene.analysis.closeUps ?? []).flatMap((closeUp, index) =>
      checkCloseUp(scene, closeUp, `/analysis/closeUps/${index}`),
    ),
    ...(scene.analysis.lookalikes ?? []).flatMap((lookalike, index) =>
      checkLookalike(scene, lookalike, `/analysis/lookalikes/${index}`),
    ),
    ...checkOverview(scene),
    ...scene.zones.flatMap((zone, index) => checkZone(scene, zone, `/zones/${index}`)),
    ...scene.tripwires.flatMap((tripwire, index) => checkTripwire(scene, tripwire, `/tripwires/${index}`)),
    ...scene.signals.flatMap((signal, index) => checkSignal(scene, signal, `/signals/${index}`)),
    ...scene.rules.flatMap((rule, index) => checkRule(scene, rule, `/rules/${index}`)),
  ];
}

/** Names that stand twice in a list of things with names. */
export function findRepeatedNames(path: string, list: readonly { name: string }[]): FileIssue[] {
  const seen = new Set<string>();
  return list.flatMap(({ name }, index) => {
    if (seen.has(name))
      return [{ path: `${path}/${index}/name`, reason: `the name "${name}" stands here twice` }];
    seen.add(name);
    return [];
  });
}

function checkPoint({ picture }: Scene, [x, y]: Point, path: string): FileIssue[] {
  const { width, height } = picture;
  const inside =
    x >= -SLACK * width && x <= (1 + SLACK) * width && y >= -SLACK * height && y <= (1 + SLACK) * height;
  if (inside) return [];
  return [{ path, reason: `the point [${x}, ${y}] lies far outside the picture of ${width}×${height}` }];
}

function checkZone(scene: Scene, zone: Scene['zones'][number], path: string): FileIssue[] {
  const issues = zone.polygon.flatMap((point, index) => checkPoint(scene, point, `${path}/polygon/${index}`));
  const at = `${path}/polygon`;
  if (isSelfIntersecting(zone.polygon)) {
    issues.push({
      path: at,
      reason: 'the sides of the polygon cross one another: give its corners in order',
    });
  } else if (computePolygonArea(zone.polygon) < MIN_ZONE_AREA_PX2) {
    issues.push({ path: at, reason: `the area of the polygon is smaller than ${MIN_ZONE_AREA_PX2} px²` });
  }
  return issues;
}

function checkTripwire(scene: Scene, tripwire: Scene['tripwires'][number], path: string): FileIssue[] {
  const issues = tripwire.points.flatMap((point, index) =>
    checkPoint(scene, point, `${path}/points/${index}`),
  );
  for (const [index, point] of tripwire.points.entries()) {
    const before = tripwire.points[index - 1];
    if (before !== undefined && before[0] === point[0] && before[1] === point[1]) {
      issues.push({ path: `${path}/points/${index}`, reason: 'the point is the same as the one before it' });
    }
  }
  issues.push(...checkPoint(scene, tripwire.forwardTowards, `${path}/forwardTowards`));
  if (computeSideDistance(tripwire.points, tripwire.forwardTowards) < MIN_SIDE_DISTANCE_PX) {
    issues.push({
      path: `${path}/forwardTowards`,
      reason: 'the point lies on the line and tells no side of it',
    });
  }
  return issues;
}

type CloseUp = NonNullable<Scene['analysis']['closeUps']>[number];

type Lookalike = NonNullable<Scene['analysis']['lookalikes']>[number];

function checkLookalike({ picture }: Scene, { box }: Lookalike, path: string): FileIssue[] {
  const issues = checkSides(box, MIN_LOOKALIKE_SIDE_PX, `${path}/box`);
  return issues.length > 0 ? issues : checkInside(picture, box, `${path}/box`);
}

function checkSides([x1, y1, x2, y2]: Lookalike['box'], leastPx: number, path: string): FileIssue[] {
  if (x2 - x1 >= leastPx && y2 - y1 >= leastPx) return [];
  return [{ path, reason: `the box [x1, y1, x2, y2] must be at least ${leastPx} px wide and high` }];
}

function checkCloseUp({ picture }: Scene, { box, enlarge }: CloseUp, path: string): FileIssue[] {
  const tooSmall = checkSides(box, MIN_CLOSE_UP_SIDE_PX, `${path}/box`);
  if (tooSmall.length > 0) return tooSmall;
  const [width, height] = [box[2] - box[0], box[3] - box[1]];
  const issues = checkInside(picture, box, `${path}/box`);
  const px2 = width * height * enlarge ** 2;
  if (px2 > MAX_CLOSE_UP_PX2)
    issues.push({
      path: `${path}/enlarge`,
      reason: `the part enlarged has ${Math.round(px2)} px², at most ${MAX_CLOSE_UP_PX2} can be looked at`,
    });
  return issues;
}

function checkOverview({ analysis }: Scene): FileIssue[] {
  if (analysis.overviewWidth === undefined || analysis.closeUps !== undefined) return [];
  return [
    {
      path: '/analysis/overviewWidth',
      reason:
        'it says how wide the whole picture is looked at beside close-ups, and there is none: use maxWidth',
    },
  ];
}

function checkInside(picture: Scene['picture'], box: readonly number[], path: string): FileIssue[] {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box;
  if (x1 >= 0 && y1 >= 0 && x2 <= picture.width && y2 <= picture.height) return [];
  return [{ path, reason: `the box does not lie inside the picture of ${picture.width}×${picture.height}` }];
}

function checkSignal({ picture }: Scene, signal: Scene['signals'][number], path: string): FileIssue[] {
  const [x1, y1, x2, y2] = signal.box;
  const at = `${path}/box`;
  if (x2 - x1 < MIN_LAMP_SIDE_PX || y2 - y1 < MIN_LAMP_SIDE_PX) {
    return [
      { path: at, reason: `the box [x1, y1, x2, y2] must be at least ${MIN_LAMP_SIDE_PX} px wide and high` },
    ];
  }
  return checkInside(picture, signal.box, at);
}

function checkRule(scene: Scene, rule: Rule, path: string): FileIssue[] {
  const zone = (name: string | undefined, field = 'zone'): FileIssue[] =>
    name === undefined ? [] : checkReference(name, scene.zones, `${path}/${field}`, 'zone');
  const tripwire = (name: string, field: string): FileIssue[] =>
    checkReference(name, scene.tripwires, `${path}/${field}`, 'tripwire');
  const tripwires = (names: readonly string[], field: string): FileIssue[] =>
    names.flatMap((name, index) => tripwire(name, `${field}/${index}`));
  switch (rule.kind) {
    case 'RED_LIGHT':
    case 'STOP_LINE':
      return [
        ...tripwire(rule.stopLine, 'stopLine'),
        ...checkReference(rule.signal, scene.signals, `${path}/signal`, 'signal'),
        ...(rule.approach === undefined ? [] : checkArrow(scene, rule.approach, `${path}/approach`)),
      ];
    case 'WRONG_WAY':
      return [...zone(rule.zone), ...checkArrow(scene, rule.allowed, `${path}/allowed`)];
    case 'LANE_RESERVED':
      return [
        ...zone(rule.zone),
        ...(rule.along === undefined ? [] : checkArrow(scene, rule.along, `${path}/along`)),
      ];
    case 'LANE_TURN':
      return [...zone(rule.lane, 'lane'), ...tripwires(rule.exits, 'exits')];
    case 'SOLID_LINE':
      return tripwire(rule.line, 'line');
    case 'FORBIDDEN_TURN':
      return [...tripwire(rule.entry, 'entry'), ...tripwire(rule.exit, 'exit')];
    case 'SPEED':
      return [...zone(rule.zone), ...checkCalibrated(scene, path)];
    case 'ZEBRA_YIELD':
      return [...zone(rule.zebra, 'zebra'), ...checkArrow(scene, rule.approach, `${path}/approach`)];
    case 'LINE_COUNT':
      return tripwire(rule.tripwire, 'tripwire');
    case 'TRAFFIC':
      return [...zone(rule.zone), ...tripwires(rule.entries, 'entries'), ...tripwires(rule.exits, 'exits')];
    default:
      return zone(rule.zone);
  }
}

function checkCalibrated(scene: Scene, path: string): FileIssue[] {
  if (scene.calibration !== undefined) return [];
  return [{ path, reason: 'the rule needs the calibration of the scene: run `ngatu calibrate`' }];
}

function checkReference(
  name: string,
  list: readonly { name: string }[],
  path: string,
  kind: string,
): FileIssue[] {
  if (list.some((entry) => entry.name === name)) return [];
  const names = list.map((entry) => `"${entry.name}"`).join(', ') || 'none';
  return [{ path, reason: `the scene has no ${kind} "${name}" (it has ${names})` }];
}

function checkArrow(scene: Scene, { from, to }: { from: Point; to: Point }, path: string): FileIssue[] {
  const issues = [...checkPoint(scene, from, `${path}/from`), ...checkPoint(scene, to, `${path}/to`)];
  if (Math.hypot(to[0] - from[0], to[1] - from[1]) < MIN_SIDE_DISTANCE_PX) {
    issues.push({ path, reason: 'the arrow has no length and tells no direction' });
  }
  return issues;
}
