import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { FaultLink } from '@ngatu/benchmarks';
import { type LinkEmulator, openLinkEmulator } from '@ngatu/simulators';

const OPEN_LINE = { roundTripMs: 0, lossFraction: 0 };

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * Passes the connections of one port on to another, and can forget those that there are: both ends stay open, and nothing of what they
 * say is heard any more, as behind a router that has lost its table. New connections pass.
 */
export class FaultRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #sockets = new Set<Socket>();

  private constructor(targetPort: number) {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (client) =>
      this.#pair(client, targetPort),
    );
  }

  static async open(targetPort: number): Promise<FaultRelay> {
    const relay = new FaultRelay(targetPort);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  forget(): void {
    for (const { client, server } of this.#pairs) {
      client.unpipe(server).resume();
      server.unpipe(client).resume();
      for (const socket of [client, server]) {
        socket.removeAllListeners('end');
        socket.removeAllListeners('close');
        socket.once('close', () => this.#sockets.delete(socket));
      }
    }
    this.#pairs.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pair(client: Socket, targetPort: number): void {
    const server = connect({ host: '127.0.0.1', port: targetPort, noDelay: true, allowHalfOpen: true });
    const pair = { client, server };
    this.#pairs.add(pair);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#pairs.delete(pair);
        // A reset travels on as a reset.
        if (!other.destroyed) other.resetAndDestroy();
      });
      socket.pipe(other);
    }
  }
}

/** A line with several ports, whose conditions can be changed while it is used. */
export class FaultLine implements FaultLink, AsyncDisposable {
  readonly #emulator: LinkEmulator;
  readonly #relays: FaultRelay[] = [];

  private constructor(emulator: LinkEmulator) {
    this.#emulator = emulator;
  }

  /** A line to these ports of this machine; `ports` of the line are in the same order. */
  static async open(targets: readonly number[], seed: number): Promise<FaultLine> {
    const [first = 0, ...others] = targets;
    const line = new FaultLine(
      await openLinkEmulator({ target: { host: '127.0.0.1', port: first }, conditions: OPEN_LINE, seed }),
    );
    const ports = [line.#emulator.port];
    for (const port of others) ports.push(await line.#emulator.openPort({ host: '127.0.0.1', port }));
    for (const port of ports) line.#relays.push(await FaultRelay.open(port));
    return line;
  }

  get ports(): number[] {
    return this.#relays.map(({ port }) => port);
  }

  setConditions(change: Parameters<FaultLink['setConditions']>[0]): void {
    this.#emulator.setConditions(change);
  }

  cut(): void {
    this.#emulator.cut();
  }

  freeze(): void {
    this.#emulator.freeze();
  }

  restore(): void {
    this.#emulator.restore();
  }

  forget(): void {
    for (const relay of this.#relays) relay.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay[Symbol.asyncDispose]()));
    await this.#emulator.close();
  }
}
