import { mkdir, mkdtemp, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { asStorageError, errorMessage, type ModelManifest, NgatuError } from '@ngatu/contract';
import { discardDownload, downloadFile, HostUnreachable, SizeDiffers } from './asset-download.ts';
import { LocalFiles } from './asset-local.ts';
import { type AssetFolders, findModelsFolder, locateAssetFolders } from './asset-location.ts';
import {
  type Asset,
  type AssetManifest,
  type AssetSource,
  type DebianSource,
  loadAssetManifest,
  type NpmSource,
} from './asset-manifest.ts';
import { unpackDebianPackage, unpackNpmPackage } from './asset-package.ts';
import { computeFileSha256 } from './file-digest.ts';
import { listModelAssets, loadModelRegistry, type ModelRegistry } from './model-registry.ts';
import { acquireProcessLock } from './process-lock.ts';

/** An asset whose bytes were verified just now. */
export interface ResolvedAsset {
  readonly asset: Asset;
  readonly path: string;
  readonly sha256: string;
  readonly origin: 'cache' | AssetSource['kind'];
}

/** A model: its file, and what must be known to run it. */
export interface ResolvedModel extends ResolvedAsset {
  readonly manifest: ModelManifest;
}

export interface AssetProgress {
  readonly asset: string;
  readonly source: AssetSource;
  readonly receivedBytes: number;
  /** Absent where it is not known how much will come. */
  readonly totalBytes?: number;
}

export interface ResolveOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: AssetProgress) => void;
}

export interface AssetStoreOptions
  extends Pick<AssetFolders, 'localDir' | 'cacheDir'>,
    Partial<Pick<AssetFolders, 'modelsDir' | 'ownModelsDir'>> {
  readonly manifest?: AssetManifest;
  /** By default what lies in `modelsDir` and `ownModelsDir`. */
  readonly registry?: ModelRegistry;
  /** How long a server may take to answer, ms. */
  readonly answerTimeoutMs?: number;
  /** How long it may pause while it sends, ms. */
  readonly stallTimeoutMs?: number;
}

interface Refusal {
  readonly source: string;
  readonly reason: string;
  readonly digestDiffers: boolean;
}

class DigestDiffers extends Error {}

/**
 * Finds and fetches the assets of the manifest and the files of the models in the registry. Whatever it hands out was verified by sha256 in the same call. One store
 * remembers the hosts that could not be reached, so that being offline costs one time-out and not one an asset.
 */
export class AssetStore {
  /** What is wrong with a model's manifest stops that model only. */
  readonly registry: ModelRegistry;
  readonly #assets: readonly Asset[];
  readonly #modelsDir: string;
  readonly #options: AssetStoreOptions;
  readonly #local: LocalFiles;
  readonly #unreachable = new Map<string, string>();

