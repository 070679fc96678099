import { describe, expect, it } from 'vitest';
import { LatestMailbox } from './frame-mailbox.ts';

describe('LatestMailbox', () => {
  it('keeps the latest and counts what nobody took', async () => {
    const mailbox = new LatestMailbox<number>();
    mailbox.put(1);
    mailbox.put(2);
    mailbox.put(3);
    expect(await mailbox.next()).toEqual({ done: false, value: 3 });
    expect(mailbox.dropped).toBe(2);
  });

  it('wakes a waiting consumer, delivers what lies there at the end, then ends', async () => {
    const mailbox = new LatestMailbox<string>();
    const waiting = mailbox.next();
    mailbox.put('first');
    expect(await waiting).toEqual({ done: false, value: 'first' });
    mailbox.put('last');
    mailbox.close();
    expect(await mailbox.next()).toEqual({ done: false, value: 'last' });
    expect((await mailbox.next()).done).toBe(true);
  });

  it('throws the error it was closed with', async () => {
    const mailbox = new LatestMailbox<string>();
    const waiting = mailbox.next();
    mailbox.close(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });
});
