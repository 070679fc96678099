import type { ModelManifest } from '@ngatu/contract';
import { openDetector } from '../detect/open-detector.ts';
import { loadModelFile, type ModelFile } from '../model/model-file.ts';

/** Length of free axes in the trial of a model that is no detector of road users. */
const FREE_AXIS = 64;

/**
 * Opens a model as the product does and closes it again: digest, outline, tensors, and one run in a process of its own; a detector of road users looks
 * at a picture as well.
 * @param files in the order of the manifest
 * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID
 */
export async function checkModelFiles(manifest: ModelManifest, files: readonly ModelFile[]): Promise<void> {
  const { name, task, runtime, inputs, outputs } = manifest;
  if (task === 'road-user-detector') {
    const detector = await openDetector({ manifest, files, minConfidence: 0.1, threads: 1 });
    return detector.close();
  }
  const [bytes] = await Promise.all(files.map((file) => loadModelFile(name, file)));
  if (runtime.kind !== 'onnx' || bytes === undefined) return;
  const { openOnnxSession } = await import('../model/onnx-session.ts');
  const expects = { opset: runtime.opset, inputs, outputs };
  const session = await openOnnxSession({ name, bytes, expects, trial: { freeAxis: FREE_AXIS } });
  await session.release();
}
