export { type AgentConfig, runAgent } from './agent.ts';
export type { FeverGateConfig } from './agent-fever.ts';
export { MASK_ASSETS, type MaskConfig } from './agent-masks.ts';
export type { NetworkWish } from './agent-networks.ts';
export { AnomalyEpisode } from './anomaly/anomaly-episode.ts';
export { computeNormalRarity } from './anomaly/normal-tail.ts';
export { SeriesDetector } from './anomaly/series-detector.ts';
export { CloseUpDetector } from './detect/close-up.ts';
export type { Detection, Detector, RoadPart } from './detect/detection.ts';
export { type DetectorConfig, openDetector } from './detect/open-detector.ts';
export { readPixels as readRgbPicture } from './evidence/blur-still.ts';
export { CHAIN_MARK, EvidenceSealer } from './evidence/seal-chain.ts';
export { buildSealedFacts } from './evidence/seal-facts.ts';
export type { Frame } from './frame/frame.ts';
export { readPictureFile } from './frame/picture-file.ts';
export { computeIou, computeShareInside } from './geometry/box.ts';
export { GroundPlane } from './geometry/ground-plane.ts';
export { computeUsualBody, estimateSpeed } from './geometry/speed-estimate.ts';
export { computeSpeedExpectations } from './geometry/speed-expectation.ts';
export { HelmetNet } from './helmet/helmet-net.ts';
export {
  FACE_FEATURES,
  type FaceFeatures,
  FUSION,
  type FusionCoefficients,
  fuseFeatures,
  MASK_FEATURES,
} from './mask/face-fusion.ts';
export { assessFace, DEFAULT_QUALITY_LIMITS } from './mask/face-quality.ts';
export type { FaceSight } from './mask/face-sight.ts';
export {
  FACE_SIGHTS,
  type FaceSightName,
  openFaceSight,
  PRODUCT_SIGHT,
  TRAINED_FACE_ASSET,
} from './mask/open-sight.ts';
export { loadNetwork, type NetworkFile, type VerifiedNetwork } from './model/model-file.ts';
export { describeOnnxTensor, type OnnxFacts, readOnnxFacts } from './model/onnx-facts.ts';
export { openTfjsEngine } from './model/tfjs-engine.ts';
export { OccupantNet } from './occupant/occupant-net.ts';
export { Outbox } from './outbox/outbox.ts';
export { renderAnnotatedVideo } from './pipeline/annotation.ts';
export { BlurTrial } from './pipeline/blur-trial.ts';
export { drawCalibration } from './pipeline/calibration-still.ts';
export type { CameraConfig } from './pipeline/camera-worker.ts';
export { checkModelFile } from './pipeline/check-model.ts';
export { limitScene } from './pipeline/limit-scene.ts';
export { replayMasks } from './pipeline/mask-replay.ts';
export type { MaskFrame, WatchedPerson } from './pipeline/mask-watch.ts';
export { runPictureHost } from './pipeline/picture-host.ts';
export { type ReplayEvent, type ReplayResult, runReplay, writeReplay } from './pipeline/replay.ts';
export {
  asksForRiders,
  countRiders,
  MIN_RIDE_HEIGHT_PX,
  type OccupantLookup,
} from './pipeline/rider-counts.ts';
export { RoadAnalysis, type RoadFinding, type SignalLookup } from './pipeline/road-analysis.ts';
export { type SceneSurvey, type SceneSurveyOptions, surveyScene } from './pipeline/scene-survey.ts';
export {
  DEFAULT_PLATE_DETECTOR_CONFIDENCE,
  PlateDetector,
} from './plate/plate-detector.ts';
export { lookAtPlate } from './plate/plate-finder.ts';
export { DEFAULT_PLATE_READERS, PlateReader } from './plate/plate-reader.ts';
export type { PlateReading } from './plate/plate-reading.ts';
export { DEFAULT_PLATE_CONFIDENCE, votePlate } from './plate/plate-vote.ts';
export { drawScene } from './proposal/annotated-still.ts';
export { CameraReadiness } from './readiness/camera-readiness.ts';
export { MIN_HEAD_CONFIDENCE } from './rules/no-helmet.ts';
export { countOccupants, findLikeliest, isFreeSight } from './rules/overloaded-sight.ts';
export { type JudgedReading, ReadingCheck } from './sensor/reading-check.ts';
export { computeReadingRule } from './sensor/reading-rule.ts';
export { SensorHub } from './sensor/sensor-hub.ts';
export type { Sample, SensorConfig } from './sensor/sensor-sample.ts';
export { agreeOnLamp, MIN_LAMP_CONFIDENCE } from './signal/lamp-agreement.ts';
export { LampNet } from './signal/lamp-net.ts';
export { type LampReading, readLamp } from './signal/lamp-reader.ts';
export { DEFAULT_BLACKBODY_TOLERANCE_C } from './thermal/blackbody.ts';
export { describeThermalFrame } from './thermal/describe-frame.ts';
export {
  combineFrames,
  DEFAULT_FEVER_MODEL,
  FeverDecision,
  type FeverEstimate,
  type FeverModel,
  type PassageReading,
} from './thermal/fever-decision.ts';
export { FeverGate, type FeverGateOptions, type GateMoment } from './thermal/fever-gate.ts';
export {
  type HttpFeedOptions,
  type MqttFeedOptions,
  pollMatrices,
  subscribeMatrices,
} from './thermal/matrix-feed.ts';
export { DEFAULT_BAND_K, type GateOptics } from './thermal/passage.ts';
export { readThermalFile } from './thermal/read-thermal-file.ts';
export { DEFAULT_SITE_OFFSET } from './thermal/site-offset.ts';
export type { ThermalFrame } from './thermal/thermal-frame.ts';
export { assignOptimally } from './track/assignment.ts';
export { fuseRiders } from './track/rider-fusion.ts';
export type { OccupantShares, RoadUser, Track } from './track/track.ts';
export { DEFAULT_TRACKER_OPTIONS, Tracker, type TrackerOptions } from './track/tracker.ts';
export { loadEdgeParsers } from './untrusted/load-parsers.ts';
export { ByteAccount } from './uplink/byte-account.ts';
export { EvidenceUpload } from './uplink/evidence-upload.ts';
export { runUplink } from './uplink/uplink.ts';
