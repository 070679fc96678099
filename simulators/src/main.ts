export { openCameraControl } from '../camera/camera-control.ts';
export type { CameraClock, MountStatistics } from '../camera/camera-mount.ts';
export {
  type CameraLogger,
  type CameraMountConfig,
  type CameraSimulator,
  type CameraSimulatorOptions,
  type RunCameraSimulatorOptions,
  runCameraSimulator,
  type SimulatedCamera,
  startCameraSimulator,
} from '../camera/camera-simulator.ts';
export { type Clip, type LoadClipOptions, loadClip } from '../camera/clip.ts';
export type { ClipPosition } from '../camera/clip-timeline.ts';
export type { RtspCredentials } from '../camera/digest-authentication.ts';
export type { VideoCodec } from '../camera/nal-unit.ts';
export type { DirectionStatistics } from '../network/bottleneck.ts';
export { CONGESTION_CONTROLS, type CongestionControlName } from '../network/congestion-control.ts';
export type { LinkConditions } from '../network/emulated-link.ts';
export {
  type LinkEmulator,
  type LinkEmulatorOptions,
  type LinkStatistics,
  openLinkEmulator,
} from '../network/link-emulator.ts';
export { SeededRandom } from '../random/seeded-random.ts';
export type { CaseIntent, CaseTruth } from '../scene/case-draft.ts';
export { type DrawnPaths, describeTruth } from '../scene/case-files.ts';
export { type Cutout, computeBackground, cutRoadUser } from '../scene/cutout.ts';
export { DETECTION_NOISE } from '../scene/detection-noise.ts';
export type { PictureBox } from '../scene/ground-camera.ts';
export {
  type FalseBoxes,
  NOISE_GROUPS,
  type NoiseBin,
  type NoiseCorrelation,
  type NoiseGroup,
  type NoiseProfile,
} from '../scene/noise-profile.ts';
export { type DecodeOptions, decodePictures, type Picture } from '../scene/picture-stream.ts';
export { REAL_STREETS, type RealStreet, siteOnStreet } from '../scene/real-street.ts';
export { drawCase, type SceneCase, SIMULATED_KINDS } from '../scene/scene-case.ts';
export { type RenderedFrame, type RenderedUser, SceneRenderer } from '../scene/scene-renderer.ts';
export { type FrameTruth, findLampPhase, listFrames, type UserTruth } from '../scene/scene-world.ts';
export { detectPerfectly, type SimulatedDetection, SimulatedDetector } from '../scene/simulated-detector.ts';
export { encodeVideo } from '../scene/video-encoder.ts';
export { WEATHERS, type Weather } from '../scene/weather.ts';
export {
  type FaultedSeries,
  type InjectedFault,
  injectFaults,
  SENSOR_FAULTS,
  type SensorFaultKind,
  type SimulatedReading,
  withoutFaults,
} from '../sensors/fault-injection.ts';
export { WIRE_FAULTS, type WireFault } from '../sensors/modbus-server.ts';
export { loadRecordedSeries } from '../sensors/recorded-series.ts';
export { GENERATED_METRICS, generateSeries, type SensorSeries } from '../sensors/sensor-series.ts';
export { type SensorSimulator, startSensorSimulator } from '../sensors/sensor-simulator.ts';
export { startGateServer } from '../thermal/gate-server.ts';
export type { GateVisit } from '../thermal/gate-visit.ts';
export { takeThermalPictures } from '../thermal/scene-camera.ts';
export { type PlannedScene, planScene, SCENE_KINDS, type SceneKind } from '../thermal/scene-plan.ts';
export { SimulatedGate } from '../thermal/simulated-gate.ts';
export type { SimulatedThermalFrame, ThermalScene } from '../thermal/thermal-scene.ts';
export { SIMULATOR_PARSERS } from './untrusted-parsers.ts';
