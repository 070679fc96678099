import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { AssetStore, type ProcessLock } from '@ngatu/models';
import { printProgress } from './assets-command.ts';
import { openDataFolder } from './data-folder.ts';
import { type ChosenDemo, chooseDemo } from './demo.ts';
import type { FirstEventNotice } from './first-event.ts';
import { checkPort, chooseFreePorts } from './port.ts';
import { type ProcessIdentity, waitForProcesses } from './process-identity.ts';
import {
  buildEffectiveProfile,
  buildStartPaths,
  loadStartSecrets,
  type StartPaths,
  type StartPorts,
  writeStartFiles,
} from './start-files.ts';
import { listStartIdentities, prepareIdentities, watchIdentities } from './start-identity.ts';
import { buildParts } from './start-parts.ts';
import { watchStopSignals } from './stop-signal.ts';
import { type PartEvent, Supervisor } from './supervisor.ts';

interface StartOptions {
  readonly data: string;
  readonly port: number;
  readonly scene?: string;
}

/** Parts of a supervisor that was killed go by themselves within this, ms. */
const LEFTOVER_LIMIT_MS = 7_000;

/**
 * `ngatu start`: makes everything ready, starts the parts in order, says how to sign in, and keeps them running until it is
 * told to stop.
 * @throws NgatuError PORT_TAKEN, DISK_FULL, PERMISSION_DENIED, DATA_FOLDER_IN_USE, SETUP_PACKAGE_MISSING, ASSET_UNAVAILABLE,
 *   CHILD_FAILED and what a part reports
 */
export async function startEverything(options: StartOptions): Promise<void> {
  const progress = new Progress();
  checkPrograms();
  const paths = buildStartPaths(options.data);
  const lock = await openDataFolder(options.data);
  const console = options.port === 0 ? undefined : await checkPort(options.port, 'the console');
  const stop = watchStopSignals(() => progress.say('stopping; once more to stop by force'));
  try {
    await waitForProcesses(readLeftovers(paths), LEFTOVER_LIMIT_MS);
    const demo = await chooseDemo(new AssetStore(), {
      name: options.scene,
      signal: stop.signal,
      onProgress: printProgress((line) => progress.say(line)),
      onPassed: (what, reason) => progress.say(`not ${what}: ${reason}`),
    });
    await superviseDemo({ demo, paths, consolePort: console, progress, lock, stop });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    stop.dispose();
    await lock.release();
  }
  progress.say('stopped');
}

interface Supervision {
  readonly demo: ChosenDemo;
  readonly paths: StartPaths;
  readonly consolePort: number | undefined;
  readonly progress: Progress;
  readonly lock: ProcessLock;
  readonly stop: ReturnType<typeof watchStopSignals>;
}

async function superviseDemo({ demo, paths, consolePort, progress, lock, stop }: Supervision): Promise<void> {
  const ports = await choosePorts(consolePort);
  const secrets = loadStartSecrets(paths);
  const profile = buildEffectiveProfile({
    source: demo.profile,
    model: demo.model,
    ports,
  });
  writeStartFiles(paths, { profile, ports, secrets });
  const parts = buildParts({ paths, ports, secrets, cameras: demo.cameras });
  const videos = demo.cameras.map(({ videoPath }) => videoPath).join(', ');
  progress.say(`scene ${demo.name}, detector ${demo.model}, video ${videos}`);
  await using supervisor = new Supervisor({ folder: paths.run, onEvent: (event) => progress.onPart(event) });
  const onForce = () => supervisor.kill();
  stop.force.addEventListener('abort', onForce);
  stop.signal.addEventListener('abort', () => void supervisor.stop());
  const devices = [parts.sensor, parts.gate].flatMap((part) =>
    part === undefined ? [] : [supervisor.start(part)],
  );
  for (const device of devices) device.catch(() => undefined);
  const camera = supervisor.start(parts.camera);
  // Failures of the camera, of the devices and of the edge are thrown where they are waited for below.
  camera.catch(() => undefined);
  // The camera takes longest to be ready: meanwhile there is time for certificates.
  const identities = listStartIdentities(paths, demo.profile.profile);
  await prepareIdentities(paths.authority, identities);
  await using _watch = watchIdentities({
    authorityDir: paths.authority,
    identities,
    // It cuts connections that stand, and reads the list again.
    onRevoked: () => {
      progress.say('a certificate was revoked: the broker starts anew');
      supervisor.signal('broker', 'SIGTERM');
    },
    onBrokerRenewed: () => supervisor.signal('broker', 'SIGHUP'),
    onError: (error) => progress.say(`certificates: ${errorMessage(error)}`),
  });
  await supervisor.start(parts.broker);
  await supervisor.start(parts.ingestor);
  const edge = camera.then(() => supervisor.start(parts.edge));
  edge.catch(() => undefined);
  await Promise.all([supervisor.start(parts.api), camera, ...devices]);
  const url = `http://127.0.0.1:${ports.console}`;
  lock.describe(`ngatu (process ${process.pid}, console ${url})`);
  progress.announce(url, join(paths.cloud, 'first-sign-in.txt'));
  await edge;
  await stop.stopped;
}

