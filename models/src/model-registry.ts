import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  errorMessage,
  type ModelManifest,
  NgatuError,
  parseModelManifest,
  systemCodeOf,
} from '@ngatu/contract';
import type { Asset } from './asset-manifest.ts';

/** A model whose manifest was read. */
export interface RegisteredModel {
  readonly manifest: ModelManifest;
  /** Folder of `model.json` and `card.md`. */
  readonly folder: string;
  /** `own` where it lies in a folder that the operator named. */
  readonly origin: 'product' | 'own';
}

/** A folder of the registry that gives no model, and why. The others are not affected. */
export interface RegistryProblem {
  readonly name: string;
  readonly folder: string;
  readonly error: NgatuError;
}

export interface RegistryFolders {
  /** Folder `models` of the product: `registry/NAME/model.json`, `weights/…`. */
  readonly modelsDir: string;
  /** Further manifests, `NAME/model.json`, that the operator named. */
  readonly ownModelsDir?: string | undefined;
}

const MANIFEST = 'model.json';
/** A manifest is a few kB; alphabets make the largest. */
const MANIFEST_MAX_BYTES = 1_048_576;
const MODELS_MAX = 500;

/** The manifests of all models that this machine knows. Files of weights are not looked at. */
export class ModelRegistry {
  readonly models: readonly RegisteredModel[];
  readonly problems: readonly RegistryProblem[];

  constructor(models: readonly RegisteredModel[], problems: readonly RegistryProblem[]) {
    this.models = models;
    this.problems = problems;
  }

  /** The model of this name, if there is one. @throws NgatuError MODEL_MANIFEST_INVALID where its manifest is broken */
  find(name: string): RegisteredModel | undefined {
    const model = this.models.find(({ manifest }) => manifest.name === name);
    const problem = this.problems.find((entry) => entry.name === name);
    if (model === undefined && problem !== undefined) throw problem.error;
    return model;
  }
}

/** Reads every manifest. What is broken is told in `problems`; a folder that is not there has none. */
export function loadModelRegistry({ modelsDir, ownModelsDir }: RegistryFolders): ModelRegistry {
  const models: RegisteredModel[] = [];
  const problems: RegistryProblem[] = [];
  const places = [{ dir: join(modelsDir, 'registry'), origin: 'product' as const }];
  const all =
    ownModelsDir === undefined ? places : [...places, { dir: ownModelsDir, origin: 'own' as const }];
  for (const { dir, origin } of all) {
    for (const name of listFolders(dir)) {
      const folder = join(dir, name);
      try {
        const manifest = loadModelManifest(folder);
        if (models.some((known) => known.manifest.name === manifest.name))
          throw refuse(folder, `the product has a model "${manifest.name}" already: choose another name`);
        models.push({ manifest, folder, origin });
      } catch (error) {
        if (!(error instanceof NgatuError)) throw error;
        problems.push({ name, folder, error });
      }
    }
  }
  return new ModelRegistry(models, problems);
}

/**
 * Reads the manifest in a folder.
 * @throws NgatuError FILE_UNREADABLE, MODEL_MANIFEST_INVALID
 */
export function loadModelManifest(folder: string): ModelManifest {
  const path = join(folder, MANIFEST);
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > MANIFEST_MAX_BYTES) throw refuse(folder, `${size} bytes are more than ${MANIFEST_MAX_BYTES}`);
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof NgatuError) throw cause;
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse(folder, `it is not JSON (${errorMessage(cause)})`);
  }
  const manifest = parseModelManifest(value, `the model manifest ${path}`);
  if (manifest.name !== basename(folder))
    throw refuse(folder, `it names the model "${manifest.name}", but its folder is "${basename(folder)}"`);
  return manifest;
}

function refuse(folder: string, why: string): NgatuError {
  return new NgatuError(
    'MODEL_MANIFEST_INVALID',
    `Cannot accept the model manifest ${join(folder, MANIFEST)}: ${why}`,
  );
}

function listFolders(dir: string): string[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
    return folders
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('.'))
      .sort()
      .slice(0, MODELS_MAX);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return [];
  }
}

/** The file of a model as the asset store finds it, under the name of the model. */
export function listModelAssets({ manifest, folder }: RegisteredModel): Asset[] {
  const { name, task, purpose, licence, attribution, files } = manifest;
  const note = [licence.note, licence.doubt].filter((text) => text !== undefined).join(' ');
  return files.map((file) => ({
    ...file,
    name,
    kind: task === 'road-user-detector' ? 'model' : 'network',
    purpose,
    licence: licence.spdx ?? 'none stated',
    ...(note === '' ? {} : { licenceNote: note }),
    attribution,
    folder,
  }));
}
