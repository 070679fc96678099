import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UntrustedParser } from '@ngatu/contract';
import { openDetector } from '../detect/open-detector.ts';
import type { ModelFile } from '../model/model-file.ts';
import { tryModel } from '../model/model-trial.ts';
import { readOnnxFacts } from '../model/onnx-facts.ts';
import { parseDetectorMemory } from '../pipeline/detector-memory.ts';
import { anOnnxModel } from '../testing/model-builder.ts';
import { aYoloxManifest, aYoloxModel } from '../testing/yolox-model.ts';

const YOLOX = { classes: 8, size: { width: 64, height: 64 } };
const HANDED_ON = { input: 'images', output: 'output', shape: [1, 3, 64, 64] };

function keepFile(folder: string, name: string, bytes: Uint8Array): ModelFile {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The whole way of the agent: digest, trial in a process of its own, and only then this process. */
const onnxParser: UntrustedParser = {
  name: 'onnx-model',
  covers: ['edge/src/model/model-file.ts#loadModelFile'],
  source: 'who may put a model and its digest before a node',
  form: 'binary',
  pace: 'model',
  open: async (folder) => ({
    samples: [],
    variations: [aYoloxModel(YOLOX), aYoloxModel({ classes: 8 })],
    parse: async (input) => {
      await tryModel({ name: 'm', bytes: input });
      const file = keepFile(folder, 'm.onnx', input);
      const manifest = aYoloxManifest({ classes: 8 });
      const detector = await openDetector({ manifest, file, minConfidence: 0.1, threads: 1 });
      await detector.close();
      return undefined;
    },
  }),
};

/** What is read before a runtime sees the file. */
const outlineParser: UntrustedParser = {
  name: 'onnx-outline',
  covers: ['edge/src/model/onnx-facts.ts#readOnnxFacts'],
  source: 'who may put a model and its digest before a node',
  form: 'binary',
  pace: 'process',
  open: async () => ({
    samples: [aYoloxModel(YOLOX), aYoloxModel({ classes: 1 }), anOnnxModel(HANDED_ON)],
    parse: (input) => {
      try {
        readOnnxFacts(input);
        return undefined;
      } catch (error) {
        if (error instanceof RangeError) return 'NO_ONNX';
        throw error;
      }
    },
  }),
};

/** The last model, in the folder of what must survive a restart. */
const memoryParser: UntrustedParser = {
  name: 'detector-memory',
  covers: [
    'edge/src/pipeline/detector-memory.ts#loadDetectorMemory',
    'edge/src/pipeline/detector-memory.ts#parseDetectorMemory',
  ],
  source: 'the folder of the node, torn or changed',
  form: 'json',
  pace: 'process',
  open: async () => {
    const file = { path: '/models/m.onnx', sha256: 'ab'.repeat(32) };
    const memory = { manifest: aYoloxManifest(YOLOX), file, minConfidence: 0.1, threads: 1 };
    return {
      samples: [Buffer.from(JSON.stringify(memory))],
      parse: (input) => {
        parseDetectorMemory(input);
        return undefined;
      },
    };
  },
};

export const MODEL_PARSERS: readonly UntrustedParser[] = [onnxParser, outlineParser, memoryParser];
