import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LinkEmulator, openLinkEmulator } from './link-emulator.ts';

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A server that answers with what it got once it has got all of it, or at once. */
class EchoServer {
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
      socket.pipe(socket);
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function until(what: string, check: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('openLinkEmulator', () => {
  let echo: EchoServer;
  let link: LinkEmulator;
  let target: { host: string; port: number };

  beforeEach(async () => {
    echo = new EchoServer();
    target = { host: '127.0.0.1', port: await echo.listen() };
    link = await openLinkEmulator({ target, conditions: { roundTripMs: 0, lossFraction: 0 }, seed: 1 });
  });

  afterEach(async () => {
    await link.close();
    await echo.close();
  });

  async function open(port = link.port): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  async function ask(socket: Socket, question: string): Promise<string> {
    socket.write(question);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  }

  it('brings every byte in order through loss in both directions', async () => {
    link.setConditions({ bitsPerSecond: 8_000_000, roundTripMs: 10, lossFraction: 0.03 });
    const content = randomBytes(600_000);
    const socket = connect({ port: link.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(content);
    expect(sha256(await buffer(socket))).toBe(sha256(content));
    const { up, down, ports } = link.statistics();
    expect(up.lostPackets + down.lostPackets).toBeGreaterThan(5);
    expect(ports[0]).toMatchObject({ upBytes: 600_000, downBytes: 600_000, connectionsTotal: 1 });
  });

  it('takes the round trip that it is told, two for a new connection, also after a change', async () => {
    link.setConditions({ roundTripMs: 100 });
    const begunMs = performance.now();
    const socket = await open();
    await ask(socket, 'a');
    expect(performance.now() - begunMs).toBeGreaterThanOrEqual(198);
    link.setConditions({ roundTripMs: 20 });
    const took: number[] = [];
    // A busy machine may delay one answer; none comes before its time.
    for (let turn = 0; turn < 30 && Math.min(...took) >= 80; turn++) {
      const askedMs = performance.now();
      await ask(socket, 'b');
      took.push(performance.now() - askedMs);
    }
    expect(Math.min(...took)).toBeGreaterThanOrEqual(19);
    expect(Math.min(...took)).toBeLessThan(80);
    socket.destroy();
  });

  it('shares one line among ports', async () => {
    link.setConditions({ bitsPerSecond: 4_000_000, roundTripMs: 10 });
    const second = await link.openPort(target);
    const begunMs = performance.now();
    await Promise.all(
      [link.port, second].map(async (port) => {
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        socket.end(Buffer.alloc(150_000));
        expect((await buffer(socket)).length).toBe(150_000);
      }),
    );
    // 300 kB with headers at 4 Mbit/s; the answers come at the same time on the other line.
    expect(performance.now() - begunMs).toBeGreaterThan(600);
    const { ports } = link.statistics();
    expect(ports.map(({ upBytes }) => upBytes)).toEqual([150_000, 150_000]);
  });

  it('cuts: both ends see it, new connections are refused, until it is restored', async () => {
    const socket = await open();
    await ask(socket, 'a');
    link.cut();
    await until('both ends closed', () => socket.destroyed && echo.sockets.size === 0);
    const refused = connect(link.port, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    link.restore();
    expect(await ask(await open(), 'b')).toBe('b');
  });

  it('freezes: connections stay and nothing passes; what was written comes after the thaw', async () => {
    link.setConditions({ roundTripMs: 10 });
    const socket = await open();
    await ask(socket, 'a');
    link.freeze();
    let heard = '';
    socket.on('data', (content: Buffer) => {
      heard += content.toString();
    });
    socket.write('frozen');
    await until('packets swallowed', () => link.statistics().up.frozenPackets >= 2);
    expect(heard).toBe('');
    expect(socket.destroyed).toBe(false);
    link.restore();
    await until('answered', () => heard === 'frozen');
  });

  it('resets all there are and takes new ones', async () => {
    const socket = await open();
    await ask(socket, 'a');
    link.resetAll();
    await until('both ends closed', () => socket.destroyed && echo.sockets.size === 0);
    expect(await ask(await open(), 'b')).toBe('b');
  });

  it('passes on that the target is not there, and that a client was killed', async () => {
    const gone = await link.openPort({ host: '127.0.0.1', port: 1 });
    const refused = connect(gone, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    const socket = await open();
    await ask(socket, 'a');
    socket.resetAndDestroy();
    await until('the target has lost it', () => echo.sockets.size === 0);
    await until('nothing is kept', () =>
      link.statistics().ports.every(({ connections }) => connections === 0),
    );
  });

  it('refuses conditions that no link has', () => {
    expect(() => link.setConditions({ lossFraction: 1.5 })).toThrow(RangeError);
    expect(link.conditions.lossFraction).toBe(0);
  });
});
