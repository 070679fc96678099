import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DuckdbSeriesStore } from './duckdb-series-store.ts';
import { InfluxSeriesStore } from './influx-series-store.ts';
import { loadSeriesSettings, openSeriesStore } from './series-settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const INFLUX = { url: 'http://127.0.0.1:1', database: 'ngatu', username: 'ngatu' };
const write = (value: unknown): void => writeFileSync(join(folder, 'series.json'), JSON.stringify(value));

it('keeps the series in DuckDB without settings, in InfluxDB with them', async () => {
  const embedded = await openSeriesStore(folder);
  expect(embedded).toBeInstanceOf(DuckdbSeriesStore);
  await embedded.close();
  writeFileSync(join(folder, 'secret'), 'pass word\n');
  write({ version: 1, influx: { ...INFLUX, password: { file: 'secret' } } });
  expect(loadSeriesSettings(folder)).toEqual({ ...INFLUX, password: 'pass word' });
  // the server is away: the centre starts all the same
  const remote = await openSeriesStore(folder);
  expect(remote).toBeInstanceOf(InfluxSeriesStore);
  await remote.close();
});

it.each([
  ['another version', { version: 2, influx: INFLUX }],
  ['a password in the clear', { version: 1, influx: { ...INFLUX, password: 'secret' } }],
  ['a password in the address', { version: 1, influx: { ...INFLUX, url: 'http://me:secret@127.0.0.1' } }],
  ['no address', { version: 1, influx: { ...INFLUX, url: 'http://' } }],
  ['a secret that is not there', { version: 1, influx: { ...INFLUX, password: { file: 'nowhere' } } }],
  ['a variable that is not set', { version: 1, influx: { ...INFLUX, token: { env: 'NGATU_NOT_SET' } } }],
  ['a field that nobody knows', { version: 1, influx: INFLUX, duckdb: {} }],
])('refuses %s', (_name, settings) => {
  write(settings);
  expect(() => loadSeriesSettings(folder)).toThrow(
    expect.objectContaining({ code: 'SERIES_SETTINGS_INVALID' }),
  );
});
