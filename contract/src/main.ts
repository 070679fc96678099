export * from './camera-state.ts';
export * from './cross-check.ts';
export * from './device-tls.ts';
export * from './directive.ts';
export * from './drop-record.ts';
export * from './envelope.ts';
export * from './error-code.ts';
export * from './event.ts';
export * from './event-severity.ts';
export * from './evidence.ts';
export * from './evidence-request.ts';
export * from './evidence-seal.ts';
export * from './fever-gate-profile.ts';
export * from './file-source.ts';
export * from './id.ts';
export { LawRow } from './law/law-row.ts';
export { type LawAnswer, type LawQuestion, resolveLaw } from './law/resolve-law.ts';
export * from './mask-screening.ts';
export * from './metric-merge.ts';
export * from './model-manifest.ts';
export * from './model-manifest-check.ts';
export * from './plate.ts';
export * from './profile.ts';
export * from './readiness.ts';
export * from './resend-request.ts';
export * from './scene.ts';
export * from './scene-part.ts';
export * from './scene-rule.ts';
export type {
  BlockedJunctionRule,
  NoHelmetRule,
  OverloadedRule,
  StopParkRule,
  TrafficRule,
  ZebraYieldRule,
} from './scene-rule-conduct.ts';
export type {
  ForbiddenTurnRule,
  LaneReservedRule,
  LaneTurnRule,
  SolidLineRule,
  SpeedRule,
} from './scene-rule-lane.ts';
export * from './schema.ts';
export * from './schema-example.ts';
export * from './screening.ts';
export * from './screening-report.ts';
export * from './sensor-profile.ts';
export * from './sensor-quantity.ts';
export * from './signal-message.ts';
export * from './signal-source.ts';
export { asOutputError, asStorageError, systemCodeOf } from './storage-error.ts';
export * from './telemetry.ts';
export * from './topic.ts';
export type * from './untrusted-parser.ts';
export { CONTRACT_PARSERS } from './untrusted-parsers.ts';
export { toUrl } from './url.ts';
export * from './wilson-interval.ts';
