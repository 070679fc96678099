import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UntrustedParser } from '@ngatu/contract';
import type { ModelFile } from '../detect/model-file.ts';
import { openDetector } from '../detect/open-detector.ts';
import { tryModel } from '../model/model-trial.ts';
import { anOnnxModel, aTfjsModel } from '../testing/model-builder.ts';

const CENTERNET = { input: 'tower_0/images', output: 'tower_0/detections', shape: [1, 512, 512, 3] };
const YOLOX = { input: 'images', output: 'output', shape: [1, 3, 64, 64] };

function keepFile(folder: string, name: string, bytes: Uint8Array): ModelFile {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The whole way of the agent: digest, trial in a process of its own, and only then this process. */
const onnxParser: UntrustedParser = {
  name: 'onnx-model',
  covers: ['edge/src/detect/model-file.ts#loadModelFile'],
  source: 'who may put a model and its digest before a node',
  form: 'binary',
  pace: 'model',
  open: async (folder) => ({
    samples: [],
    variations: [anOnnxModel(YOLOX), anOnnxModel({ ...YOLOX, shape: [1, 3, 0, 0] })],
    parse: async (input) => {
      await tryModel({ name: 'm', format: 'onnx', files: [input] });
      const files = [keepFile(folder, 'm.onnx', input)];
      const detector = await openDetector({
        format: 'yolox-onnx',
        name: 'm',
        files,
        minConfidence: 0.1,
        threads: 1,
      });
      await detector.close();
      return undefined;
    },
  }),
};

const tfjsParser: UntrustedParser = {
  name: 'tfjs-model',
  covers: ['edge/src/detect/tfjs-runtime.ts#loadTfjsGraphModel'],
  source: 'who may put a model and its digest before a node',
  form: 'json',
  pace: 'model',
  open: async (folder) => {
    const weights = Buffer.alloc(16);
    const spec = [{ name: 'w', shape: [4], dtype: 'float32' }];
    const whole = aTfjsModel(CENTERNET, { weightsManifest: [{ paths: ['weights.bin'], weights: spec }] });
    return {
      samples: [],
      variations: [Buffer.from(JSON.stringify(whole))],
      parse: async (input) => {
        const files = [keepFile(folder, 'm.json', input), keepFile(folder, 'weights.bin', weights)];
        const options = {
          format: 'centernet-tfjs',
          name: 'm',
          files,
          minConfidence: 0.1,
          threads: 1,
        } as const;
        await (await openDetector(options)).close();
        return undefined;
      },
    };
  },
};

export const MODEL_PARSERS: readonly UntrustedParser[] = [onnxParser, tfjsParser];
