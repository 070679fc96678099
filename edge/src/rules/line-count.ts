import type { LineCountRule as LineCountParameters, RoadUserLabel, Scene } from '@ngatu/contract';
import type { FrameMark, RuleContext } from './rule.ts';
import { TripwireWatch } from './tripwire-watch.ts';

/** A road user passed a tripwire. */
export interface LineCrossing {
  readonly rule: string;
  readonly tripwire: string;
  readonly trackId: number;
  readonly label: RoadUserLabel;
  readonly direction: 'forward' | 'backward';
  readonly frame: FrameMark;
}

/**
 * Counts who passes a tripwire, by class and direction, as telemetry.
 *
 * ```
 *        ▲ forward      beyond by 8 % of the box height: the side has changed, one crossing
 *   ─────┼───── line
 *        ▼ backward     within 8 %: on the line, nothing changes
 * ```
 */
export class LineCountRule {
  readonly name: string;
  readonly #rule: LineCountParameters;
  readonly #watch: TripwireWatch;

  constructor(rule: LineCountParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#watch = new TripwireWatch(scene, rule.tripwire);
  }

  update(context: RuleContext): LineCrossing[] {
    this.#watch.retain(new Set(context.tracks.map(({ trackId }) => trackId)));
    return context.tracks.flatMap((track) => {
      if (!track.seen || !track.groundSeen || !this.#rule.labels.includes(track.label)) return [];
      const direction = this.#watch.pass(track);
      if (direction === undefined) return [];
      const { trackId, label } = track;
      return [
        { rule: this.name, tripwire: this.#rule.tripwire, trackId, label, direction, frame: context.frame },
      ];
    });
  }
}
