import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { systemCodeOf } from '@ngatu/contract';

/**
 * A lock between processes that the kernel frees when its holder dies, however it dies: a listening socket in Linux's
 * abstract namespace. On other systems there is no such namespace and every attempt succeeds.
 */
export interface ProcessLock {
  /** Tells those who ask for the lock from now on. */
  describe(holder: string): void;
  release(): Promise<void>;
}

function socketName(key: string): string {
  return `\0ngatu-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
}

function listen(server: Server, name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (systemCodeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen(name, () => resolve(true));
  });
}

/** Takes the lock of `key` if it is free; else says who holds it, in the words of its `describe`. */
export async function tryProcessLock(key: string): Promise<ProcessLock | { heldBy: string }> {
  let description = '';
  const askers = new Set<Socket>();
  if (process.platform !== 'linux') return { describe: () => undefined, release: async () => undefined };
  const server = createServer((socket) => {
    askers.add(socket);
    socket.on('close', () => askers.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.write(`${description}\n`);
  });
  const taken = await listen(server, socketName(key));
  if (!taken) return { heldBy: await readHolder(key) };
  server.unref();
  return {
    describe: (holder) => {
      description = holder.replaceAll('\n', ' ');
    },
    release: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of askers) socket.destroy();
      await closed;
    },
  };
}

function readHolder(key: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketName(key));
    let text = '';
    const finish = () => {
      socket.destroy();
      resolve(text.split('\n', 1)[0] ?? '');
    };
    socket.setTimeout(1_000, finish);
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (text.includes('\n')) finish();
    });
    socket.on('error', finish);
    socket.on('close', finish);
  });
}

/** Resolves when the present holder of `key` lets go or dies, at once where nobody holds it. */
function waitForHolder(key: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const socket = connect(socketName(key));
    const abort = () => {
      socket.destroy();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    socket.resume();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
  });
}

/** Takes the lock of `key`, waiting for its holder. Rejects with the signal's reason when it aborts. */
export async function acquireProcessLock(key: string, signal?: AbortSignal): Promise<ProcessLock> {
  for (;;) {
    signal?.throwIfAborted();
    const lock = await tryProcessLock(key);
    if ('release' in lock) return lock;
    await waitForHolder(key, signal);
  }
}
