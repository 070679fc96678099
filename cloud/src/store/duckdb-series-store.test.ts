import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { DuckdbSeriesStore } from './duckdb-series-store.ts';
import { describeSeriesStore } from './series-store-suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'ngatu-series-'));
const file = join(folder, 'series.duckdb');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeSeriesStore('DuckDB', {
  open: () => DuckdbSeriesStore.open(file),
  reset: async () => {
    for (const suffix of ['', '.wal']) rmSync(file + suffix, { force: true });
  },
});

it('refuses a corrupt file and leaves it as it is', async () => {
  const damaged = Buffer.alloc(20_000, 'garbage');
  writeFileSync(file, damaged);
  await expect(DuckdbSeriesStore.open(file)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    retryable: false,
  });
  expect(readFileSync(file).equals(damaged)).toBe(true);
  rmSync(file);
});

it('says that another process holds the file', async () => {
  const store = await DuckdbSeriesStore.open(file);
  try {
    const script = `const { DuckDBInstance } = await import('@duckdb/node-api');
      await DuckDBInstance.create(${JSON.stringify(file)}).then(() => process.exit(0), (error) => { console.log(error.message); process.exit(7); });`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(child.status).toBe(7);
    // The text by which `open` tells a held file (STORE_UNAVAILABLE) from a broken one.
    expect(child.stdout).toContain('Could not set lock');
  } finally {
    await store.close();
  }
});
