import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { errorMessage, type ModelManifest, NgatuError } from '@ngatu/contract';

/** A file of a model and the digest that it must have. */
export interface ModelFile {
  readonly path: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** A model of one file: what its manifest says about it, and the file where it lies. */
export interface NetworkFile {
  readonly manifest: ModelManifest;
  readonly file: ModelFile;
}

/** A model of one file whose bytes were verified. */
export interface VerifiedNetwork {
  readonly manifest: ModelManifest;
  /** Of the bytes. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH */
export async function loadNetwork({ manifest, file }: NetworkFile): Promise<VerifiedNetwork> {
  return { manifest, sha256: file.sha256, bytes: await loadModelFile(manifest.name, file) };
}

/** How a network is named in recipes: name and the beginning of the digest, `yunet-n-640@25a606a1`. */
export function labelNetwork({ manifest, sha256 }: Pick<VerifiedNetwork, 'manifest' | 'sha256'>): string {
  return `${manifest.name}@${sha256.slice(0, 8)}`;
}

/**
 * Reads a file of a model and checks it before any parser sees it.
 * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH
 */
export async function loadModelFile(model: string, file: ModelFile): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Buffer<ArrayBuffer>;
  try {
    bytes = await readFile(file.path);
  } catch (cause) {
    const message = `Cannot read model "${model}" at ${file.path}: ${errorMessage(cause)}`;
    throw new NgatuError('FILE_UNREADABLE', message, { cause });
  }
  const actual = computeSha256(bytes);
  if (actual !== file.sha256) {
    const message = `Cannot open model "${model}": sha256 of ${file.path} differs (expected ${file.sha256}, got ${actual})`;
    throw new NgatuError('MODEL_DIGEST_MISMATCH', message);
  }
  return bytes;
}

/** Why a model could not be loaded, one line, without the words that name it: the trial's error has said them already. */
export function explainLoading(model: string, cause: unknown): string {
  const line = errorMessage(cause).split('\n')[0] ?? '';
  return line.replace(`Cannot load model "${model}": `, '');
}

function computeSha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
