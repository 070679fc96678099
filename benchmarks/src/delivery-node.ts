import type { AgentConfig } from '@ngatu/edge';
import { ByteAccount, Outbox, runUplink } from '@ngatu/edge';

type Logger = Parameters<typeof runUplink>[0]['logger'];

const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

export interface DeliveryNodeOptions {
  readonly site: string;
  readonly node: string;
  readonly file: string;
  readonly maxBytes: number;
  readonly broker: AgentConfig['broker'];
  readonly logger: Logger;
}

/** The agent's own outbox and uplink, with a watch on what they do. */
export class DeliveryNode {
  readonly outbox: Outbox;
  readonly account = new ByteAccount();
  /** When each number was acknowledged, monotonic ms. */
  readonly acknowledgedAtMs = new Map<number, number>();
  /** How long each lease of entries took, ms. */
  readonly leaseMs: number[] = [];
  /** Numbers in the order in which they were first sent, by channel. */
  readonly sent = new Map<string, number[]>();
  readonly #options: DeliveryNodeOptions;
  readonly #seen = new Set<number>();
  #stop: AbortController | undefined;
  #running: Promise<void> | undefined;

  constructor(options: DeliveryNodeOptions) {
    this.#options = options;
    const { site, node, file, maxBytes, logger } = options;
    this.outbox = Outbox.open({ file, maxBytes, origin: { site, node }, clock: CLOCK, logger }).outbox;
  }

  connect(): void {
    const { site, node, broker, logger } = this.#options;
    this.#stop = new AbortController();
    this.#running = runUplink(
      {
        ...{ outbox: this.#watch(), broker, site, node, cameras: [], version: 'delivery-bench', logger },
        ...{ account: this.account, clock: CLOCK, random: Math.random },
      },
      this.#stop.signal,
    );
  }

  async disconnect(): Promise<void> {
    this.#stop?.abort();
    await this.#running;
  }

  async close(): Promise<void> {
    await this.disconnect();
    this.outbox[Symbol.dispose]();
  }

  #watch(): Outbox {
    return new Proxy(this.outbox, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const from = performance.now();
          const result: unknown = Reflect.apply(value, target, args);
          if (name === 'lease') this.#noteLease(result as ReturnType<Outbox['lease']>, from);
          if (name === 'ack') {
            const now = performance.now();
            for (const seq of args[0] as readonly number[]) this.acknowledgedAtMs.set(seq, now);
          }
          return result;
        };
      },
    });
  }

  #noteLease(entries: ReturnType<Outbox['lease']>, fromMs: number): void {
    this.leaseMs.push(performance.now() - fromMs);
    for (const { seq, channel } of entries) {
      if (this.#seen.has(seq)) continue;
      this.#seen.add(seq);
      const order = this.sent.get(channel);
      if (order === undefined) this.sent.set(channel, [seq]);
      else order.push(seq);
    }
  }
}
