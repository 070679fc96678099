import type { RedLightRule, RoadUserLabel, Scene, StopLineRule } from '@ngatu/contract';
import type { Point } from '../geometry/box.ts';
import { DirectedLine } from '../geometry/polyline.ts';
import type { Observation } from './rule.ts';
import {
  computeApproachHeading,
  computeStopLinePosition,
  type StopLinePosition,
} from './stop-line-position.ts';

interface Gauged {
  readonly label: RoadUserLabel;
  readonly position: StopLinePosition;
}

/** Measures road users against the stop line of a rule. What was measured once is remembered with its observation. */
export class StopLineGauge {
  /** Direction in which the line is passed. */
  readonly heading: Point;
  readonly #line: DirectedLine;
  readonly #depressionDeg: number;
  readonly #known = new WeakMap<Observation, Gauged>();

  /** @throws RangeError where the scene has no such tripwire; a loaded scene was checked for that */
  constructor(rule: Pick<RedLightRule | StopLineRule, 'stopLine' | 'approach'>, scene: Scene) {
    const tripwire = scene.tripwires.find(({ name }) => name === rule.stopLine);
    if (tripwire === undefined)
      throw new RangeError(`Scene "${scene.name}" has no tripwire "${rule.stopLine}"`);
    this.#line = new DirectedLine(tripwire.points, tripwire.forwardTowards);
    this.#depressionDeg = scene.view.depressionDeg;
    this.heading = computeApproachHeading(tripwire.points, tripwire.forwardTowards, rule.approach);
  }

  positionOf(label: RoadUserLabel, observation: Observation): StopLinePosition {
    const known = this.#known.get(observation);
    if (known?.label === label) return known.position;
    const view = { depressionDeg: this.#depressionDeg, heading: this.heading };
    const position = computeStopLinePosition(this.#line, label, observation, view);
    this.#known.set(observation, { label, position });
    return position;
  }
}