async function choosePorts(console: number | undefined): Promise<StartPorts> {
  const [broker = 0, ingestor = 0, camera = 0, upload = 0, sensor = 0, gate = 0, other = 0] =
    await chooseFreePorts(7);
  return { broker, ingestor, camera, upload, sensor, gate, console: console ?? other };
}

function readLeftovers({ run }: StartPaths): ProcessIdentity[] {
  const file = join(run, 'processes.json');
  if (!existsSync(file)) return [];
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // A supervisor that was killed while it wrote: its parts have gone with it.
    if (error instanceof SyntaxError) return [];
    throw new NgatuError('PERMISSION_DENIED', `Cannot read ${file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** @throws NgatuError SETUP_PACKAGE_MISSING */
function checkPrograms(): void {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const missing = ['ffmpeg', 'ffprobe', 'mosquitto', 'setpriv'].filter(
    (name) => !folders.some((folder) => isExecutable(join(folder, name))),
  );
  if (missing.length === 0) return;
  throw new NgatuError(
    'SETUP_PACKAGE_MISSING',
    `Cannot start without ${missing.join(', ')}: \`npm start\` installs what is missing`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Whatever the reason, it cannot be run from there.
    return false;
  }
}

/** What `ngatu start` says: one line each, with the seconds since its start. */
class Progress {
  readonly #begunAt = performance.timeOrigin;

  constructor() {
    // Who read this may be gone (a closed terminal): everything is stopped in order all the same.
    process.stdout.on('error', () => undefined);
  }

  say(line: string): void {
    process.stdout.write(`[${((Date.now() - this.#begunAt) / 1_000).toFixed(1).padStart(6)} s] ${line}\n`);
  }

  onPart(event: PartEvent): void {
    if (event.kind === 'ready') {
      this.say(
        `${event.part} ${event.restarts === 0 ? 'is ready' : `runs again (restart ${event.restarts})`}`,
      );
    } else if (event.kind === 'died') {
      this.say(`${event.part} stopped (${event.reason}); it is started again`);
    } else {
      const notice = event.detail as FirstEventNotice;
      if (notice.kind !== 'first-event') return;
      this.say(`first event: ${notice.eventKind} on camera ${notice.camera} (${notice.eventId})`);
    }
  }

  announce(url: string, firstSignIn: string): void {
    this.say('the console is open; Ctrl-C stops everything');
    process.stdout.write(`\n  Console   ${url}\n`);
    if (!existsSync(firstSignIn)) {
      process.stdout.write('  Sign in   with your account (forgotten: npx ngatu account reset-password)\n\n');
      return;
    }
    const secret = /^password: (.+)$/m.exec(readFileSync(firstSignIn, 'utf8'))?.[1];
    // A terminal is read by who sits before it; anything else may be a log that others read.
    const password =
      process.stdout.isTTY && secret !== undefined ? `password ${secret}` : 'the password in the file';
    process.stdout.write(`  Sign in   user admin, ${password}\n            (kept in ${firstSignIn})\n\n`);
  }
}
