import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { buildPrivacyPolicyPath } from '../../cloud/src/privacy/privacy-policy.ts';
import { SqliteEventStore } from '../../cloud/src/store/sqlite-event-store.ts';
import { Outbox } from '../../edge/src/outbox/outbox.ts';
import { DirectiveBook } from '../../edge/src/uplink/directive-book.ts';
import { runUplink } from '../../edge/src/uplink/uplink.ts';
import { bundleEntry, LineProcess } from './child-process.ts';
import { INGESTOR_USER, LoopbackBroker, NODE_USER, until } from './loopback-broker.ts';
import { CAMERA, NODE, SITE } from './message-builder.ts';
import { TestSeal } from './test-seal.ts';

export const NODE_TOKEN = 'token-of-the-nodes';
export const INTERNAL_TOKEN = 'token-inside-the-centre';
const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const SILENT: Logger = pino({ level: process.env['NGATU_TEST_LOG'] ?? 'silent' });

/** Uniform in [0, 1), the same row of numbers for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One node and one centre with a real broker between them; broker and ingestor are processes that can be killed. */
export class DeliveryRig {
  readonly folder = mkdtempSync(join(tmpdir(), 'ngatu-delivery-'));
  readonly dataDir = join(this.folder, 'centre');
  readonly outboxFile = join(this.folder, 'outbox.sqlite');
  #script = '';
  #seal: TestSeal | undefined;
  #broker: LoopbackBroker | undefined;
  #ingestor: LineProcess | undefined;
  #ingestorUrl: string | undefined;
  readonly #stops: (() => Promise<void> | void)[] = [];

  static async open(): Promise<DeliveryRig> {
    const rig = new DeliveryRig();
    rig.#broker = await LoopbackBroker.start(rig.folder);
    rig.#seal = await TestSeal.open(rig.folder, rig.dataDir);
    // The messages of the builders are of 2025: by the default policy the centre would delete the cases at its next start.
    const retentionDays = { open: 36_500, confirmed: 36_500, rejected: 36_500, 'let-pass': 36_500 };
    writeFileSync(buildPrivacyPolicyPath(rig.dataDir), JSON.stringify({ schemaVersion: 1, retentionDays }));
    rig.#script = await bundleEntry('ingestor-process', rig.folder);
    return rig;
  }

  get broker(): LoopbackBroker {
    if (this.#broker === undefined) throw new Error('no broker');
    return this.#broker;
  }

  /** Seals what the node has to say; in the order of its chain. */
  get seal(): TestSeal {
    if (this.#seal === undefined) throw new Error('no seal');
    return this.#seal;
  }

  get ingestorUrl(): string {
    if (this.#ingestorUrl === undefined) throw new Error('no ingestor');
    return this.#ingestorUrl;
  }

  get ingestor(): LineProcess {
    if (this.#ingestor === undefined) throw new Error('no ingestor');
    return this.#ingestor;
  }

  /** Starts an ingestor process; `ready` is false where its end is what is awaited. */
  async startIngestor(options: { untilReady?: boolean } = {}): Promise<void> {
    this.#ingestorUrl = undefined;
    const config = {
      dataDir: this.dataDir,
      broker: { url: this.broker.url, username: INGESTOR_USER.name, password: INGESTOR_USER.password },
      listen: { host: '127.0.0.1', port: 0 },
      nodeToken: NODE_TOKEN,
      internalToken: INTERNAL_TOKEN,
    };
    const ingestor = LineProcess.start(this.#script, config, (line) => {
      this.#ingestorUrl = line;
    });
    this.#ingestor = ingestor;
    if (options.untilReady === false) return;
    await until('the ingestor is ready', () => {
      if (ingestor.hasExited) throw new Error(`the ingestor ended: ${ingestor.errors}`);
      return this.#ingestorUrl !== undefined;
    });
  }

  async endIngestor(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    return this.ingestor.end(signal);
  }

  /** Waits until the ingestor has its subscriptions. */
  async untilConnected(): Promise<void> {
    await until('the ingestor is connected', async () => (await fetch(`${this.ingestorUrl}/healthz`)).ok);
  }

  openOutbox(file = this.outboxFile): Outbox {
    const { outbox } = Outbox.open({
      file,
      maxBytes: 256 * 1024 * 1024,
      origin: { site: SITE, node: NODE },
      clock: CLOCK,
      logger: SILENT,
    });
    this.#stops.push(() => outbox[Symbol.dispose]());
    return outbox;
  }

  /** The node's directives as they lie on its disk now. */
  openDirectives(): DirectiveBook {
    return DirectiveBook.open({ file: join(this.folder, 'directives.json'), clock: CLOCK, logger: SILENT });
  }

  /** Runs an uplink until the rig closes or the returned function is called. */
  startUplink(
    outbox: Outbox,
    options: {
      random?: () => number;
      leaseMs?: number;
      directives?: DirectiveBook;
      requests?: { take(payload: Uint8Array): void };
    } = {},
  ): () => Promise<void> {
    const stop = new AbortController();
    const running = runUplink(
      {
        outbox,
        broker: { url: this.broker.url, username: NODE_USER.name, password: NODE_USER.password },
        site: SITE,
        node: NODE,
        cameras: [CAMERA],
        version: '0.1.0',
        logger: SILENT,
        clock: CLOCK,
        random: options.random ?? Math.random,
        ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
        ...(options.directives === undefined ? {} : { directives: options.directives }),
        ...(options.requests === undefined ? {} : { requests: options.requests }),
      },
      stop.signal,
    );
    const end = async (): Promise<void> => {
      stop.abort();
      await running;
    };
    this.#stops.push(end);
    return end;
  }

  /** Another process's view of the centre's events. */
  openEvents(): SqliteEventStore {
    const store = SqliteEventStore.open(join(this.dataDir, 'events.sqlite'));
    this.#stops.push(() => store[Symbol.dispose]());
    return store;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
    await this.#ingestor?.end('SIGKILL');
    await this.#broker?.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
