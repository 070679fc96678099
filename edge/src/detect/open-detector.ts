import { NgatuError } from '@ngatu/contract';
import type { Detector } from './detection.ts';
import type { ModelFile } from './model-file.ts';

export interface DetectorConfig {
  readonly format: 'yolox-onnx' | 'centernet-tfjs';
  /** Name of the model in events. */
  readonly name: string;
  /** The model file, then its files of weights where it has any. */
  readonly files: readonly ModelFile[];
  /** Findings below this are not reported, 0–1. */
  readonly minConfidence: number;
  /** Threads of one inference; CenterNet always uses one. */
  readonly threads: number;
}

/**
 * Opens the detector that fits the model's format. Every file is verified before it is parsed. Only the runtime that the format
 * needs is loaded. The caller owns the detector and closes it.
 * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID
 */
export async function openDetector(options: DetectorConfig): Promise<Detector> {
  const { format, name, files, minConfidence, threads } = options;
  if (format === 'centernet-tfjs') {
    const { CenternetDetector } = await import('./centernet-detector.ts');
    return CenternetDetector.open({ name, files, minConfidence });
  }
  const [file, ...others] = files;
  if (file === undefined || others.length > 0) {
    throw new NgatuError(
      'MODEL_INVALID',
      `Cannot load model "${name}" as YOLOX: one file expected, ${files.length} given`,
    );
  }
  const { YoloxDetector } = await import('./yolox-detector.ts');
  return YoloxDetector.open({ name, file, minConfidence, threads });
}
