export { type AssetFolders, findRepositoryRoot, locateAssetFolders } from './asset-location.ts';
export type { Asset, AssetSource } from './asset-manifest.ts';
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
export { type DetectorMetrics, evaluateDetector } from './evaluation/detector-evaluation.ts';
export { formatDetectorComparison, formatDetectorTable } from './evaluation/detector-table.ts';
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
export { evaluateHelmets, formatHelmetTable } from './evaluation/helmet-evaluation.ts';
export { computeProportion, formatProportion } from './evaluation/interval.ts';
export { evaluateLamps, formatLampTable } from './evaluation/lamp-evaluation.ts';
export { evaluateMaskClips, formatMaskClip, listMaskAnnotations } from './evaluation/mask-clip.ts';
export { evaluateMasks } from './evaluation/mask-evaluation.ts';
export { learnMasks, listFoldNetworks } from './evaluation/mask-learning.ts';
export { HonestSight } from './evaluation/mask-sight.ts';
export { formatMaskTable } from './evaluation/mask-table.ts';
export type { MaskTraining } from './evaluation/mask-training.ts';
export { formatMotText } from './evaluation/mot-text.ts';
export { evaluateOccupants, formatOccupantTable } from './evaluation/occupant-evaluation.ts';
export {
  evaluatePlateDetector,
  formatPlateDetectorTable,
} from './evaluation/plate-detector-evaluation.ts';
export { evaluatePlates, formatPlateTable } from './evaluation/plate-evaluation.ts';
export {
  type FindingReadings,
  formatFindingReadings,
  readFindings,
} from './evaluation/plate-finding-reading.ts';
export { evaluatePlatePassages, formatPassageTable } from './evaluation/plate-passage.ts';
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
export { loadUnlabelledPlaces, type UnlabelledPlaces } from './evaluation/unlabelled-objects.ts';
export {
  type ClipEvaluation,
  evaluateViolations,
  formatViolationTable,
  type ViolationMetrics,
} from './evaluation/violation-evaluation.ts';
export { checkModel, type ModelCheck } from './model-check.ts';
export { draftModelManifest } from './model-draft.ts';
export {
  loadModelManifest,
  loadModelRegistry,
  ModelRegistry,
  type RegisteredModel,
  type RegistryProblem,
} from './model-registry.ts';
export { acquireProcessLock, type ProcessLock, tryProcessLock } from './process-lock.ts';
export { MODELS_PARSERS } from './untrusted-parsers.ts';
