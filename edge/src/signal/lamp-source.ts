import type { LampReading } from './lamp-reader.ts';
import type { PhaseSource, SourcePhase } from './phase-record.ts';
import { type SignalPhase, SignalTimeline } from './signal-timeline.ts';

/** The lamp in the picture as a source on the node's clock. */
export class LampSource implements PhaseSource {
  readonly name = 'lamp';
  /** It is read in the very pictures that the road users are seen in: what is late there is in the rules' own grace. */
  readonly errorMs = 0;
  readonly #timeline = new SignalTimeline();
  #anchorMs = 0;

  /** `anchorMs`: instant of media time 0 on the node's clock, ms since 1970, as it is known now. */
  add(reading: LampReading | undefined, mediaTimeMs: number, anchorMs: number): void {
    this.#anchorMs = anchorMs;
    if (reading !== undefined) this.#timeline.add(reading, mediaTimeMs);
  }

  /** What was read, in media time, ms; also where the picture told nothing. */
  readingAt(mediaTimeMs: number): (SignalPhase & { readonly onsetSeen: boolean }) | undefined {
    const phase = this.#timeline.phaseAt(mediaTimeMs);
    return phase === undefined ? undefined : { ...phase, onsetSeen: this.#timeline.isOnsetSeen(phase) };
  }

  phaseAt(atMs: number): SourcePhase | undefined {
    const phase = this.readingAt(atMs - this.#anchorMs);
    if (phase === undefined || phase.state === 'unknown') return undefined;
    return this.#onNodeClock(phase);
  }

  get phases(): readonly SourcePhase[] {
    return this.#timeline.phases.map((phase) => this.#onNodeClock(phase));
  }

  #onNodeClock(phase: SignalPhase): SourcePhase {
    const { state, sinceMs } = phase;
    return { state, sinceMs: sinceMs + this.#anchorMs, onsetSeen: this.#timeline.isOnsetSeen(phase) };
  }
}
