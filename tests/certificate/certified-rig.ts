import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectTcp, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  type Authority,
  createAuthority,
  issueBrokerIdentity,
  issueCentreIdentity,
  issueNodeIdentity,
  loadTlsCredentials,
} from '@ngatu/trust';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { type Logger, pino } from 'pino';
import { runIngestor } from '../../cloud/src/ingestor/ingestor.ts';
import { SqliteEventStore } from '../../cloud/src/store/sqlite-event-store.ts';
import { renderMosquittoConfig } from '../../firmware-config/src/main.ts';
import { until } from '../delivery/loopback-broker.ts';

/** A logger whose records can be read. */
export function openMemoryLogger(): { logger: Logger; records: Record<string, unknown>[] } {
  const records: Record<string, unknown>[] = [];
  const write = (line: string): void => void records.push(JSON.parse(line) as Record<string, unknown>);
  return { logger: pino({ level: 'debug' }, { write }), records };
}

interface CertifiedParts {
  readonly folder: string;
  readonly authority: Authority;
  readonly port: number;
}

/** An authority, a real mosquitto and a real ingestor that know each other and their nodes by certificates alone. */
export class CertifiedRig {
  readonly folder: string;
  readonly authority: Authority;
  readonly brokerUrl: string;
  readonly log = openMemoryLogger();
  uploadUrl = '';
  url = '';
  #broker: ChildProcess | undefined;
  #ingestor: Promise<void> = Promise.resolve();
  readonly #port: number;
  readonly #stop = new AbortController();
  readonly #clients: MqttClient[] = [];

  private constructor({ folder, authority, port }: CertifiedParts) {
    this.folder = folder;
    this.authority = authority;
    this.#port = port;
    this.brokerUrl = `mqtts://127.0.0.1:${port}`;
  }

  static async open(): Promise<CertifiedRig> {
    const folder = mkdtempSync(join(tmpdir(), 'ngatu-certified-'));
    // Begun so long ago that it can have issued what has expired since.
    const past = { nowMs: () => Date.now() - 60 * 86_400_000 };
    const begun = await createAuthority(join(folder, 'authority'), { name: 'Test', clock: past });
    const authority = { ...begun, clock: { nowMs: Date.now } };
    const hosts = ['127.0.0.1'];
    await issueBrokerIdentity(authority, { hosts, dir: join(folder, 'broker', 'identity') });
    await issueCentreIdentity(authority, { hosts, dir: join(folder, 'centre', 'identity') });
    const rig = new CertifiedRig({ folder, authority, port: await findFreePort() });
    rig.#writeBrokerFiles();
    await rig.startBroker();
    await rig.#startIngestor();
    return rig;
  }

  get centreIdentity(): string {
    return join(this.folder, 'centre', 'identity');
  }

  async enrol(site: string, node: string): Promise<string> {
    const dir = join(this.folder, `${site}.${node}`);
    await issueNodeIdentity(this.authority, { site, node, dir });
    return dir;
  }

  /** An MQTT client with the identity in `dir`. */
  async connect(dir: string, options: IClientOptions = {}): Promise<MqttClient> {
    const client = await connectAsync(
      this.brokerUrl,
      { ...loadTlsCredentials(dir), protocolVersion: 5, reconnectPeriod: 0, ...options },
      false,
    );
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** What the supervisor of `ngatu start`, or a path unit at a centre, does with a new revocation list. */
  async takeRevocationList(): Promise<void> {
    for (const name of ['broker', 'centre']) {
      copyFileSync(join(this.authority.dir, 'crl.pem'), join(this.folder, name, 'identity', 'crl.pem'));
    }
    await this.#endBroker('SIGTERM');
    await this.startBroker();
  }

  async startBroker(): Promise<void> {
    const child = spawn('/usr/sbin/mosquitto', ['-c', join(this.folder, 'broker', 'mosquitto.conf')], {
      stdio: 'ignore',
    });
    this.#broker = child;
    await until('mosquitto listens', () => {
      if (child.exitCode !== null) throw new Error('mosquitto ended');
      return isListening(this.#port);
    });
  }

  /** Tells the broker to read its files again. */
  reloadBroker(): void {
    this.#broker?.kill('SIGHUP');
  }

  async untilConnected(): Promise<void> {
    await until('the ingestor is connected', async () => (await fetch(`${this.url}/healthz`)).ok);
  }

  /** One request to the ingestor's listener with mutual TLS. */
  ask(
    dir: string | undefined,
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
    const ca = loadTlsCredentials(this.centreIdentity).ca;
    return new Promise((resolve, reject) => {
      const asked = request(
        new URL(path, this.uploadUrl),
        {
          method: options.method ?? 'HEAD',
          headers: options.headers ?? {},
          agent: false,
          ...(dir === undefined ? { ca } : loadTlsCredentials(dir)),
        },
        (answer) => {
          let body = '';
          answer.on('data', (chunk) => {
            body += chunk;
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body, headers: answer.headers }));
          answer.on('error', reject);
        },
      );
      asked.on('error', reject);
      asked.end(options.body);
    });
  }

  openEvents(): SqliteEventStore {
    return SqliteEventStore.open(join(this.folder, 'centre', 'events.sqlite'));
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.end(true);
    this.#stop.abort();
    await this.#ingestor;
    await this.#endBroker('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #writeBrokerFiles(): void {
    const dataDir = join(this.folder, 'broker');
    const identityDir = join(dataDir, 'identity');
    mkdirSync(dataDir, { recursive: true });
    const files = renderMosquittoConfig({
      tls: { host: '127.0.0.1', port: this.#port, identityDir },
      dataDir,
      users: [],
      runAs: userInfo().username,
    });
    writeFileSync(join(dataDir, 'mosquitto.conf'), files.config);
    writeFileSync(files.aclPath, files.aclFile, { mode: 0o600 });
  }

  async #startIngestor(): Promise<void> {
    const identityDir = this.centreIdentity;
    const ready = new Promise<void>((resolve) => {
      this.#ingestor = runIngestor(
        {
          dataDir: join(this.folder, 'centre'),
          broker: { url: this.brokerUrl, identityDir },
          listen: { host: '127.0.0.1', port: 0 },
          tls: { identityDir, listen: { host: '127.0.0.1', port: 0 } },
          internalToken: 'inside',
          logger: this.log.logger,
        },
        ({ url, uploadUrl }) => {
          this.url = url;
          this.uploadUrl = uploadUrl ?? '';
          resolve();
        },
        this.#stop.signal,
      );
    });
    await Promise.race([ready, this.#ingestor]);
    await this.untilConnected();
  }

  async #endBroker(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#broker;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
