import { type Static, Type } from '@sinclair/typebox';
import { Timestamp } from './id.ts';

/** `analysed`: every rule looks. `degraded`: it looks, but with a limit that is named. `blind`: it does not look. */
export const CAMERA_STATES = ['analysed', 'degraded', 'blind'] as const;
export const CameraStateName = Type.Union(CAMERA_STATES.map((state) => Type.Literal(state)));
export type CameraStateName = (typeof CAMERA_STATES)[number];

/** Why a camera was not, or not fully, analysed. */
export const CAMERA_STATE_REASONS = [
  'camera-unreachable',
  'camera-unauthorized',
  'camera-stalled',
  'picture-unreadable',
  'clock-moved',
  'agent-restarted',
  'agent-stopped',
  'warming-up',
  'frames-dropped',
  'signal-unreadable',
  'signal-disagrees',
  'rules-suspended',
  'detector-failed',
] as const;
export const CameraStateReason = Type.Union(CAMERA_STATE_REASONS.map((reason) => Type.Literal(reason)));
export type CameraStateReason = (typeof CAMERA_STATE_REASONS)[number];

/**
 * One interval of a camera's ledger: half-open [from, to). Intervals of a camera never overlap; together they cover
 * every second since the camera was first configured (DESIGN invariant 4).
 */
export const CameraInterval = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    state: CameraStateName,
    reason: Type.Optional(CameraStateReason),
    framesDecoded: Type.Integer({ minimum: 0 }),
    framesAnalysed: Type.Integer({ minimum: 0 }),
    framesDropped: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type CameraInterval = Static<typeof CameraInterval>;
