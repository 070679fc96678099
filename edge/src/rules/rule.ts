import type { EventKind, LetPassReason, LocalizedText, RoadUserLabel, SignalState } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import type { Occupant, OccupantShares, Track } from '../track/track.ts';
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
  /** The state may have begun this much later than `sinceMs`, ms; 0 where it is left out: a lamp is read late, never early. */
  readonly onsetErrorMs?: number;
}

/** A head that the head model read on a road user in this frame. */
export interface HeadFinding {
  /** Source pixels. */
  readonly box: Box;
  readonly state: 'bare' | 'helmet';
  readonly confidence: number;
}

/** Everything that a rule may look at. Rules keep no clock of their own. */
export interface RuleContext {
  readonly frame: FrameMark;
  readonly pictureWidth: number;
  readonly pictureHeight: number;
  /** Confirmed and lost tracks of this frame, by id. */
  readonly tracks: readonly Track[];
  readonly history: TrackHistory;
  /** Heads read in this frame by track; absent where no head model is supplied. */
  readonly heads?: ReadonlyMap<number, readonly HeadFinding[]>;
  /** How many ride on two-wheelers, by track, where it was counted in this frame; absent where no network counts. */
  readonly occupants?: ReadonlyMap<number, OccupantShares>;
  /** State of a signal at a media time; undefined where it was not read then. */
  signalAt(name: string, mediaTimeMs: number): SignalView | undefined;
}

/** What speaks for the road user: the match is kept, and nobody is flagged. */
export interface LetPass {
  readonly reason: LetPassReason;
  readonly explanation: LocalizedText;
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
  readonly letPass?: LetPass;
  readonly measures: Readonly<Record<string, number>>;
  readonly explanation: LocalizedText;
}

/** Why a rule cannot judge anything now. */
export type RuleBlock = 'head-model-missing' | 'calibration-invalid';

/** A place whose case was told; instants on the node's clock, ms since 1970, so that it outlives a session. */
export interface RememberedPlace {
  readonly box: Box;
  readonly label: RoadUserLabel;
  readonly lastSeenAtMs: number;
}

/** What rules must not forget when the stream or the agent begins anew, by rule; plain JSON. */
export type RuleMemory = Readonly<Record<string, readonly RememberedPlace[]>>;

/** A pure state machine over tracks, fed once a frame in order of presentation. */
export interface EventRule {
  readonly name: string;
  /** The decisive moment of a match is never older than this when the rule fires, ms. */
  readonly horizonMs: number;
  /** Set while something that the rule needs is missing; it then fires nothing. */
  readonly blockedBy?: RuleBlock | undefined;
  /** Cases that stand; given to `recall` of the same rule after a restart. */
  remember?(): readonly RememberedPlace[];
  recall?(places: readonly RememberedPlace[]): void;
  update(context: RuleContext): RuleMatch[];
}
