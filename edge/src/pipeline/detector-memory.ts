import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { errorMessage, NgatuError, parseModelManifest } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { DetectorConfig } from '../detect/open-detector.ts';

/** Far more than a manifest needs. */
const MAX_BYTES = 2_097_152;
const SHA256 = /^[0-9a-f]{64}$/;

/** The last detector that worked, as it was written; undefined where none was, or where the file is damaged, which is said. */
export function loadDetectorMemory(file: string, logger: Logger): DetectorConfig | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.warn({ code: 'FILE_UNREADABLE', file }, `the last model is not known: ${errorMessage(error)}`);
    return undefined;
  }
  try {
    return parseDetectorMemory(bytes);
  } catch (error) {
    if (!(error instanceof NgatuError)) throw error;
    logger.warn({ code: error.code, file }, `the last model is not known: ${error.message}`);
    return undefined;
  }
}

/** @throws NgatuError MODEL_MANIFEST_INVALID where it is not what was written */
export function parseDetectorMemory(bytes: Uint8Array): DetectorConfig {
  const refuse = (why: string): NgatuError =>
    new NgatuError('MODEL_MANIFEST_INVALID', `Cannot accept the last model: ${why}`);
  if (bytes.length > MAX_BYTES) throw refuse(`${bytes.length} bytes are too many`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw refuse(errorMessage(cause));
  }
  if (typeof value !== 'object' || value === null) throw refuse('it is no object');
  const { manifest, file, minConfidence, threads } = value as Readonly<Record<string, unknown>>;
  if (typeof minConfidence !== 'number' || !(minConfidence >= 0 && minConfidence <= 1))
    throw refuse('it has no confidence');
  if (typeof threads !== 'number' || !Number.isInteger(threads) || threads < 1 || threads > 64)
    throw refuse('it has no number of threads');
  if (!isModelFile(file)) throw refuse('it has no file');
  return { manifest: parseModelManifest(manifest, 'the last model'), file, minConfidence, threads };
}

function isModelFile(value: unknown): value is DetectorConfig['file'] {
  if (typeof value !== 'object' || value === null) return false;
  const { path, sha256 } = value as Readonly<Record<string, unknown>>;
  return typeof path === 'string' && typeof sha256 === 'string' && SHA256.test(sha256);
}

/** Where the disk refuses it, the last model is not known at the next start: that is said. */
export function writeDetectorMemory(file: string, config: DetectorConfig, logger: Logger): void {
  const draft = `${file}.draft`;
  try {
    writeFileSync(draft, JSON.stringify(config), { mode: 0o600 });
    renameSync(draft, file);
  } catch (error) {
    logger.warn({ code: 'PERMISSION_DENIED', file }, `the model is not remembered: ${errorMessage(error)}`);
  }
}
