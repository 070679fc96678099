import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
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

it('goes on with a database from before units and quality', async () => {
  rmSync(file, { force: true });
  const old = await DuckDBInstance.create(file);
  const connection = await old.connect();
  await connection.run(
    `CREATE TABLE point (at_ms BIGINT NOT NULL, metric VARCHAR NOT NULL, site VARCHAR NOT NULL, node VARCHAR NOT NULL,
      camera VARCHAR, value DOUBLE NOT NULL, tags MAP(VARCHAR, VARCHAR));
     INSERT INTO point VALUES (1000, 'waterLevel', 'q1', 'gw-1', NULL, 2.5, MAP {'sensor': 'gauge'})`,
  );
  connection.closeSync();
  old.closeSync();
  const store = await DuckdbSeriesStore.open(file);
  try {
    const at = (ms: number): string => new Date(ms).toISOString();
    const origin = { site: 'q1', node: 'gw-1', metric: 'waterLevel', tags: { sensor: 'gauge' } };
    const key = { outboxId: '11111111-1111-4111-8111-111111111111', seq: 1, ordinal: 0 };
    await store.write([{ ...origin, ...key, at: at(2_000), value: 3, unit: 'm', quality: 'good' }]);
    const points = await store.listPoints({ metric: 'waterLevel', from: at(0), to: at(9_000), limit: 9 });
    expect(points).toEqual([
      { ...origin, at: at(1_000), value: 2.5 },
      { ...origin, at: at(2_000), value: 3, unit: 'm', quality: 'good' },
    ]);
  } finally {
    await store.close();
  }
});
