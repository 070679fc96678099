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
