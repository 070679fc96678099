import type { ModelManifest, ModelTask, NetworkUse } from '@ngatu/contract';
import { openDetector } from '../detect/open-detector.ts';
import { loadModelFile, type ModelFile } from '../model/model-file.ts';

/** Length of free axes in the trial of a model that no part of the product uses yet. */
const FREE_AXIS = 64;
/** How the product uses a model of each task; what blurs takes less than what finds, and says so when it is asked to. */
const USES: Readonly<Partial<Record<ModelTask, NetworkUse>>> = {
  'plate-detector': 'plate-finder',
  'plate-reader': 'plate-reader',
  'face-detector': 'eye',
  'mask-classifier': 'mask',
  'lamp-state': 'lamp',
  helmet: 'helmet',
  occupants: 'occupants',
};

/**
 * Opens a model as the product does and closes it again: digest, outline, tensors, one run in a process of its own, and one look at an empty
 * picture.
 * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID
 */
export async function checkModelFile(manifest: ModelManifest, file: ModelFile): Promise<void> {
  const { name, task, runtime, inputs, outputs } = manifest;
  if (task === 'road-user-detector') {
    const detector = await openDetector({ manifest, file, minConfidence: 0.1, threads: 1 });
    return detector.close();
  }
  const use = USES[task];
  if (use !== undefined) {
    const { proveNetwork } = await import('./open-network.ts');
    return proveNetwork(use, { manifest, file });
  }
  const bytes = await loadModelFile(name, file);
  const { openOnnxSession } = await import('../model/onnx-session.ts');
  const expects = { opset: runtime.opset, inputs, outputs };
  const session = await openOnnxSession({ name, bytes, expects, trial: { freeAxis: FREE_AXIS } });
  await session.release();
}
