import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { acquireProcessLock, tryProcessLock } from './process-lock.ts';

describe('process lock', () => {
  it('is held by one, who is named to the others, and passes on when released', async () => {
    const key = randomUUID();
    const first = await acquireProcessLock(key);
    first.describe('process 1\nat work');
    expect(await tryProcessLock(key)).toEqual({ heldBy: 'process 1 at work' });
    let taken = false;
    const waiting = acquireProcessLock(key).then((lock) => {
      taken = true;
      return lock;
    });
    expect(await tryProcessLock(key)).toHaveProperty('heldBy');
    expect(taken).toBe(false);
    await first.release();
    const second = await waiting;
    expect(taken).toBe(true);
    await second.release();
  });

  it('stops waiting when aborted', async () => {
    const key = randomUUID();
    const holder = await acquireProcessLock(key);
    const stop = new AbortController();
    const waiting = acquireProcessLock(key, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await holder.release();
  });
});
