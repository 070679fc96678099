import { createServer, type Server, type Socket } from 'node:net';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { type CameraClock, CameraMount, type MountStatistics } from './camera-mount.ts';
import { type Clip, loadClip } from './clip.ts';
import type { ClipPosition } from './clip-timeline.ts';
import type { RtspCredentials } from './digest-authentication.ts';
import type { VideoCodec } from './nal-unit.ts';
import { RtspConnection } from './rtsp-connection.ts';

/** The part of a pino logger that the simulator writes to. */
export interface CameraLogger {
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export interface CameraMountConfig {
  /** Where clients find the camera: `/` and then one or more names, e.g. `/hanoi`. */
  readonly path: string;
  readonly clip: Clip;
  /** The camera is switched on with the server (default) or when the first client plays. */
  readonly startsWith?: 'server' | 'first-client';
  /** Where in the clip the camera is when it is switched on, ms of the file's presentation time; default: its start. */
  readonly startAtMs?: number;
}

export interface CameraSimulatorOptions {
  readonly mounts: readonly CameraMountConfig[];
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 (default) takes a free one. */
  readonly port?: number;
  /** Digest authentication for everything but OPTIONS. */
  readonly credentials?: RtspCredentials;
  readonly logger?: CameraLogger;
  /** By default the machine's monotonic clock, set to the wall clock when the process started. */
  readonly clock?: CameraClock;
  /** 0 (inclusive) to 1 (exclusive); by default Math.random. */
  readonly random?: () => number;
  /** Bytes that may wait in the socket of a client that does not read; default 8 MiB. */
  readonly bufferMaxBytes?: number;
  /** Default 64; further ones are closed at once. */
  readonly maxConnections?: number;
}

/** What a test may ask a camera: what it saw when, and to misbehave. */
export interface SimulatedCamera {
  readonly path: string;
  /** Without user name and password. */
  readonly url: string;
  /** Presentation time of one whole loop, ms. */
  readonly loopDurationMs: number;
  /** When loop 0 began (or would have, with `startAtMs`), ms since 1970; absent until the camera is switched on. */
  readonly loopZeroEpochMs: number | undefined;
  readonly statistics: MountStatistics;
  /** What the camera saw at an instant (ms since 1970); absent before it was switched on. */
  positionAt(epochMs: number): ClipPosition | undefined;
  /** The inverse of `positionAt`, ms since 1970. */
  epochMsAt(position: ClipPosition): number | undefined;
  /** Fault: sends nothing more, and keeps the connections and answers requests. */
  freeze(): void;
  /** Ends `freeze`; goes on in the present. */
  resume(): void;
  /** Fault: the next access units (default 25) carry random payload, or `sizeBytes` (default 4,096) of noise break the framing. */
  sendGarbage(
    garbage: { kind: 'payload'; accessUnits?: number } | { kind: 'framing'; sizeBytes?: number },
  ): void;
  /**
   * Fault: streams another clip from now on (another codec, another size), or its own again. All clients of the simulator are
   * disconnected, as by a camera that is set up anew. The camera's own clip has gone on meanwhile.
   */
  show(clip: Clip | undefined): void;
}

export interface CameraSimulator extends AsyncDisposable {
  readonly port: number;
  readonly cameras: readonly SimulatedCamera[];
  /** The camera of a mount path; throws RangeError where there is none. */
  camera(path: string): SimulatedCamera;
  /** RTSP address of a mount, without credentials. */
  url(path: string): string;
  /** Fault: resets every connection; clients may connect again at once. */
  disconnectAll(): void;
  /** Closes the port and every connection; settles when both are gone. */
  stop(): Promise<void>;
}

const HOST_DEFAULT = '127.0.0.1';
const BUFFER_MAX_BYTES_DEFAULT = 8 * 1024 * 1024;
const CONNECTIONS_DEFAULT = 64;
const MOUNT_PATH = /^(\/[A-Za-z0-9._-]+)+$/;

/**
 * Starts an RTSP 1.0 server of live cameras that loop clips for ever. Runs until `stop` or until the signal aborts.
 *
 * Errors: USAGE (mount paths), PORT_TAKEN, PERMISSION_DENIED, INTERNAL (any other reason why it cannot listen).
 */
export async function startCameraSimulator(
  options: CameraSimulatorOptions,
  signal: AbortSignal,
): Promise<CameraSimulator> {
  signal.throwIfAborted();
  const { host = HOST_DEFAULT, logger } = options;
  const mounts = openMounts(options);
  const sockets = new Set<Socket>();
  let baseUrl = '';
  const server = createServer((socket) => {
    const client = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    logger?.debug({ client }, 'camera client connected');
    new RtspConnection(socket, {
      mounts,
      ...(options.credentials ? { credentials: options.credentials } : {}),
      baseUrl: () => baseUrl,
      host,
      bufferMaxBytes: options.bufferMaxBytes ?? BUFFER_MAX_BYTES_DEFAULT,
      onRefused: (reason) => logger?.info({ client, reason }, 'camera client refused or lost'),
    }).serve();
  });
  server.maxConnections = options.maxConnections ?? CONNECTIONS_DEFAULT;
  const port = await listen(server, { host, port: options.port ?? 0 });
  baseUrl = `rtsp://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const disconnectAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const cameras = [...mounts.values()].map((first) =>
    presentCamera(first, `${baseUrl}${first.path}`, (clip) => {
      mounts.set(first.path, clip === undefined ? first : openVariant(first, clip, options));
      disconnectAll();
    }),
  );
  for (const { path, startsWith } of options.mounts)
    if (startsWith !== 'first-client') mounts.get(path)?.start();
  logger?.info({ port, mounts: [...mounts.keys()] }, 'camera simulator listening');

  let stopped: Promise<void> | undefined;
  const stop = () => {
    signal.removeEventListener('abort', stop);
    stopped ??= new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
    return stopped;
  };
  signal.addEventListener('abort', stop, { once: true });
  const camera = (path: string) => {
    const found = cameras.find((candidate) => candidate.path === path);
    if (!found) throw new RangeError(`No camera is mounted at "${path}"`);
    return found;
  };
  return {
    port,
    cameras,
    camera,
    url: (path) => camera(path).url,
    disconnectAll,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const MACHINE_CLOCK: CameraClock = { epochMs: () => performance.timeOrigin + performance.now() };

function openMounts(options: CameraSimulatorOptions): Map<string, CameraMount> {
  const mounts = new Map<string, CameraMount>();
  const { clock = MACHINE_CLOCK, random = Math.random } = options;
  for (const { path, clip, startAtMs } of options.mounts) {
    if (!MOUNT_PATH.test(path) || mounts.has(path)) {
      throw new NgatuError(
        'USAGE',
        `Cannot mount a camera at "${path}": the path is taken or not of the form /name`,
      );
    }
    mounts.set(path, new CameraMount({ path, clip, clock, random, startAtMs: startAtMs ?? clip.originMs }));
  }
  return mounts;
}

function openVariant({ path }: CameraMount, clip: Clip, options: CameraSimulatorOptions): CameraMount {
  const { clock = MACHINE_CLOCK, random = Math.random } = options;
  const mount = new CameraMount({ path, clip, clock, random, startAtMs: clip.originMs });
  mount.start();
  return mount;
}

async function listen(
  server: Server,
  address: { readonly host: string; readonly port: number },
): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address, resolve);
    });
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    const code =
      errno === 'EADDRINUSE' ? 'PORT_TAKEN' : errno === 'EACCES' ? 'PERMISSION_DENIED' : 'INTERNAL';
    const message = `Cannot start the camera simulator on ${address.host}:${address.port}: ${errorMessage(error)}`;
    throw new NgatuError(code, message, { retryable: code === 'PORT_TAKEN', cause: error });
  }
  const bound = server.address();
  return typeof bound === 'object' && bound ? bound.port : address.port;
}

function presentCamera(
  mount: CameraMount,
  url: string,
  show: (clip: Clip | undefined) => void,
): SimulatedCamera {
  return {
    show,
    path: mount.path,
    url,
    loopDurationMs: mount.timeline.loopDurationMs,
    get loopZeroEpochMs() {
      return mount.loopZeroEpochMs;
    },
    get statistics() {
      return mount.statistics;
    },
    positionAt: (epochMs) => mount.positionAt(epochMs),
    epochMsAt: (position) => mount.epochMsAt(position),
    freeze: () => mount.freeze(),
    resume: () => mount.resume(),
    sendGarbage: (garbage) => {
      if (garbage.kind === 'payload') mount.corruptNext(garbage.accessUnits ?? 25);
      else mount.sendNoise(garbage.sizeBytes ?? 4_096);
    },
  };
}

export interface RunCameraSimulatorOptions extends Omit<CameraSimulatorOptions, 'mounts'> {
  readonly mounts: readonly (Omit<CameraMountConfig, 'clip'> & {
    readonly file: string;
    /** The codec to stream; default: the file's own where it is H.264 or H.265. */
    readonly codec?: VideoCodec;
  })[];
  /** Folder for transcoded copies. */
  readonly cacheDir: string;
}

/**
 * Loads the files, starts the simulator, hands it to `onReady` and serves until the signal aborts; then everything is
 * closed when the promise settles. Errors: those of `loadClip` and `startCameraSimulator`.
 */
export async function runCameraSimulator(
  options: RunCameraSimulatorOptions,
  signal: AbortSignal,
  onReady?: (simulator: CameraSimulator) => void,
): Promise<void> {
  const { cacheDir } = options;
  const clips = new Map<string, Clip>();
  const mounts: CameraMountConfig[] = [];
  for (const { file, codec, ...mount } of options.mounts) {
    const key = `${codec ?? ''}:${file}`;
    const clip = clips.get(key) ?? (await loadClip(file, { signal, cacheDir, ...(codec ? { codec } : {}) }));
    clips.set(key, clip);
    mounts.push({ ...mount, clip });
  }
  await using simulator = await startCameraSimulator({ ...options, mounts }, signal);
  onReady?.(simulator);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
