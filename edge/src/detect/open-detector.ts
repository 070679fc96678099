import { type ModelManifest, NgatuError } from '@ngatu/contract';
import type { ModelFile } from '../model/model-file.ts';
import type { Detector } from './detection.ts';

export interface DetectorConfig {
  /** What the model is: its name in events, its tensors, classes and labels. */
  readonly manifest: ModelManifest;
  /** Its file where it lies. */
  readonly file: ModelFile;
  /** Findings of road users below this are not reported, 0–1. */
  readonly minConfidence: number;
  /** Threads of one inference. */
  readonly threads: number;
}

/**
 * Opens the detector that fits the model's manifest. Its file is verified before it is parsed, and has run in a process of its own before it
 * runs here; one picture was looked at when the promise resolves. ONNX Runtime is loaded only now. The caller owns the detector and closes it.
 * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID
 */
export async function openDetector(options: DetectorConfig): Promise<Detector> {
  const { manifest, file, minConfidence, threads } = options;
  const { name, task, decoding } = manifest;
  const refuse = (why: string): NgatuError =>
    new NgatuError('MODEL_INVALID', `Cannot load model "${name}": ${why}`);
  if (task !== 'road-user-detector') throw refuse(`it is a ${task}, no road-user-detector`);
  if (decoding.format !== 'yolox')
    throw refuse(`no detector of road users decodes the format ${decoding.format}`);
  const { YoloxDetector } = await import('./yolox-detector.ts');
  return YoloxDetector.open({ manifest, file, minConfidence, threads });
}
