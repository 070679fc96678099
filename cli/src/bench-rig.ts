import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NgatuError } from '@ngatu/contract';
import { renderMosquittoConfig } from '@ngatu/firmware-config';
import { findRepositoryRoot } from '@ngatu/models';
import { createAuthority, issueCentreIdentity, issueNodeIdentity } from '@ngatu/trust';
import { chooseFreePorts } from './port.ts';

const READY_MS = 30_000;

interface BenchSecrets {
  readonly node: string;
  readonly ingestor: string;
  readonly upload: string;
  readonly internal: string;
}

/** A centre for one node to be measured against: a real mosquitto and a real ingestor, in the clear on 127.0.0.1. */
export class BenchRig implements AsyncDisposable {
  readonly site = 'bench';
  readonly node = 'gw-1';
  readonly brokerPort: number;
  readonly uploadPort: number;
  readonly uploadToken: string;
  readonly credentials: { readonly username: string; readonly password: string };
  /** The databases and the evidence of the centre. */
  readonly centreDir: string;
  /** Keys and certificates of the node. */
  readonly identityDir: string;
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string, ports: { broker: number; upload: number }, secrets: BenchSecrets) {
    this.brokerPort = ports.broker;
    this.uploadPort = ports.upload;
    this.uploadToken = secrets.upload;
    this.credentials = { username: this.node, password: secrets.node };
    this.centreDir = join(folder, 'centre');
    this.identityDir = join(folder, 'node-identity');
  }

  /** Starts it in an empty folder, which the caller removes. @throws NgatuError CHILD_FAILED */
  static async start(folder: string): Promise<BenchRig> {
    const random = (): string => randomBytes(16).toString('hex');
    const secrets = { node: random(), ingestor: random(), upload: random(), internal: random() };
    const [broker = 0, upload = 0] = await chooseFreePorts(2);
    const rig = new BenchRig(folder, { broker, upload }, secrets);
    try {
      rig.#startBroker(join(folder, 'broker'), secrets);
      await rig.#issueIdentities(join(folder, 'authority'));
      await rig.#startIngestor(secrets);
      return rig;
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
  }

  #startBroker(dataDir: string, secrets: BenchSecrets): void {
    mkdirSync(dataDir, { recursive: true });
    const { site, node } = this;
    const files = renderMosquittoConfig({
      port: this.brokerPort,
      dataDir,
      users: [
        { name: node, password: secrets.node, acl: { role: 'node', site, node } },
        { name: 'ingestor', password: secrets.ingestor, acl: { role: 'ingestor' } },
      ],
      runAs: userInfo().username,
    });
    const config = join(dataDir, 'mosquitto.conf');
    writeFileSync(config, files.config);
    writeFileSync(files.passwordPath, files.passwordFile, { mode: 0o600 });
    writeFileSync(files.aclPath, files.aclFile, { mode: 0o600 });
    this.#children.push(spawn('/usr/sbin/mosquitto', ['-c', config], { stdio: 'ignore' }));
  }

  async #issueIdentities(folder: string): Promise<void> {
    const clock = { nowMs: () => Date.now() };
    const authority = await createAuthority(folder, { name: 'Bench', clock });
    await issueCentreIdentity(authority, { hosts: ['localhost'], dir: join(this.centreDir, 'identity') });
    await issueNodeIdentity(authority, { site: this.site, node: this.node, dir: this.identityDir });
  }

  async #startIngestor(secrets: BenchSecrets): Promise<void> {
    const broker = `mqtt://127.0.0.1:${this.brokerPort}`;
    const ingestor = spawn(
      process.execPath,
      [
        join(findRepositoryRoot(), 'dist', 'ngatu.mjs'),
        ...['cloud', 'ingestor', '--data', this.centreDir, '--broker', broker, '--username', 'ingestor'],
        ...['--port', String(this.uploadPort)],
      ],
      {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: {
          ...process.env,
          NGATU_BROKER_PASSWORD: secrets.ingestor,
          NGATU_UPLOAD_TOKEN: secrets.upload,
          NGATU_INTERNAL_TOKEN: secrets.internal,
        },
      },
    );
    this.#children.push(ingestor);
    const failed = once(ingestor, 'exit').then(([code]) => {
      throw new NgatuError('CHILD_FAILED', `Cannot measure: the ingestor ended with ${String(code)}`);
    });
    const late = sleep(READY_MS).then(() => {
      throw new NgatuError('CHILD_FAILED', 'Cannot measure: the ingestor is not ready in time');
    });
    failed.catch(() => undefined);
    late.catch(() => undefined);
    await Promise.race([once(ingestor, 'message'), failed, late]);
  }
}
