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

/** A store behind an interface refuses a name that is none before it asks. */
function nothingWhereRefused(error: unknown): never[] {
  expect(error).toMatchObject({ code: 'REQUEST_INVALID' });
  return [];
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
      expect(await values({ node: 'gw-1', camera: 'cam-2' })).toEqual([[3]]);
      expect(await values({ node: 'gw-2' })).toEqual([]);
      expect(await values({ tags: { direction: 'in', label: 'bus' } })).toEqual([[3]]);
      expect(await values({ tags: { direction: "in' OR 1=1 --" } })).toEqual([]);
      expect(await values({ metric: 'unknown' })).toEqual([]);
    });

    it('keeps units apart, and tells the worst quality of a bucket', async () => {
      const sensor = { metric: 'waterLevel', tags: { sensor: 'gate-1' }, unit: 'm' } as const;
      await store.write([
        aPoint(1, { ...sensor, value: 1, quality: 'good' }),
        aPoint(2, { ...sensor, value: 3, quality: 'uncertain' }),
        aPoint(3, { ...sensor, value: 50, quality: 'bad' }),
        aPoint(4, { ...sensor, value: 7, unit: '[ft_i]' }),
        aPoint(12, { ...sensor, value: 2 }),
      ]);
      const query = aQuery({ metric: 'waterLevel', aggregate: 'mean', groupBy: 'sensor' });
      const line = { group: 'gate-1', camera: 'cam-1' };
      expect(await store.query(query)).toEqual([
        { ...line, unit: '[ft_i]', points: [{ at: aTime(0), value: 7 }] },
        {
          ...line,
          unit: 'm',
          points: [
            { at: aTime(0), value: 2, quality: 'uncertain' },
            { at: aTime(10_000), value: 2 },
          ],
        },
      ]);
      const [, metres] = await store.query({ ...query, includeBad: true });
      expect(metres?.points[0]).toEqual({ at: aTime(0), value: 18, quality: 'bad' });
    });

    it('lists points as they were measured, and lets late ones stand where they belong', async () => {
      const sensor = { metric: 'pm25', unit: 'ug/m3', tags: { sensor: 'air-1' } } as const;
      await store.write([
        aPoint(30, { ...sensor, quality: 'good' }),
        aPoint(31, { ...sensor, quality: 'bad' }),
      ]);
      const { camera: _none, ...late } = aPoint(5, { ...sensor, tags: {} });
      await store.write([late]);
      const query = { metric: 'pm25', from: aTime(0), to: aTime(60_000), limit: 10 };
      const origin = { site: 'q1', node: 'gw-1', metric: 'pm25', unit: 'ug/m3' };
      const [first, second, ...rest] = await store.listPoints(query);
      expect(first).toEqual({ ...origin, at: aTime(5_000), value: 5 });
      expect(second).toEqual({
        ...origin,
        at: aTime(30_000),
        value: 30,
        camera: 'cam-1',
        quality: 'good',
        tags: { sensor: 'air-1' },
      });
      expect(rest).toEqual([]);
      expect(await store.listPoints({ ...query, includeBad: true })).toHaveLength(3);
      expect(await store.listPoints({ ...query, limit: 1 })).toEqual([first]);
      expect(await store.listPoints({ ...query, sites: ['q2'] })).toEqual([]);
      expect(await store.listPoints({ ...query, sites: [] })).toEqual([]);
      expect(await values({ metric: 'pm25', stepMs: 30_000 })).toEqual([[5], [30]]);
      await expect(store.listPoints({ ...query, limit: 0 })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      });
    });

    it('lists the newest point of each series that carries a tag', async () => {
      const sensor = (name: string): Partial<SeriesPoint> => ({
        tags: { sensor: name },
        unit: 'Cel',
        metric: 'airTemperature',
      });
      await store.write([
        aPoint(1, sensor('b')),
        aPoint(9, { ...sensor('b'), quality: 'bad' }),
        aPoint(5, { ...sensor('b'), quality: 'good' }),
        aPoint(2, { ...sensor('a'), site: 'q2' }),
        aPoint(3, { ...sensor('b'), metric: 'soundLevel', unit: 'dB' }),
        aPoint(4),
      ]);
      const query = { tag: 'sensor', since: aTime(0) };
      const latest = await store.listLatest(query);
      expect(
        latest.map(({ site, tag, metric, unit, value, at }) => [site, tag, metric, unit, value, at]),
      ).toEqual([
        ['q1', 'b', 'airTemperature', 'Cel', 9, aTime(9_000)],
        ['q1', 'b', 'soundLevel', 'dB', 3, aTime(3_000)],
        ['q2', 'a', 'airTemperature', 'Cel', 2, aTime(2_000)],
      ]);
      expect(latest.map(({ quality }) => quality)).toEqual(['bad', undefined, undefined]);
      expect(await store.listLatest({ ...query, sites: ['q2'] })).toHaveLength(1);
      expect(await store.listLatest({ ...query, sites: [] })).toEqual([]);
      expect(await store.listLatest({ ...query, since: aTime(4_000) })).toHaveLength(1);
      await expect(store.listLatest({ ...query, since: 'yesterday' })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      });
    });

    it('carries any text of a tag, and takes none for a part of a question', async () => {
      const texts = [
        "in' OR 1=1 --",
        'a"b\\"c\\',
        'two, words=3',
        'line\nbreak\ttab',
        'Ngã tư 100 %',
        '%',
        '',
        '%0a',
      ];
      await store.write(
        texts.map((text, index) => aPoint(index + 1, { tags: { place: text }, value: index })),
      );
      for (const [index, text] of texts.entries())
        expect([text, await values({ tags: { place: text } })]).toEqual([text, [[index]]]);
      const lines = await store.query(aQuery({ groupBy: 'place' }));
      expect(lines.map(({ group }) => group).sort()).toEqual([...texts].sort());
      const points = await store.listPoints({
        metric: 'lineCount',
        from: aTime(0),
        to: aTime(60_000),
        limit: 100,
      });
      expect(points.map(({ tags }) => tags?.['place'])).toEqual(texts);
      expect(
        (await store.listLatest({ tag: 'place', since: aTime(0) })).map(({ tag }) => tag).sort(),
      ).toEqual([...texts].sort());
      const hostile = ['lineCount"; DROP DATABASE "x', "' OR '1'='1", 'a\\', '/.*/'];
      for (const text of hostile) {
        expect(await values({ metric: text })).toEqual([]);
        for (const change of [{ sites: [text] }, { node: text }, { camera: text }])
          expect(await values(change).catch(nothingWhereRefused)).toEqual([]);
        expect(await values({ tags: { [text]: 'x' } })).toEqual([]);
        expect((await store.query(aQuery({ groupBy: text }))).map(({ group }) => group)).toEqual([undefined]);
        expect(await store.listLatest({ tag: text, since: aTime(0) })).toEqual([]);
      }
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
