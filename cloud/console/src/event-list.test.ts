import { expect, it } from 'vitest';
import type { EventPage, EventSummary } from '../../src/api/api-schema.ts';
import type { PageRequest } from './api-client.ts';
import { ApiFailure } from './api-client.ts';
import { EventList, mergeChange } from './event-list.ts';

function aSummary(number: number, changes: Partial<EventSummary> = {}): EventSummary {
  const capturedAt = new Date(Date.UTC(2025, 10, 22, 3, 0, number)).toISOString();
  return {
    eventId: `ev-${String(number).padStart(32, '0')}`,
    kind: 'RED_LIGHT',
    site: 'hanoi',
    node: 'gate-1',
    camera: 'north',
    rule: 'red-light',
    label: 'car',
    capturedAt,
    ingestedAt: capturedAt,
    review: 'open',
    ...changes,
  };
}

const numbersOf = (items: readonly EventSummary[]) => items.map(({ eventId }) => Number(eventId.slice(3)));
const everything = { filter: {}, hasMore: false };

it('puts a change where it belongs, once', () => {
  const items = [aSummary(5), aSummary(3), aSummary(1)];
  expect(numbersOf(mergeChange(items, aSummary(6), everything))).toEqual([6, 5, 3, 1]);
  expect(numbersOf(mergeChange(items, aSummary(4), everything))).toEqual([5, 4, 3, 1]);
  expect(numbersOf(mergeChange(items, aSummary(0), everything))).toEqual([5, 3, 1, 0]);
  const decided = mergeChange(items, aSummary(3, { review: 'rejected' }), everything);
  expect(numbersOf(decided)).toEqual([5, 3, 1]);
  expect(decided[1]?.review).toBe('rejected');
});

it('takes out what the filter no longer lets in, and leaves what a later page brings', () => {
  const items = [aSummary(5), aSummary(3)];
  const open = { filter: { review: 'open' as const }, hasMore: false };
  expect(numbersOf(mergeChange(items, aSummary(5, { review: 'confirmed' }), open))).toEqual([3]);
  expect(
    numbersOf(
      mergeChange(items, aSummary(6, { kind: 'WRONG_WAY' }), {
        filter: { kind: 'RED_LIGHT' },
        hasMore: false,
      }),
    ),
  ).toEqual([5, 3]);
  expect(numbersOf(mergeChange(items, aSummary(1), { filter: {}, hasMore: true }))).toEqual([5, 3]);
  expect(numbersOf(mergeChange(items, aSummary(3), { filter: {}, hasMore: true }))).toEqual([5, 3]);
});

/** Pages that are answered by hand. */
function openList() {
  const requests: {
    request: PageRequest;
    answer: (page: EventPage) => void;
    fail: (error: Error) => void;
  }[] = [];
  const list = new EventList(
    (request) => new Promise((answer, fail) => requests.push({ request, answer, fail })),
    () => {},
  );
  return { list, requests };
}

it('loses no change that comes while a page is on its way', async () => {
  const { list, requests } = openList();
  const loading = list.load();
  list.apply(aSummary(9));
  requests[0]?.answer({ items: [aSummary(5), aSummary(4)], nextCursor: 'next' });
  await loading;
  expect(numbersOf(list.view().items)).toEqual([9, 5, 4]);
  const more = list.more();
  list.apply(aSummary(4, { review: 'rejected' }));
  list.apply(aSummary(2, { review: 'rejected' }));
  requests[1]?.answer({ items: [aSummary(3), aSummary(2)] });
  await more;
  expect(requests[1]?.request.cursor).toBe('next');
  expect(numbersOf(list.view().items)).toEqual([9, 5, 4, 3, 2]);
  expect(list.view().items.map(({ review }) => review)).toEqual([
    'open',
    'open',
    'rejected',
    'open',
    'rejected',
  ]);
  expect(list.view().hasMore).toBe(false);
});

it('drops the answer to an older filter', async () => {
  const { list, requests } = openList();
  const first = list.load({ kind: 'RED_LIGHT' });
  const second = list.load({ kind: 'WRONG_WAY' });
  requests[1]?.answer({ items: [aSummary(2, { kind: 'WRONG_WAY' })] });
  requests[0]?.answer({ items: [aSummary(1)] });
  await Promise.all([first, second]);
  expect(numbersOf(list.view().items)).toEqual([2]);
  expect(requests[0]?.request.signal?.aborted).toBe(true);
});

it('keeps what it shows when a page cannot be had, and says why', async () => {
  const { list, requests } = openList();
  const loading = list.load();
  requests[0]?.answer({ items: [aSummary(1)], nextCursor: 'next' });
  await loading;
  const more = list.more();
  requests[1]?.fail(new ApiFailure('NETWORK', 'no route', undefined, 1));
  await more;
  expect(numbersOf(list.view().items)).toEqual([1]);
  expect(list.view().failure?.code).toBe('NETWORK');
  expect(list.view().hasMore).toBe(true);
});
