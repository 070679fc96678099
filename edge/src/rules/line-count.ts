import type { LineCountRule as LineCountParameters, RoadUserLabel, Scene } from '@ngatu/contract';
import { computeGroundPoint } from '../geometry/box.ts';
import { DirectedLine } from '../geometry/polyline.ts';
import type { FrameMark, RuleContext } from './rule.ts';

/** A road user passed a tripwire. */
export interface LineCrossing {
  readonly rule: string;
  readonly tripwire: string;
  readonly trackId: number;
  readonly label: RoadUserLabel;
  readonly direction: 'forward' | 'backward';
  readonly frame: FrameMark;
}

/** The side changes only when the ground point is beyond the line by this share of the box height. */
const HYSTERESIS_HEIGHTS = 0.08;
/** A foot may pass this far beside the end, as a share of the box width. */
const END_TOLERANCE = 0.25;

/** Counts ground points that pass a tripwire between its ends, with hysteresis: standing on the line counts nothing. */
export class LineCountRule {
  readonly name: string;
  readonly #rule: LineCountParameters;
  readonly #line: DirectedLine;
  readonly #sides = new Map<number, -1 | 1>();

  constructor(rule: LineCountParameters, scene: Scene) {
    const tripwire = scene.tripwires.find(({ name }) => name === rule.tripwire);
    if (tripwire === undefined)
      throw new RangeError(`Scene "${scene.name}" has no tripwire "${rule.tripwire}"`);
    this.name = rule.name;
    this.#rule = rule;
    this.#line = new DirectedLine(tripwire.points, tripwire.forwardTowards);
  }

  update(context: RuleContext): LineCrossing[] {
    const crossings: LineCrossing[] = [];
    const alive = new Set<number>();
    for (const track of context.tracks) {
      alive.add(track.trackId);
      if (!track.seen || !track.groundSeen || !this.#rule.labels.includes(track.label)) continue;
      const [width, height] = [track.box[2] - track.box[0], track.box[3] - track.box[1]];
      const { distance, overrun } = this.#line.locate(computeGroundPoint(track.box));
      if (Math.abs(distance) < HYSTERESIS_HEIGHTS * height) continue;
      const side = distance > 0 ? 1 : -1;
      const before = this.#sides.get(track.trackId);
      this.#sides.set(track.trackId, side);
      if (before === undefined || before === side || overrun > END_TOLERANCE * width) continue;
      crossings.push({
        rule: this.name,
        tripwire: this.#rule.tripwire,
        trackId: track.trackId,
        label: track.label,
        direction: side > 0 ? 'forward' : 'backward',
        frame: context.frame,
      });
    }
    for (const trackId of this.#sides.keys()) if (!alive.has(trackId)) this.#sides.delete(trackId);
    return crossings;
  }
}
