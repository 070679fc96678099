import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { type BrokerUser, renderMosquittoConfig } from '../../firmware-config/src/main.ts';
import { NODE, SITE } from './message-builder.ts';

export const NODE_USER: BrokerUser = {
  name: 'gw-1',
  password: 'node-secret',
  acl: { role: 'node', site: SITE, node: NODE, signalTopics: ['signals/junction-1/north'] },
};
export const CONTROLLER_USER: BrokerUser = {
  name: 'controller',
  password: 'cabinet-secret',
  acl: { role: 'controller', topics: ['signals/junction-1/north'] },
};
export const OTHER_NODE_USER: BrokerUser = {
  name: 'gw-2',
  password: 'other-secret',
  acl: { role: 'node', site: SITE, node: 'gw-2' },
};
export const INGESTOR_USER: BrokerUser = {
  name: 'ingestor',
  password: 'centre-secret',
  acl: { role: 'ingestor' },
};

/** A port of 127.0.0.1 that was free a moment ago. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Polls until `check` holds. @throws where it does not within the time */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  withinMs = 25_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A real mosquitto with the rendered configuration, which can be killed and started again on its port. */
export class LoopbackBroker {
  readonly port: number;
  readonly #configPath: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, configPath: string) {
    this.port = port;
    this.#configPath = configPath;
  }

  static async start(folder: string): Promise<LoopbackBroker> {
    const dataDir = join(folder, 'broker');
    mkdirSync(dataDir, { recursive: true });
    const port = await findFreePort();
    const users = [NODE_USER, OTHER_NODE_USER, INGESTOR_USER, CONTROLLER_USER];
    const files = renderMosquittoConfig({ port, dataDir, users, runAs: userInfo().username });
    const configPath = join(dataDir, 'mosquitto.conf');
    writeFileSync(configPath, files.config);
    writeFileSync(files.passwordPath, files.passwordFile, { mode: 0o600 });
    writeFileSync(files.aclPath, files.aclFile, { mode: 0o600 });
    const broker = new LoopbackBroker(port, configPath);
    await broker.restart();
    return broker;
  }

  /** A broker of devices on the spot: whoever reaches it may write and read. `lines` are added to its listener, e.g. of TLS. */
  static async startForDevices(folder: string, lines: readonly string[] = []): Promise<LoopbackBroker> {
    const port = await findFreePort();
    const configPath = join(folder, `devices-${port}.conf`);
    const own = ['set_tcp_nodelay true', 'log_dest stderr', `user ${userInfo().username}`];
    const listener = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', ...lines];
    writeFileSync(configPath, `${[...own, ...listener].join('\n')}\n`);
    const broker = new LoopbackBroker(port, configPath);
    await broker.restart();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async restart(): Promise<void> {
    const child = spawn('/usr/sbin/mosquitto', ['-c', this.#configPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4_000);
    });
    await until(`mosquitto listens: ${log}`, () => {
      if (child.exitCode !== null) throw new Error(`mosquitto ended: ${log}`);
      return isListening(this.port);
    });
  }

  /** Deletes what it had kept for its next start; to be called while it does not run. */
  wipe(): void {
    rmSync(join(dirname(this.#configPath), 'mosquitto.db'), { force: true });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
