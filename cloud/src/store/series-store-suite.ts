import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aTime } from '../../../tests/delivery/message-builder.ts';
import type { SeriesPoint, SeriesQuery, SeriesStore } from './series-store.ts';

const OUTBOX = '11111111-1111-4111-8111-111111111111';

function aPoint(seq: number, change: Partial<SeriesPoint> = {}): SeriesPoint {
  const origin = { site: 'q1', node: 'gw-1', camera: 'cam-1', outboxId: OUTBOX, seq, ordinal: 0 };
  return {
    at: aTime(seq * 1_000),
    metric: 'lineCount',
    value: seq,
    tags: { direction: 'in' },
    ...origin,
    ...change,
  };
}

function aQuery(change: Partial<SeriesQuery> = {}): SeriesQuery {
  return {
    metric: 'lineCount',
    from: aTime(0),
    to: aTime(60_000),
    stepMs: 10_000,
    aggregate: 'sum',
    ...change,
  };
}

/** What every series store does. `open` gives a store on the same data each time; `reset` forgets the data. */
export function describeSeriesStore(
  name: string,
  backend: { open: () => Promise<SeriesStore>; reset: () => Promise<void> },
): void {
  describe(`series store contract: ${name}`, () => {
    let store: SeriesStore;
    beforeEach(async () => {
      await backend.reset();
      store = await backend.open();
    });
    afterEach(() => store.close());
    const values = async (change: Partial<SeriesQuery> = {}) =>
      (await store.query(aQuery(change))).map(({ points }) => points.map(({ value }) => value));

    it('writes a message once, also after reopening and beside new ones', async () => {
      await store.write([aPoint(1), aPoint(1, { ordinal: 1 }), aPoint(2)]);
      await store.write([aPoint(2), aPoint(3), aPoint(1), aPoint(1, { ordinal: 1 })]);
      await store.close();
      store = await backend.open();
      await store.write([aPoint(3)]);
      await store.write([]);
      expect(await values()).toEqual([[1 + 1 + 2 + 3]]);
    });

    it('keeps to the sites that it is asked for', async () => {
      await store.write([aPoint(1), aPoint(2, { site: 'q2', camera: 'cam-2' })]);
      expect(await values({ sites: ['q2', 'q9'] })).toEqual([[2]]);
      expect(await values({ sites: [] })).toEqual([]);
      expect(await values()).toEqual([[1], [2]]);
    });

    it('tells messages of the same number from two outboxes apart', async () => {
      await store.write([aPoint(1), aPoint(1, { outboxId: OUTBOX.replace(/^1/, '2') })]);
      expect(await values()).toEqual([[2]]);
    });

    it('keeps writes apart that are made at once', async () => {
      await Promise.all(
        Array.from({ length: 20 }, (_, seq) => store.write([aPoint(seq + 1), aPoint((seq % 5) + 1)])),
      );
      expect(await values({ stepMs: 60_000 })).toEqual([[210]]);
    });

    it('aggregates by bucket from the beginning of the period, inclusive to exclusive', async () => {
      await store.write(
        [0, 5, 9, 10, 19, 60].map((seq) => aPoint(seq + 100, { at: aTime(seq * 1_000), value: seq })),
      );
      expect(await store.query(aQuery())).toEqual([
        {
          camera: 'cam-1',
          points: [
            { at: aTime(0), value: 14 },
            { at: aTime(10_000), value: 29 },
          ],
        },
      ]);
      expect(await values({ aggregate: 'mean' })).toEqual([[14 / 3, 14.5]]);
      expect(await values({ aggregate: 'max' })).toEqual([[9, 19]]);
      expect(await values({ aggregate: 'min' })).toEqual([[0, 10]]);
      expect(await values({ aggregate: 'last' })).toEqual([[9, 19]]);
      expect(await values({ from: aTime(5_000), stepMs: 5_000 })).toEqual([[14, 10, 19]]);
    });

    it('draws one line a camera and a group, and filters by camera and tags', async () => {
      const { camera: _none, ...nodeWide } = aPoint(9, { value: 100 });
      await store.write([
        aPoint(1),
        aPoint(2, { tags: { direction: 'out' } }),
        aPoint(3, { camera: 'cam-2', tags: { direction: 'in', label: 'bus' } }),
        aPoint(4, { metric: 'other' }),
        nodeWide,
      ]);
      const lines = await store.query(aQuery({ groupBy: 'direction' }));
      expect(lines.map(({ camera, group, points }) => [camera, group, points[0]?.value])).toEqual([
        [undefined, 'in', 100],
        ['cam-1', 'in', 1],
        ['cam-1', 'out', 2],
        ['cam-2', 'in', 3],
      ]);
      expect(await values({ camera: 'cam-1' })).toEqual([[3]]);
      expect(await values({ tags: { direction: 'in', label: 'bus' } })).toEqual([[3]]);
      expect(await values({ tags: { direction: "in' OR 1=1 --" } })).toEqual([]);
      expect(await values({ metric: 'unknown' })).toEqual([]);
    });

    it.each([
      ['an empty period', { to: aTime(0) }],
      ['too many buckets', { stepMs: 1 }],
      ['no step', { stepMs: 0 }],
    ])('refuses %s', async (_name, change) => {
      await expect(store.query(aQuery(change))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    });
  });
}
