import type { EventKind, LocalizedText, RoadUserLabel, SignalState } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import type { Occupant, Track } from '../track/track.ts';
import type { TrackHistory } from './track-history.ts';

/** Which frame something was seen in. Times are presentation times of the session, ms, and the node's clock. */
export interface FrameMark {
  readonly index: number;
  readonly mediaTimeMs: number;
  readonly capturedAtMs: number;
}

/** One road user in one frame, where a detection stands behind it. Boxes in source pixels. */
export interface Observation {
  readonly frame: FrameMark;
  readonly box: Box;
  readonly groundSeen: boolean;
  readonly confidence: number;
  readonly occupants: readonly Occupant[];
}

/** What a signal showed at a moment. */
export interface SignalView {
  readonly state: SignalState;
  readonly sinceMs: number;
  readonly confidence: number;
  /** False where the state already stood when the signal was first read. */
  readonly onsetSeen: boolean;
}

/** Everything that a rule may look at. Rules keep no clock of their own. */
export interface RuleContext {
  readonly frame: FrameMark;
  readonly pictureWidth: number;
  readonly pictureHeight: number;
  /** Confirmed and lost tracks of this frame, by id. */
  readonly tracks: readonly Track[];
  readonly history: TrackHistory;
  /** State of a signal at a media time; undefined where it was not read then. */
  signalAt(name: string, mediaTimeMs: number): SignalView | undefined;
}

/** A rule fired: who, at which decisive moment, and why. */
export interface RuleMatch {
  readonly rule: string;
  readonly kind: EventKind;
  readonly trackId: number;
  readonly label: RoadUserLabel;
  /** The decisive frame; may lie some frames before the one in which the rule was sure. */
  readonly observation: Observation;
  readonly signal?: { readonly state: SignalState; readonly sinceMs: number; readonly confidence: number };
  readonly alternatives: readonly EventKind[];
  readonly measures: Readonly<Record<string, number>>;
  readonly explanation: LocalizedText;
}

/** A pure state machine over tracks, fed once a frame in order of presentation. */
export interface EventRule {
  readonly name: string;
  /** The decisive moment of a match is never older than this when the rule fires, ms. */
  readonly horizonMs: number;
  update(context: RuleContext): RuleMatch[];
}
