import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorMessage, NgatuError, parseWithSchema, toUrl } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import { buildCentrePaths } from './centre-path.ts';
import { DuckdbSeriesStore } from './duckdb-series-store.ts';
import { InfluxSeriesStore, type InfluxSettings } from './influx-series-store.ts';
import type { SeriesStore } from './series-store.ts';

const closed = { additionalProperties: false } as const;

const Secret = Type.Union(
  [
    Type.Object({ env: Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }) }, closed),
    Type.Object({ file: Type.String({ minLength: 1 }) }, closed),
  ],
  { description: 'Where the secret is: a variable of the environment, or a file.' },
);

/** `series.json` in the data folder of the centre. */
export const SeriesSettings = Type.Object(
  {
    version: Type.Literal(1),
    influx: Type.Object(
      {
        url: Type.String({
          pattern: '^https?://[^@]+$',
          description: 'Address of the server, without a password.',
        }),
        database: Type.String({ minLength: 1, maxLength: 64 }),
        username: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
        password: Type.Optional(Secret),
        token: Type.Optional(Secret),
      },
      closed,
    ),
  },
  closed,
);
export type SeriesSettings = Static<typeof SeriesSettings>;

/**
 * Reads `series.json`, or undefined where the centre keeps its series in DuckDB.
 * @throws NgatuError SERIES_SETTINGS_INVALID with the path and the reason
 */
export function loadSeriesSettings(dataDir: string): InfluxSettings | undefined {
  const path = join(dataDir, 'series.json');
  if (!existsSync(path)) return undefined;
  const what = `settings of the time series "${path}"`;
  const refuse = (cause: unknown): NgatuError =>
    new NgatuError('SERIES_SETTINGS_INVALID', `Cannot read ${what}: ${errorMessage(cause)}`, { cause });
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refuse(error);
  }
  const { influx } = parseWithSchema(SeriesSettings, raw, { code: 'SERIES_SETTINGS_INVALID', what });
  if (toUrl(influx.url) === undefined) throw refuse(new Error('/influx/url is no address'));
  const { url, database, username } = influx;
  try {
    return {
      url,
      database,
      ...(username === undefined ? {} : { username }),
      ...(influx.password === undefined ? {} : { password: findSecret(influx.password, dataDir) }),
      ...(influx.token === undefined ? {} : { token: findSecret(influx.token, dataDir) }),
    };
  } catch (error) {
    throw refuse(error);
  }
}

/** Opens the centre's series: InfluxDB where `series.json` says so, else DuckDB. @throws NgatuError as these and the settings do */
export async function openSeriesStore(dataDir: string): Promise<SeriesStore> {
  const settings = loadSeriesSettings(dataDir);
  return settings === undefined
    ? DuckdbSeriesStore.open(buildCentrePaths(dataDir).series)
    : InfluxSeriesStore.open(settings);
}

function findSecret(secret: Static<typeof Secret>, dataDir: string): string {
  if ('file' in secret) return readFileSync(resolve(dataDir, secret.file), 'utf8').trim();
  const value = process.env[secret.env];
  if (value === undefined || value === '') throw new Error(`the variable ${secret.env} is not set`);
  return value;
}
