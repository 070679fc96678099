export { type AssetFolders, findRepositoryRoot, locateAssetFolders } from './asset-location.ts';
export type { Asset, AssetSource, ModelAsset, ModelDescription } from './asset-manifest.ts';
export {
  type AssetProgress,
  AssetStore,
  type ResolvedAsset,
  type ResolvedModel,
} from './asset-store.ts';
export {
  type ClipEvaluation,
  evaluateViolations,
  formatViolationTable,
  type ViolationMetrics,
} from './evaluation/violation-evaluation.ts';
export { acquireProcessLock, type ProcessLock, tryProcessLock } from './process-lock.ts';
export { asStorageError, systemCodeOf } from './storage-error.ts';
