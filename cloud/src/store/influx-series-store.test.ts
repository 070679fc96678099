import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTime } from '../../../tests/delivery/message-builder.ts';
import { InfluxSeriesStore } from './influx-series-store.ts';
import type { SeriesPoint } from './series-store.ts';
import { describeSeriesStore } from './series-store-suite.ts';

const INFLUXD = '/usr/bin/influxd';
const START_MS = 30_000;

/** A real server with data of its own, on free ports of this machine. */
class InfluxServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'ngatu-influx-'));
  #url = '';
  #config = '';
  #child: ChildProcess | undefined;

  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    if (this.#url === '') await this.#configure();
    const child = spawn(INFLUXD, ['-config', this.#config], { stdio: 'ignore' });
    this.#child = child;
    const deadline = Date.now() + START_MS;
    for (;;) {
      const answer = await fetch(`${this.#url}/ping`).catch(() => undefined);
      if (answer?.status === 204) return;
      if (Date.now() > deadline || child.exitCode !== null) throw new Error('influxd did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async ask(statement: string): Promise<string> {
    const query = new URLSearchParams({ q: statement }).toString();
    return (await fetch(`${this.#url}/query?${query}`, { method: 'POST' })).text();
  }

  async #configure(): Promise<void> {
    const [http, rpc] = [await findPort(), await findPort()];
    this.#url = `http://127.0.0.1:${http}`;
    this.#config = join(this.folder, 'influxdb.conf');
    const text = `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${this.folder}/meta"
[data]
  dir = "${this.folder}/data"
  wal-dir = "${this.folder}/wal"
  wal-fsync-delay = "0s"
  index-version = "tsi1"
[http]
  bind-address = "127.0.0.1:${http}"
  log-enabled = false
[monitor]
  store-enabled = false
`;
    writeFileSync(this.#config, text);
  }
}

async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const aPoint = (seq: number): SeriesPoint => ({
  at: aTime(seq * 1_000),
  metric: 'lineCount',
  value: 1,
  site: 'q1',
  node: 'gw-1',
  outboxId: '11111111-1111-4111-8111-111111111111',
  seq,
  ordinal: 0,
});

describe('InfluxDB', () => {
  const server = new InfluxServer();
  let database = 0;
  const open = async () => InfluxSeriesStore.open({ url: server.url, database: `ngatu "${database}"` });
  beforeAll(() => server.start());
  afterAll(() => server.close());

  describeSeriesStore('InfluxDB', {
    open,
    reset: async () => {
      await server.ask(`DROP DATABASE "ngatu \\"${database}\\""`);
      database++;
    },
  });

  it('keeps what it acknowledged when it is killed, and takes the rest when it is back', async () => {
    database++;
    const store = await open();
    const acknowledged = new Set<number>();
    const killed = (async () => {
      while (acknowledged.size < 40) await new Promise(setImmediate);
      await server.kill();
    })();
    const write = async (seq: number): Promise<void> => {
      await store.write([aPoint(seq)]);
      acknowledged.add(seq);
    };
    let failures = 0;
    for (let seq = 1; seq <= 400 && failures < 3; seq++)
      await write(seq).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
        failures++;
      });
    await killed;
    expect(failures).toBe(3);
    const query = { metric: 'lineCount', from: aTime(0), to: aTime(500_000), limit: 10_000 };
    await expect(store.listPoints(query)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
    });
    await server.start();
    const kept = new Set((await store.listPoints(query)).map(({ at }) => at));
    expect([...acknowledged].filter((seq) => !kept.has(aTime(seq * 1_000)))).toEqual([]);
    await store.write(Array.from({ length: 400 }, (_, index) => aPoint(index + 1)));
    expect(await store.listPoints(query)).toHaveLength(400);
    await store.close();
  });

  it('writes more than one request holds', async () => {
    database++;
    const store = await open();
    const points = Array.from({ length: 6_000 }, (_, index) => ({ ...aPoint(index + 1), at: aTime(index) }));
    await store.write(points);
    await store.write(points);
    const query = { metric: 'lineCount', from: aTime(0), to: aTime(10_000), limit: 10_000 };
    expect(await store.listPoints(query)).toHaveLength(6_000);
    await store.close();
    await expect(store.write(points)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('makes its database again where somebody dropped it', async () => {
    database++;
    const store = await open();
    await store.write([aPoint(1)]);
    await server.ask(`DROP DATABASE "ngatu \\"${database}\\""`);
    await expect(store.write([aPoint(2)])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await store.write([aPoint(2)]);
    await store.close();
  });

  it('leaves out what its retention policy does not keep, and takes the rest', async () => {
    database++;
    const store = await open();
    await store.write([aPoint(1)]);
    await server.ask(
      `CREATE RETENTION POLICY "hour" ON "ngatu \\"${database}\\"" DURATION 1h REPLICATION 1 SHARD DURATION 1h DEFAULT`,
    );
    const now = new Date(Date.now() - 1_000).toISOString();
    await store.write([
      { ...aPoint(2), at: '2001-01-01T00:00:00.000Z' },
      { ...aPoint(3), at: now },
    ]);
    const query = {
      metric: 'lineCount',
      from: '2000-01-01T00:00:00.000Z',
      to: '2100-01-01T00:00:00.000Z',
      limit: 9,
    };
    expect((await store.listPoints(query)).map(({ at }) => at)).toEqual([now]);
    await store.close();
  });
});

it('says that nobody answers', async () => {
  const store = InfluxSeriesStore.open({ url: `http://127.0.0.1:${await findPort()}`, database: 'x' });
  const failure = { code: 'STORE_UNAVAILABLE', retryable: true };
  await expect(store.write([aPoint(1)])).rejects.toMatchObject(failure);
  await expect(store.listLatest({ tag: 'sensor', since: aTime(0) })).rejects.toMatchObject(failure);
  await store.close();
});
