import { expect, it } from 'vitest';
import { IntakeQueue } from './intake-queue.ts';

const message = (sizeBytes: number) => ({ topic: 't', payload: new Uint8Array(sizeBytes) });

it.each([
  ['messages', { messages: 3, bytes: 1_000 }, 1],
  ['bytes', { messages: 1_000, bytes: 30 }, 10],
])('holds the sender at its bound of %s until there is room', (_name, limits, sizeBytes) => {
  const queue = new IntakeQueue(limits);
  let proceeded = 0;
  const offer = () => queue.offer(message(sizeBytes), () => proceeded++);
  offer();
  offer();
  expect(proceeded).toBe(2);
  offer();
  expect([proceeded, queue.length]).toEqual([2, 3]);
  expect(queue.take(1)).toHaveLength(1);
  expect(proceeded).toBe(3);
  expect(queue.take(10)).toHaveLength(2);
  offer();
  expect([proceeded, queue.length]).toEqual([4, 1]);
});

it('wakes who waits for the count, for the time, or for the end', async () => {
  const queue = new IntakeQueue({ messages: 10, bytes: 1_000 });
  const stop = new AbortController();
  const order: string[] = [];
  const counted = queue.waitFor(2, stop.signal).then(() => order.push('count'));
  queue.offer(message(1), () => undefined);
  await Promise.resolve();
  expect(order).toEqual([]);
  queue.offer(message(1), () => undefined);
  await counted;
  await queue.waitFor(3, stop.signal, 1).then(() => order.push('time'));
  const ended = queue.waitFor(3, stop.signal).then(() => order.push('end'));
  stop.abort();
  await ended;
  expect(order).toEqual(['count', 'time', 'end']);
});
