import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDelivery, listDeliveryOffences, measureDelivery } from '@ngatu/benchmarks';
import { NgatuError } from '@ngatu/contract';
import { renderMosquittoConfig } from '@ngatu/firmware-config';
import { findRepositoryRoot } from '@ngatu/models';
import { createAuthority, issueCentreIdentity } from '@ngatu/trust';
import type { Command } from 'commander';
import { openLogger } from './logger.ts';
import { writeJson } from './output-file.ts';
import { chooseFreePorts } from './port.ts';
import { watchStopSignals } from './stop-signal.ts';

const SITE = 'bench';
const NODE = 'gw-1';
const READY_MS = 30_000;

interface Options {
  readonly telemetry: string;
  readonly events: string;
  readonly stall: string;
  readonly json?: string;
}

/** `ngatu bench delivery`. */
export function addDeliveryBench(command: Command): void {
  command
    .command('delivery')
    .description(
      'Measure delivery: rate, a month of backlog with fresh events beside it, a database that stands still, an outbox that overflows.',
    )
    .option('--telemetry <n>', 'telemetry that waits after a month', '300000')
    .option('--events <n>', 'events that wait after a month', '5000')
    .option('--stall <seconds>', 'how long the database of the centre stands still', '30')
    .option('--json <file>', 'write the figures as JSON')
    .action(bench);
}

async function bench(options: Options): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), 'ngatu-bench-delivery-'));
  const children: ChildProcess[] = [];
  try {
    const rig = await startRig(folder, children);
    const figures = await measureDelivery(
      {
        rig,
        backlog: { telemetry: Number(options.telemetry), events: Number(options.events) },
        stallSeconds: Number(options.stall),
        logger: openLogger('bench'),
        say: (line) => console.error(line),
      },
      stop.signal,
    );
    console.log(formatDelivery(figures));
    if (options.json !== undefined) await writeJson(options.json, figures);
    const offences = listDeliveryOffences(figures);
    for (const offence of offences) console.error(`not as it must be: ${offence}`);
    if (offences.length > 0) process.exitCode = 1;
  } finally {
    for (const child of children.reverse()) await end(child);
    rmSync(folder, { recursive: true, force: true });
    stop.dispose();
  }
}

async function startRig(folder: string, children: ChildProcess[]) {
  const passwords = { node: randomBytes(12).toString('hex'), ingestor: randomBytes(12).toString('hex') };
  const brokerDir = join(folder, 'broker');
  const centreDir = join(folder, 'centre');
  mkdirSync(brokerDir);
  const [port = 0] = await chooseFreePorts(1);
  const files = renderMosquittoConfig({
    port,
    dataDir: brokerDir,
    users: [
      { name: NODE, password: passwords.node, acl: { role: 'node', site: SITE, node: NODE } },
      { name: 'ingestor', password: passwords.ingestor, acl: { role: 'ingestor' } },
    ],
    runAs: userInfo().username,
  });
  const config = join(brokerDir, 'mosquitto.conf');
  writeFileSync(config, files.config);
  writeFileSync(files.passwordPath, files.passwordFile, { mode: 0o600 });
  writeFileSync(files.aclPath, files.aclFile, { mode: 0o600 });
  const broker = spawn('/usr/sbin/mosquitto', ['-c', config], { stdio: 'ignore' });
  children.push(broker);
  const authority = await createAuthority(join(folder, 'authority'), {
    name: 'Bench',
    clock: { nowMs: () => Date.now() },
  });
  await issueCentreIdentity(authority, { hosts: ['localhost'], dir: join(centreDir, 'identity') });
  const url = `mqtt://127.0.0.1:${port}`;
  const ingestor = spawn(
    process.execPath,
    [
      join(findRepositoryRoot(), 'dist', 'ngatu.mjs'),
      ...['cloud', 'ingestor', '--data', centreDir, '--broker', url, '--username', 'ingestor', '--port', '0'],
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      detached: true,
      env: {
        ...process.env,
        NGATU_BROKER_PASSWORD: passwords.ingestor,
        NGATU_UPLOAD_TOKEN: 'not-used-here',
        NGATU_INTERNAL_TOKEN: 'not-used-here',
      },
    },
  );
  children.push(ingestor);
  await untilReady(ingestor);
  return {
    site: SITE,
    node: NODE,
    broker: { url, username: NODE, password: passwords.node },
    centreDir,
    ingestorPid: pidOf(ingestor),
    brokerPid: pidOf(broker),
    folder,
  };
}

async function untilReady(child: ChildProcess): Promise<void> {
  const failed = once(child, 'exit').then(([code]) => {
    throw new NgatuError('CHILD_FAILED', `Cannot measure delivery: the ingestor ended with ${String(code)}`);
  });
  const late = sleep(READY_MS, undefined, { ref: false }).then(() => {
    throw new NgatuError('CHILD_FAILED', 'Cannot measure delivery: the ingestor is not ready in time');
  });
  failed.catch(() => undefined);
  late.catch(() => undefined);
  await Promise.race([once(child, 'message'), failed, late]);
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined)
    throw new NgatuError('CHILD_FAILED', 'Cannot measure delivery: a part did not start');
  return pid;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
