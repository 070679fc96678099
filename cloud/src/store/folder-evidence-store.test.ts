import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, expect, it } from 'vitest';
import { sha256Of } from '../../../tests/delivery/message-builder.ts';
import { describeEvidenceStore } from './evidence-store-suite.ts';
import { FolderEvidenceStore } from './folder-evidence-store.ts';

const root = mkdtempSync(join(tmpdir(), 'ngatu-evidence-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const newFolder = () => mkdtempSync(join(root, 'store-'));

describeEvidenceStore('folder', {
  open: () => FolderEvidenceStore.open(newFolder(), { maxBytes: 1024 * 1024 }),
});

it('leaves no partial file behind, and sweeps those of a killed process only where it is asked', async () => {
  const folder = newFolder();
  const store = await FolderEvidenceStore.open(folder, { maxBytes: 10 });
  await expect(store.put(sha256Of(Buffer.from('x')), Readable.from([Buffer.alloc(11)]))).rejects.toThrow(
    'more than',
  );
  expect(readdirSync(join(folder, 'partial'))).toEqual([]);
  writeFileSync(join(folder, 'partial', 'left-by-a-killed-process'), 'x');
  await FolderEvidenceStore.open(folder);
  expect(readdirSync(join(folder, 'partial'))).toHaveLength(1);
  await FolderEvidenceStore.open(folder, { sweepPartial: true });
  expect(readdirSync(join(folder, 'partial'))).toEqual([]);
});
