import { join } from 'node:path';

/** Where the parts of the centre lie below its data folder; the API opens the same files. */
export function buildCentrePaths(dataDir: string): { events: string; series: string; evidence: string } {
  return {
    events: join(dataDir, 'events.sqlite'),
    series: join(dataDir, 'series.duckdb'),
    evidence: join(dataDir, 'evidence'),
  };
}
