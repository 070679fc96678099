import type { ReadinessItemName, Rule } from '@ngatu/contract';

/** A picture that can be read, and the place where the scene says it is. */
const PICTURE = ['focus', 'exposure', 'obstruction', 'view'] as const;

/**
 * What each kind of rule stands on. Whoever flags needs an instant that can be trusted; who compares with a lamp needs the lamp;
 * who measures metres needs the calibration. Figures of traffic need to see, but name nobody.
 */
const REQUIREMENTS: Readonly<Record<Rule['kind'], readonly ReadinessItemName[]>> = {
  RED_LIGHT: ['clock', ...PICTURE, 'signal-sync'],
  STOP_LINE: ['clock', ...PICTURE, 'signal-sync'],
  SPEED: ['clock', ...PICTURE, 'calibration'],
  WRONG_WAY: ['clock', ...PICTURE],
  LANE_RESERVED: ['clock', ...PICTURE],
  LANE_TURN: ['clock', ...PICTURE],
  SOLID_LINE: ['clock', ...PICTURE],
  FORBIDDEN_TURN: ['clock', ...PICTURE],
  FORBIDDEN_AREA: ['clock', ...PICTURE],
  STOP_PARK: ['clock', ...PICTURE],
  OVERLOADED: ['clock', ...PICTURE],
  ZEBRA_YIELD: ['clock', ...PICTURE],
  BLOCKED_JUNCTION: ['clock', ...PICTURE],
  NO_HELMET: ['clock', 'focus', 'exposure', 'obstruction'],
  LINE_COUNT: ['exposure', 'obstruction', 'view'],
  TRAFFIC: ['exposure', 'obstruction', 'view'],
};

export function listRequirements(rule: Rule): readonly ReadinessItemName[] {
  return REQUIREMENTS[rule.kind];
}
