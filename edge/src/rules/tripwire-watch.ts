import type { Scene } from '@ngatu/contract';
import { computeGroundPoint } from '../geometry/box.ts';
import { DirectedLine } from '../geometry/polyline.ts';
import type { Track } from '../track/track.ts';

/** The side changes only when the ground point is beyond the line by this share of the box height. */
const HYSTERESIS_HEIGHTS = 0.08;
/** A foot may pass this far beside the end, as a share of the box width. */
const END_TOLERANCE = 0.25;

/** Tells ground points that pass a tripwire between its ends, with hysteresis: standing on the line passes nothing. */
export class TripwireWatch {
  readonly #line: DirectedLine;
  readonly #sides = new Map<number, -1 | 1>();

  /** @throws RangeError where the scene has no such tripwire; a loaded scene was checked for that */
  constructor(scene: Scene, name: string) {
    const tripwire = scene.tripwires.find((candidate) => candidate.name === name);
    if (tripwire === undefined) throw new RangeError(`Scene "${scene.name}" has no tripwire "${name}"`);
    this.#line = new DirectedLine(tripwire.points, tripwire.forwardTowards);
  }

  /** Forgets who is gone. */
  retain(alive: ReadonlySet<number>): void {
    for (const trackId of this.#sides.keys()) if (!alive.has(trackId)) this.#sides.delete(trackId);
  }

  /** Which way a road user has passed the line since it was last given; undefined where it has not. */
  pass({ trackId, box }: Track): 'forward' | 'backward' | undefined {
    const [width, height] = [box[2] - box[0], box[3] - box[1]];
    const { distance, overrun } = this.#line.locate(computeGroundPoint(box));
    if (Math.abs(distance) < HYSTERESIS_HEIGHTS * height) return undefined;
    const side = distance > 0 ? 1 : -1;
    const before = this.#sides.get(trackId);
    this.#sides.set(trackId, side);
    if (before === undefined || before === side || overrun > END_TOLERANCE * width) return undefined;
    return side > 0 ? 'forward' : 'backward';
  }
}
