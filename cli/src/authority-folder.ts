import { mkdirSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { asOutputError, NgatuError } from '@ngatu/contract';
import { tryProcessLock } from '@ngatu/models';
import { type Authority, openAuthority } from '@ngatu/trust';

/** Another command needs less than a second; who waits longer than this is told, ms. */
const WAIT_LIMIT_MS = 10_000;

/**
 * Works on the folder of an authority while nobody else does: two that issued at once would break its ledger.
 * @throws NgatuError AUTHORITY_INVALID (retryable) where somebody else has it; PERMISSION_DENIED, and what `work` throws
 */
export async function lockAuthority<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw asOutputError(error, `make the folder ${dir}`);
  }
  const key = `authority ${realpathSync(dir)}`;
  const deadline = performance.now() + WAIT_LIMIT_MS;
  for (;;) {
    const lock = await tryProcessLock(key);
    if ('release' in lock) {
      try {
        return await work();
      } finally {
        await lock.release();
      }
    }
    if (performance.now() > deadline) {
      throw new NgatuError('AUTHORITY_INVALID', `Cannot use the authority in ${dir}: another process does`, {
        retryable: true,
      });
    }
    await delay(50);
  }
}

/** Opens an authority and works with it, as `lockAuthority`. */
export function withAuthority<T>(
  dir: string,
  passphrase: string | undefined,
  work: (authority: Authority) => Promise<T>,
): Promise<T> {
  return lockAuthority(dir, async () =>
    work(await openAuthority(dir, passphrase === undefined ? {} : { passphrase })),
  );
}
