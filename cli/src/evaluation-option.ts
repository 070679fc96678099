import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { asStorageError } from '@ngatu/models';

/** What every `ngatu eval NAME` takes. */
export interface EvaluationOptions {
  readonly data: string;
  readonly json?: string;
  readonly predictions?: string;
}

/** Writes the metrics of an evaluation as JSON. @throws NgatuError DISK_FULL, PERMISSION_DENIED */
export async function writeMetrics(file: string, metrics: unknown): Promise<void> {
  try {
    await mkdir(dirname(resolve(file)), { recursive: true });
    await writeFile(file, `${JSON.stringify(metrics, null, 2)}\n`);
  } catch (error) {
    throw asStorageError(error, `write ${file}`);
  }
}
