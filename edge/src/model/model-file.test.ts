import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadModelFile } from './model-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-model-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function aFile(name: string, content: string): { path: string; sha256: string } {
  const path = join(folder, name);
  writeFileSync(path, content);
  return { path, sha256: createHash('sha256').update(content).digest('hex') };
}

describe('loadModelFile', () => {
  it('gives the bytes of the file that was meant', async () => {
    const file = aFile('a.bin', 'weights');
    expect(Buffer.from(await loadModelFile('m', file)).toString()).toBe('weights');
  });

  it('refuses a file with one byte changed or cut off, naming both digests', async () => {
    const { path, sha256 } = aFile('a.bin', 'weights');
    for (const content of ['weightz', 'weight']) {
      const other = aFile('a.bin', content);
      await expect(loadModelFile('m', { path, sha256 })).rejects.toMatchObject({
        code: 'MODEL_DIGEST_MISMATCH',
        retryable: false,
        message: `Cannot open model "m": sha256 of ${path} differs (expected ${sha256}, got ${other.sha256})`,
      });
    }
  });

  it('names a file that is not there, and a folder', async () => {
    const missing = { path: join(folder, 'none.bin'), sha256: '0'.repeat(64) };
    await expect(loadModelFile('m', missing)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    const itself = { path: folder, sha256: '0'.repeat(64) };
    await expect(loadModelFile('m', itself)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
