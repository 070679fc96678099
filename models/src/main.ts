export { type AssetFolders, findRepositoryRoot, locateAssetFolders } from './asset-location.ts';
export type { Asset, AssetSource, ModelAsset, ModelDescription } from './asset-manifest.ts';
export {
  type AssetProgress,
  AssetStore,
  type ResolvedAsset,
  type ResolvedModel,
} from './asset-store.ts';
export {
  type AnomalyEvaluation,
  evaluateAnomalies,
  evaluateGeneratedAnomalies,
  formatAnomalyTable,
} from './evaluation/anomaly-evaluation.ts';
export { type BlurMetrics, evaluateBlur, formatBlurTable } from './evaluation/blur-evaluation.ts';
export { evaluateClipTracking } from './evaluation/clip-tracking.ts';
export {
  type DetectorMetrics,
  evaluateDetector,
  formatDetectorTable,
} from './evaluation/detector-evaluation.ts';
export {
  evaluateFever,
  type FeverEvaluation,
  type FeverMetrics,
  formatFeverTable,
} from './evaluation/fever-evaluation.ts';
export {
  type FeverSimulationMetrics,
  formatFeverSimulation,
  simulateFever,
} from './evaluation/fever-simulation.ts';
export { computeProportion, formatProportion } from './evaluation/interval.ts';
export { evaluateMaskClips, formatMaskClip, listMaskAnnotations } from './evaluation/mask-clip.ts';
export { evaluateMasks } from './evaluation/mask-evaluation.ts';
export { HonestSight } from './evaluation/mask-sight.ts';
export { formatMaskTable } from './evaluation/mask-table.ts';
export { formatMotText } from './evaluation/mot-text.ts';
export { type CampaignMetrics, formatCampaignTable, runSceneCampaign } from './evaluation/scene-campaign.ts';
export { type HarvestedStreet, harvestStreet } from './evaluation/scene-campaign-harvest.ts';
export { measureNoise } from './evaluation/scene-campaign-noise.ts';
export {
  compareRecall,
  formatRecallTable,
  RENDERED_KINDS,
  renderCases,
} from './evaluation/scene-campaign-pixels.ts';
export { tellCase } from './evaluation/scene-campaign-story.ts';
export { evaluateSpeed, formatSpeedTable, type SpeedMetrics } from './evaluation/speed-evaluation.ts';
export { listTrackAnnotations } from './evaluation/track-annotation.ts';
export {
  evaluateMotTracker,
  type SequenceOutcome,
  type TrackerMetrics,
} from './evaluation/tracker-evaluation.ts';
export { formatTrackerTable } from './evaluation/tracker-table.ts';
export {
  type ClipEvaluation,
  evaluateViolations,
  formatViolationTable,
  type ViolationMetrics,
} from './evaluation/violation-evaluation.ts';
export { acquireProcessLock, type ProcessLock, tryProcessLock } from './process-lock.ts';
export { asStorageError, systemCodeOf } from './storage-error.ts';
export { MODELS_PARSERS } from './untrusted-parsers.ts';
