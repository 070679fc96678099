import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** SHA-256 of a file's bytes as 64 hexadecimal digits. Rejects with the system's error, or when `signal` aborts. */
export async function computeFileSha256(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    hash,
    signal === undefined ? {} : { signal },
  );
  return hash.digest('hex');
}
