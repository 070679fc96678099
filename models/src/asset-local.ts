import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemCodeOf } from '@ngatu/contract';
import { computeFileSha256 } from './file-digest.ts';

interface IndexEntry {
  sizeBytes: number;
  mtimeMs: number;
  sha256: string;
}

const MAX_DEPTH = 8;
const MAX_ENTRIES = 200_000;

/**
 * Finds files by their sha256 below one folder, whatever they are called. Only files whose size fits are read; their
 * digests are remembered in `indexPath` by path, size and time of change.
 */
export class LocalFiles {
  readonly #folder: string;
  readonly #indexPath: string;
  #bySize: Promise<Map<number, string[]>> | undefined;
  #index: Promise<Map<string, IndexEntry>> | undefined;

  constructor(options: { folder: string; indexPath: string }) {
    this.#folder = resolve(options.folder);
    this.#indexPath = options.indexPath;
  }

  /** Path of a file whose bytes have this sha256 now; absent where there is none. */
  async find(sha256: string, sizeBytes: number, signal?: AbortSignal): Promise<string | undefined> {
    this.#index ??= readIndex(this.#indexPath);
    const index = await this.#index;
    const remembered = [...index].filter(([path, entry]) => entry.sha256 === sha256 && this.#owns(path));
    for (const [path] of remembered) {
      if ((await this.#digest(path, sizeBytes, index, signal, 'reread')) === sha256) return path;
    }
    this.#bySize ??= scan(this.#folder);
    for (const path of (await this.#bySize).get(sizeBytes) ?? []) {
      if ((await this.#digest(path, sizeBytes, index, signal, 'remembered')) !== sha256) continue;
      return (await this.#digest(path, sizeBytes, index, signal, 'reread')) === sha256 ? path : undefined;
    }
    return undefined;
  }

  #owns(path: string): boolean {
    return path.startsWith(`${this.#folder}/`);
  }

  /** What is handed out is always read again; the index only spares reading the files that do not fit. */
  async #digest(
    path: string,
    sizeBytes: number,
    index: Map<string, IndexEntry>,
    signal: AbortSignal | undefined,
    trust: 'reread' | 'remembered',
  ): Promise<string | undefined> {
    try {
      const info = await stat(path);
      if (info.size !== sizeBytes) return undefined;
      const known = index.get(path);
      const unchanged =
        known !== undefined && known.sizeBytes === info.size && known.mtimeMs === info.mtimeMs;
      if (unchanged && trust === 'remembered') return known.sha256;
      const sha256 = await computeFileSha256(path, signal);
      if (unchanged && known.sha256 === sha256) return sha256;
      index.set(path, { sizeBytes: info.size, mtimeMs: info.mtimeMs, sha256 });
      await writeIndex(this.#indexPath, index);
      return sha256;
    } catch (error) {
      signal?.throwIfAborted();
      if (systemCodeOf(error) === undefined) throw error;
      return undefined;
    }
  }
}

async function scan(folder: string): Promise<Map<number, string[]>> {
  const bySize = new Map<number, string[]>();
  let entries = 0;
  const visit = async (path: string, depth: number): Promise<void> => {
    const children = await readdir(path, { withFileTypes: true });
    await Promise.all(
      children.map(async (child) => {
        if (++entries > MAX_ENTRIES) return;
        const childPath = join(path, child.name);
        if (child.isDirectory() && depth < MAX_DEPTH && !['node_modules', '.git'].includes(child.name)) {
          return visit(childPath, depth + 1).catch(skipUnreadable);
        }
        if (!child.isFile() && !child.isSymbolicLink()) return;
        const info = await stat(childPath).catch(skipUnreadable);
        if (info?.isFile()) bySize.set(info.size, [...(bySize.get(info.size) ?? []), childPath]);
      }),
    );
  };
  await visit(folder, 0).catch(skipUnreadable);
  return bySize;
}

/** A folder or link that this user cannot follow holds no asset for him. */
function skipUnreadable(error: unknown): undefined {
  if (systemCodeOf(error) === undefined) throw error;
  return undefined;
}

async function readIndex(path: string): Promise<Map<string, IndexEntry>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return new Map(entries.filter((entry): entry is [string, IndexEntry] => isIndexEntry(entry[1])));
  } catch (error) {
    if (systemCodeOf(error) === undefined && !(error instanceof SyntaxError)) throw error;
    return new Map();
  }
}

function isIndexEntry(value: unknown): value is IndexEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { sizeBytes, mtimeMs, sha256 } = value as Partial<Record<keyof IndexEntry, unknown>>;
  return typeof sizeBytes === 'number' && typeof mtimeMs === 'number' && typeof sha256 === 'string';
}

/** The index only saves time: where it cannot be written, files are read again next time. */
async function writeIndex(path: string, index: Map<string, IndexEntry>): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(resolve(path, '..'), { recursive: true });
    await writeFile(draft, JSON.stringify(Object.fromEntries(index)));
    await rename(draft, path);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
  }
}
