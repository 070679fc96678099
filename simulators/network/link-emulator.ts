import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { CongestionControlName } from './congestion-control.ts';
import { EmulatedConnection, type Target } from './emulated-connection.ts';
import { EmulatedLink, type LinkConditions, type LinkDirections } from './emulated-link.ts';
import { LiveSchedule } from './event-schedule.ts';

export interface LinkEmulatorOptions {
  readonly target: Target;
  readonly conditions: LinkConditions;
  /** What the senders of both ends use; Linux uses `cubic` unless told otherwise. */
  readonly congestionControl?: CongestionControlName;
  /** The same seed loses the same packets of the same traffic. */
  readonly seed: number;
  /** 0 or absent: a free one. */
  readonly port?: number;
}

/** What one emulated port carried. */
export interface PortStatistics {
  readonly port: number;
  readonly connections: number;
  readonly connectionsTotal: number;
  /** Payload that reached the other end, bytes. */
  readonly upBytes: number;
  readonly downBytes: number;
  readonly retransmissions: number;
  readonly timeouts: number;
}

export interface LinkStatistics extends LinkDirections {
  readonly ports: readonly PortStatistics[];
}

type Passage = 'open' | 'frozen' | 'cut';

/** One TCP port whose connections travel over the link. */
class EmulatedPort {
  readonly #server: Server;
  readonly #connections = new Set<EmulatedConnection>();
  #connectionsTotal = 0;
  #ended = { upBytes: 0, downBytes: 0, retransmissions: 0, timeouts: 0 };

  constructor(
    open: (client: Socket, onClose: (gone: EmulatedConnection) => void) => EmulatedConnection | undefined,
  ) {
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (client) => {
      const connection = open(client, (gone) => {
        if (this.#connections.delete(gone)) this.#add(this.#ended, gone);
      });
      if (connection === undefined) return;
      this.#connectionsTotal++;
      this.#connections.add(connection);
    });
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get statistics(): PortStatistics {
    const sum = { ...this.#ended };
    for (const connection of this.#connections) this.#add(sum, connection);
    const connections = this.#connections.size;
    return { port: this.port, connections, connectionsTotal: this.#connectionsTotal, ...sum };
  }

  resetAll(): void {
    for (const connection of [...this.#connections]) connection.reset();
  }

  async close(): Promise<void> {
    this.resetAll();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #add(
    sum: { upBytes: number; downBytes: number; retransmissions: number; timeouts: number },
    connection: EmulatedConnection,
  ): void {
    const { up, down } = connection.statistics;
    sum.upBytes += up?.deliveredBytes ?? 0;
    sum.downBytes += down?.deliveredBytes ?? 0;
    sum.retransmissions += (up?.retransmissions ?? 0) + (down?.retransmissions ?? 0);
    sum.timeouts += (up?.timeouts ?? 0) + (down?.timeouts ?? 0);
  }
}

/**
 * A narrow link on this machine: TCP ports that pass what they get to their targets as if a line of a given rate, round trip and loss
 * lay between. A proxy on loopback feels no loss, so the senders of both ends are modelled, segment by segment, with their
 * congestion control; see README.md for what was checked against formulas and against the kernel.
 */
export class LinkEmulator {
  readonly #schedule = new LiveSchedule();
  readonly #link: EmulatedLink;
  readonly #congestionControl: CongestionControlName;
  readonly #ports: EmulatedPort[] = [];
  #passage: Passage = 'open';

  constructor(options: LinkEmulatorOptions) {
    const { conditions, seed } = options;
    this.#link = new EmulatedLink({ schedule: this.#schedule, conditions, seed });
    this.#congestionControl = options.congestionControl ?? 'cubic';
  }

  /** The first port. */
  get port(): number {
    return this.#ports[0]?.port ?? 0;
  }

  get conditions(): LinkConditions {
    return this.#link.conditions;
  }

  /** Another port whose traffic shares the same line. Returns its number. */
  async openPort(target: Target, port = 0): Promise<number> {
    const emulated = new EmulatedPort((client, onClose) => this.#accept(client, target, onClose));
    await emulated.listen(port);
    this.#ports.push(emulated);
    return emulated.port;
  }

  /** Changes what is named; holds at once for what is not sent yet. */
  setConditions(change: Partial<LinkConditions>): void {
    this.#schedule.enter(() => this.#link.setConditions({ ...this.#link.conditions, ...change }));
  }

  /** The line is gone and both ends see it: connections are reset and new ones refused, until `restore`. */
  cut(): void {
    this.#passage = 'cut';
    this.resetAll();
  }

  /** Half-open: connections stay and nothing passes, nor do new ones come about, until `restore`. */
  freeze(): void {
    this.#passage = 'frozen';
    this.#schedule.enter(() => this.#link.setFrozen(true));
  }

  /** Ends a cut or a freeze. */
  restore(): void {
    this.#passage = 'open';
    this.#schedule.enter(() => this.#link.setFrozen(false));
  }

  /** Resets the connections that there are; new ones may come at once. */
  resetAll(): void {
    this.#schedule.enter(() => {
      for (const port of this.#ports) port.resetAll();
    });
  }

  statistics(): LinkStatistics {
    return { ...this.#link.statistics, ports: this.#ports.map(({ statistics }) => statistics) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.close()));
    this.#schedule.close();
  }

  #accept(
    client: Socket,
    target: Target,
    onClose: (gone: EmulatedConnection) => void,
  ): EmulatedConnection | undefined {
    if (this.#passage === 'cut') {
      client.resetAndDestroy();
      return undefined;
    }
    let connection: EmulatedConnection | undefined;
    this.#schedule.enter(() => {
      connection = new EmulatedConnection({
        client,
        target,
        link: this.#link,
        schedule: this.#schedule,
        congestionControl: this.#congestionControl,
        onClose,
      });
    });
    return connection;
  }
}

/** Opens a link with one port. The caller closes it. */
export async function openLinkEmulator(options: LinkEmulatorOptions): Promise<LinkEmulator> {
  const emulator = new LinkEmulator(options);
  await emulator.openPort(options.target, options.port ?? 0);
  return emulator;
}
