export {
  type BrokerUser,
  type MosquittoFiles,
  type MosquittoOptions,
  renderMosquittoConfig,
} from './broker-config.ts';
export { loadProfile, type ProfileFile, resolveSecret } from './profile-file.ts';
export { formatProfile } from './profile-format.ts';
export { loadCalibrationPoints, loadSceneCalibration, replaceCalibration } from './scene-calibration.ts';
export { loadScene, type SceneFile } from './scene-file.ts';
export { formatSceneProposal } from './scene-proposal.ts';
export { FIRMWARE_CONFIG_PARSERS } from './untrusted-parsers.ts';
