import { NgatuError } from '@ngatu/contract';
import { pino } from 'pino';
import { type IngestorConfig, runIngestor } from '../../cloud/src/ingestor/ingestor.ts';

const config = JSON.parse(process.argv[2] ?? '') as Omit<IngestorConfig, 'logger'>;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const logger = pino({ level: 'error' }, pino.destination(2));
try {
  await runIngestor({ ...config, logger }, ({ url }) => console.log(url), stop.signal);
} catch (error) {
  console.error(error);
  process.exitCode = error instanceof NgatuError && error.code === 'STORE_CORRUPT' ? 65 : 1;
}
