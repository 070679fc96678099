import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EvidenceFiles } from './evidence-files.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-evidence-files-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function store(files: EvidenceFiles, content: string, ageDays: number): Promise<string> {
  const path = join(await files.openWorkFolder(), 'file');
  await writeFile(path, content);
  const { sha256 } = await files.add(path);
  const at = Date.now() / 1000 - ageDays * 86_400;
  await utimes(files.path(sha256), at, at);
  return sha256;
}

describe('EvidenceFiles.prune', () => {
  it('removes what is old, and keeps what is young or still needed', async () => {
    const files = await EvidenceFiles.open(folder);
    const old = await store(files, 'old', 40);
    const waiting = await store(files, 'waiting', 40);
    const young = await store(files, 'young', 2);
    const removed = await files.prune(Date.now() - 30 * 86_400_000, (sha256) => sha256 === waiting);
    expect(removed).toBe(1);
    await expect(stat(files.path(old))).rejects.toMatchObject({ code: 'ENOENT' });
    await stat(files.path(waiting));
    await stat(files.path(young));
  });
});