  constructor(options: AssetStoreOptions = locateAssetFolders()) {
    const { ownModelsDir, modelsDir = findModelsFolder() } = options;
    this.registry = options.registry ?? loadModelRegistry({ modelsDir, ownModelsDir });
    const { assets } = options.manifest ?? loadAssetManifest();
    this.#assets = [...this.registry.models.flatMap(listModelAssets), ...assets];
    this.#modelsDir = modelsDir;
    this.#options = options;
    this.#local = new LocalFiles({
      folder: options.localDir,
      indexPath: join(options.cacheDir, 'local-files.json'),
    });
  }

  list(): readonly Asset[] {
    return this.#assets;
  }

  /** @throws NgatuError ASSET_UNKNOWN; MODEL_MANIFEST_INVALID for a model whose manifest is broken */
  get(name: string): Asset {
    this.registry.find(name);
    const asset = this.#assets.find((entry) => entry.name === name);
    if (asset !== undefined) return asset;
    const names = this.#assets.map((entry) => entry.name).join(', ');
    throw new NgatuError('ASSET_UNKNOWN', `Cannot find asset "${name}": there are ${names}`);
  }

  /**
   * Looks among the files that the product carries, in the local folder and among the fetched files only; never asks the network.
   * @throws NgatuError MODEL_MANIFEST_INVALID where a source leads out of its folder
   */
  async find(name: string, signal?: AbortSignal): Promise<ResolvedAsset | undefined> {
    const asset = this.get(name);
    for (const source of asset.sources) {
      const path = await this.#locateCarried(asset, source);
      if (path === undefined || !(await isWhole(path, asset, signal))) continue;
      return { asset, path, sha256: asset.sha256, origin: source.kind };
    }
    if (asset.sources.some((source) => source.kind === 'local')) {
      const path = await this.#local.find(asset.sha256, asset.sizeBytes, signal);
      if (path !== undefined) return { asset, path, sha256: asset.sha256, origin: 'local' };
    }
    return this.#findCached(asset, signal);
  }

  /**
   * Finds the asset, or fetches it from the first of its sources that has it.
   * @throws NgatuError ASSET_UNKNOWN, ASSET_UNAVAILABLE or ASSET_DIGEST_MISMATCH (each source with its reason),
   *   DISK_FULL, PERMISSION_DENIED
   */
  async resolve(name: string, options: ResolveOptions = {}): Promise<ResolvedAsset> {
    const found = await this.find(name, options.signal);
    if (found !== undefined) return found;
    const asset = this.get(name);
    try {
      await mkdir(this.#options.cacheDir, { recursive: true });
      const lock = await acquireProcessLock(`asset ${this.#cachePath(asset)}`, options.signal);
      try {
        return (await this.#findCached(asset, options.signal)) ?? (await this.#fetch(asset, options));
      } finally {
        await lock.release();
      }
    } catch (error) {
      throw asStorageError(error, `keep asset "${name}" in ${this.#options.cacheDir}`);
    }
  }

  /** Resolves the file of a model. Errors as `resolve`; MODEL_INVALID for what is no model. */
  async resolveModel(name: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
    const asset = this.get(name);
    const model = this.registry.find(name);
    if (model === undefined) {
      throw new NgatuError(
        'MODEL_INVALID',
        `Cannot use asset "${name}" as a model: it is of kind ${asset.kind}`,
      );
    }
    return { ...(await this.resolve(name, options)), manifest: model.manifest };
  }

  /** Where a file lies that the product carries, or that lies beside its manifest; undefined for other sources and where nothing is there. */
  async #locateCarried(asset: Asset, source: AssetSource): Promise<string | undefined> {
    if (source.kind !== 'repository' && source.kind !== 'beside') return undefined;
    const root = source.kind === 'repository' ? this.#modelsDir : asset.folder;
    if (root === undefined) return undefined;
    const path = await realpath(join(root, source.path)).catch(() => undefined);
    if (path === undefined || path.startsWith(`${await realpath(root)}${sep}`)) return path;
    throw new NgatuError(
      'MODEL_MANIFEST_INVALID',
      `Cannot use asset "${asset.name}": ${source.path} leads out of its folder ${root}`,
    );
  }

  #cachePath(asset: Asset): string {
    return join(this.#options.cacheDir, asset.sha256, asset.fileName);
  }

  async #findCached(asset: Asset, signal?: AbortSignal): Promise<ResolvedAsset | undefined> {
    const path = this.#cachePath(asset);
    if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
    if (await isWhole(path, asset, signal)) return { asset, path, sha256: asset.sha256, origin: 'cache' };
    await rm(path, { force: true });
    return undefined;
  }

  async #fetch(asset: Asset, options: ResolveOptions): Promise<ResolvedAsset> {
    const refusals: Refusal[] = [];
    for (const source of asset.sources) {
      try {
        return await this.#fetchFrom(asset, source, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        const known = asStorageError(error, `keep asset "${asset.name}" in ${this.#options.cacheDir}`);
        if (known instanceof NgatuError) throw known;
        const digestDiffers = error instanceof DigestDiffers || error instanceof SizeDiffers;
        refusals.push({ source: describeSource(source), reason: errorMessage(error), digestDiffers });
      }
    }
    const differs = refusals.some((refusal) => refusal.digestDiffers);
    const reasons = refusals.map((refusal) => `${refusal.source}: ${refusal.reason}`).join('; ');
    throw new NgatuError(
      differs ? 'ASSET_DIGEST_MISMATCH' : 'ASSET_UNAVAILABLE',
      `Cannot get asset "${asset.name}" (${asset.fileName}): ${reasons}`,
      { retryable: true },
    );
  }

  async #fetchFrom(asset: Asset, source: AssetSource, options: ResolveOptions): Promise<ResolvedAsset> {
    const report = (receivedBytes: number, totalBytes: number | undefined) =>
      options.onProgress?.({
        asset: asset.name,
        source,
        receivedBytes,
        ...(totalBytes === undefined ? {} : { totalBytes }),
      });
    switch (source.kind) {
      case 'local': {
        const info = await stat(this.#options.localDir).catch(() => undefined);
        const where = this.#options.localDir;
        throw new Error(
          info === undefined ? `there is no folder ${where}` : `no file below ${where} has its sha256`,
        );
      }
      case 'repository':
      case 'beside': {
        const path = await this.#locateCarried(asset, source);
        if (path === undefined) throw new Error('there is no such file');
        throw new DigestDiffers(await explainDifference(path, asset, options.signal));
      }
      case 'url':
        await this.#fetchUrl(asset, source.url, options.signal, (bytes) => report(bytes, asset.sizeBytes));
        break;
      default:
        await this.#fetchPackage(asset, source, options.signal, (bytes) =>
          report(bytes, source.downloadBytes),
        );
    }
    return { asset, path: this.#cachePath(asset), sha256: asset.sha256, origin: source.kind };
  }

  async #fetchUrl(
    asset: Asset,
    url: string,
    signal: AbortSignal | undefined,
    onProgress: (bytes: number) => void,
  ): Promise<void> {
    const host = new URL(url).host;
    const known = this.#unreachable.get(host);
    if (known !== undefined) throw new Error(known);
    const partPath = join(this.#options.cacheDir, `${asset.sha256}.part`);
    const resumed = (await stat(partPath).catch(() => undefined)) !== undefined;
    const { answerTimeoutMs = 4_000, stallTimeoutMs = 15_000 } = this.#options;
    try {
      onProgress(0);
      await downloadFile({
        url,
        partPath,
        sizeBytes: asset.sizeBytes,
        signal,
        onProgress,
        answerTimeoutMs,
        stallTimeoutMs,
      });
      await this.#adopt(asset, partPath, signal);
    } catch (error) {
      if (error instanceof HostUnreachable) this.#unreachable.set(host, error.message);
      if (!(error instanceof DigestDiffers || error instanceof SizeDiffers)) throw error;
      await discardDownload(partPath);
      if (!resumed) throw error;
      return this.#fetchUrl(asset, url, signal, onProgress);
    }
    await discardDownload(partPath);
  }

  /** Unpacks the asset, and with it every other asset that the manifest has from the same package. */
  async #fetchPackage(
    asset: Asset,
    source: NpmSource | DebianSource,
    signal: AbortSignal | undefined,
    onProgress: (bytes: number) => void,
  ): Promise<void> {
    const folder = await mkdtemp(join(this.#options.cacheDir, 'unpack-'));
    try {
      onProgress(0);
      const siblings = this.#assets.flatMap((entry) =>
        entry.sources
          .filter((other) => isSamePackage(source, other))
          .map((other) => ({ entry, path: other.path })),
      );
      const paths = siblings.map((sibling) => sibling.path);
      const unpacked =
        source.kind === 'npm'
          ? await unpackNpmPackage(source, { folder, paths, signal, onProgress })
          : await unpackDebianPackage(source, { folder, paths, signal, onProgress });
      for (const { entry, path } of siblings) {
        if (entry !== asset) await this.#adopt(entry, join(unpacked, path), signal).catch(skipDiffering);
      }
      await this.#adopt(asset, join(unpacked, source.path), signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Verifies a fetched file and moves it to its place: what stands there is whole. */
  async #adopt(asset: Asset, file: string, signal?: AbortSignal): Promise<void> {
    const sha256 = await computeFileSha256(file, signal);
    if (sha256 !== asset.sha256) {
      throw new DigestDiffers(`sha256 differs (expected ${asset.sha256}, got ${sha256})`);
    }
    const path = this.#cachePath(asset);
    await mkdir(dirname(path), { recursive: true });
    await rename(file, path);
  }
}

async function isWhole(path: string, asset: Asset, signal?: AbortSignal): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info?.size === asset.sizeBytes && (await computeFileSha256(path, signal)) === asset.sha256;
}

async function explainDifference(path: string, asset: Asset, signal?: AbortSignal): Promise<string> {
  const { size } = await stat(path);
  if (size !== asset.sizeBytes) return `${asset.sizeBytes} bytes expected, found ${size}`;
  return `sha256 differs (expected ${asset.sha256}, got ${await computeFileSha256(path, signal)})`;
}

/** Another asset of the same package is a bonus: what does not fit is left where it is. */
function skipDiffering(error: unknown): void {
  if (!(error instanceof DigestDiffers)) throw error;
}

function isSamePackage(a: NpmSource | DebianSource, b: AssetSource): b is NpmSource | DebianSource {
  if (a.kind === 'npm') return b.kind === 'npm' && a.package === b.package && a.version === b.version;
  return b.kind === 'debian' && a.package === b.package;
}

function describeSource(source: AssetSource): string {
  switch (source.kind) {
    case 'repository':
      return `models/${source.path}`;
    case 'beside':
      return source.path;
    case 'local':
      return 'local folder';
    case 'url':
      return source.url;
    case 'npm':
      return `npm package ${source.package}@${source.version}`;
    case 'debian':
      return `Debian package ${source.package}`;
  }
}
