import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface GstRtspServerOptions {
  /** `name` is the path without the leading slash; `file` an MP4 with H.264 or H.265. */
  readonly mounts: readonly { readonly name: string; readonly file: string }[];
  /** Asks every client for digest authentication. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** 0 (default) takes a free one. */
  readonly port?: number;
}

export interface GstRtspServer extends AsyncDisposable {
  readonly port: number;
  /** Process id of the server, for tests that stop, continue or kill it. */
  readonly pid: number;
  /** RTSP address of a mount, without credentials. */
  url(name: string): string;
  /** Ends the server and waits until it is gone. */
  stop(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('gst-rtsp-server.py', import.meta.url));
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 2_000;

/**
 * Starts GStreamer's RTSP server with looping cameras; settles when it listens. Aborting the signal ends the server.
 * Throws an Error with the server's own words where it does not start.
 */
export async function startGstRtspServer(
  options: GstRtspServerOptions,
  signal: AbortSignal,
): Promise<GstRtspServer> {
  signal.throwIfAborted();
  const { credentials } = options;
  const args = ['--port', String(options.port ?? 0)];
  if (credentials) args.push('--user', credentials.username, '--password', credentials.password);
  for (const { name, file } of options.mounts) args.push('--mount', `${name}=${file}`);
  const child = spawn('/usr/bin/python3', [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const stop = async () => {
    signal.removeEventListener('abort', stop);
    await endChild(child, closed);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const port = await readPort(child, closed);
    if (child.pid === undefined) throw new Error('The GStreamer RTSP server has no process');
    return {
      port,
      pid: child.pid,
      url: (name) => `rtsp://127.0.0.1:${port}/${name}`,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readPort(child: ChildProcess, closed: Promise<unknown>): Promise<number> {
  if (!child.stdout || !child.stderr) throw new Error('The GStreamer RTSP server has no pipes');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  const lines = createInterface({ input: child.stdout });
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error('The GStreamer RTSP server did not start in time')),
      START_TIMEOUT_MS,
    );
  });
  const ended = closed.then(() => {
    throw new Error(`The GStreamer RTSP server ended: ${stderr.trim()}`);
  });
  ended.catch(() => undefined);
  try {
    const [line] = await Promise.race([once(lines, 'line') as Promise<[string]>, ended, timeout]);
    const message: unknown = JSON.parse(line);
    if (typeof message === 'object' && message && 'port' in message && typeof message.port === 'number') {
      return message.port;
    }
    throw new Error(`The GStreamer RTSP server said "${line}" instead of its port`);
  } finally {
    clearTimeout(timer);
    lines.close();
  }
}

async function endChild(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
}
