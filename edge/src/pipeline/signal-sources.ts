import type { InputSignalSource, Measurement, MqttSignalSource, SignalSource } from '@ngatu/contract';
import type { Logger } from 'pino';
import { runContactReader } from '../signal/contact-reader.ts';
import { ContactSignal } from '../signal/contact-signal.ts';
import { ControllerSignal } from '../signal/controller-signal.ts';
import type { ExternalSignal } from '../signal/signal-board.ts';
import type { BrokerAddress } from '../uplink/broker-connection.ts';
import { runSignalFeed, type SignalSink } from '../uplink/signal-feed.ts';

/** A source of the profile with its secrets resolved. */
export interface SignalSourceConfig extends Omit<SignalSource, 'source'> {
  readonly source:
    | InputSignalSource
    | (Omit<MqttSignalSource, 'broker'> & { readonly broker?: BrokerAddress });
}

export interface SignalSourcesOptions {
  readonly configs: readonly SignalSourceConfig[];
  /** The gateway's own broker, for controllers that name no other. */
  readonly broker: BrokerAddress;
  readonly site: string;
  readonly node: string;
  readonly clock: { nowMs(): number; monotonicMs(): number };
  readonly random: () => number;
  readonly logger: Logger;
}

interface Controller {
  readonly camera: string;
  readonly name: string;
  readonly signal: ControllerSignal;
  told: Record<string, number>;
}

/** The sources of signal phases beside the lamps, of all cameras of a gateway: what they say, and what keeps them listening. */
export class SignalSources {
  readonly #options: SignalSourcesOptions;
  readonly #externals = new Map<string, ExternalSignal[]>();
  readonly #controllers: Controller[] = [];
  readonly #feeds = new Map<string, { broker: BrokerAddress; sinks: SignalSink[] }>();
  readonly #readers: ((signal: AbortSignal) => Promise<void>)[] = [];

  constructor(options: SignalSourcesOptions) {
    this.#options = options;
    for (const { camera, source, ...bounds } of options.configs) {
      const opened =
        source.kind === 'mqtt'
          ? this.#openController(camera, bounds.signal, source)
          : this.#openInput(source);
      this.#externals.set(camera, [...(this.#externals.get(camera) ?? []), { ...bounds, source: opened }]);
    }
  }

  /** The sources of one camera's signals. */
  of(camera: string): readonly ExternalSignal[] {
    return this.#externals.get(camera) ?? [];
  }

  /** Listens and reads until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { site, node, clock, random, logger } = this.#options;
    const feeds = [...this.#feeds.values()].map(({ broker, sinks }, index) =>
      runSignalFeed(
        { broker, sinks, clientId: `ngatu-${site}-${node}-signal-${index}`, clock, random, logger },
        signal,
      ),
    );
    await Promise.all([...feeds, ...this.#readers.map((read) => read(signal))]);
  }

  /** How many messages of a camera's controllers were taken, and refused by code, since the last cut. */
  cut(camera: string, nowMs: number): Measurement[] {
    const at = new Date(Math.round(nowMs)).toISOString();
    return this.#controllers
      .filter((controller) => controller.camera === camera)
      .flatMap((controller) => {
        const { taken, refused } = controller.signal.counters;
        const totals: Record<string, number> = { taken, ...refused };
        const measurements = Object.entries(totals).flatMap(([outcome, total]): Measurement[] => {
          const value = total - (controller.told[outcome] ?? 0);
          const tags = { signal: controller.name, outcome };
          return value === 0 ? [] : [{ at, metric: 'signalMessages', value, tags }];
        });
        controller.told = totals;
        return measurements;
      });
  }

  #openController(
    camera: string,
    name: string,
    source: Extract<SignalSourceConfig['source'], { kind: 'mqtt' }>,
  ): ControllerSignal {
    const signal = new ControllerSignal(source);
    const broker = source.broker ?? this.#options.broker;
    const key = `${broker.url} ${broker.username ?? ''}`;
    const feed = this.#feeds.get(key) ?? { broker, sinks: [] };
    feed.sinks.push({
      topic: source.topic,
      take: (message, receivedAtMs) => signal.take(message, receivedAtMs),
    });
    this.#feeds.set(key, feed);
    this.#controllers.push({ camera, name, signal, told: {} });
    return signal;
  }

  #openInput(source: InputSignalSource): ContactSignal {
    const sink = new ContactSignal(source);
    const { clock, logger } = this.#options;
    this.#readers.push((signal) => runContactReader({ source, sink, clock, logger }, signal));
    return sink;
  }
}
