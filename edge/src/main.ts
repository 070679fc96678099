export { type AgentConfig, runAgent } from './agent.ts';
export type { Detector } from './detect/detection.ts';
export { type DetectorConfig, openDetector } from './detect/open-detector.ts';
export { renderAnnotatedVideo } from './pipeline/annotation.ts';
export type { CameraConfig } from './pipeline/camera-worker.ts';
export { type ReplayEvent, type ReplayResult, runReplay, writeReplay } from './pipeline/replay.ts';
export { RoadAnalysis, type RoadFinding, type SignalLookup } from './pipeline/road-analysis.ts';
