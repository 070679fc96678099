import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ModelManifest, parseModelManifest } from '@ngatu/contract';
import type { NetworkFile, VerifiedNetwork } from '../model/model-file.ts';

const MODELS = new URL('../../../models/', import.meta.url);

/** A network whose file the repository carries, as its registry describes it; `changes` take the place of what its manifest says. */
export function aCarriedNetwork(name: string, changes: Partial<ModelManifest> = {}): NetworkFile {
  const text = readFileSync(new URL(`registry/${name}/model.json`, MODELS), 'utf8');
  const manifest = parseModelManifest(JSON.parse(text), name);
  const [entry] = manifest.files;
  const source = entry?.sources.find(({ kind }) => kind === 'repository');
  if (entry === undefined || source?.kind !== 'repository') throw new RangeError(`${name} is not carried`);
  const file = { path: fileURLToPath(new URL(source.path, MODELS)), sha256: entry.sha256 };
  return { manifest: { ...manifest, ...changes }, file };
}

/** The same with its bytes, or with others. */
export function aVerifiedNetwork(
  name: string,
  changes: Partial<ModelManifest> = {},
  bytes?: Uint8Array,
): VerifiedNetwork {
  const { manifest, file } = aCarriedNetwork(name, changes);
  return { manifest, sha256: file.sha256, bytes: bytes ?? readFileSync(file.path) };
}
