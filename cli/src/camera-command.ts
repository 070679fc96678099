import { basename, extname, resolve } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import {
  type Clip,
  loadClip,
  openCameraControl,
  runCameraSimulator,
  type SimulatedCamera,
} from '@ngatu/simulators';
import { Command, Option } from 'commander';
import { openLogger } from './logger.ts';
import { readPort } from './option.ts';
import { runPart } from './part-process.ts';

interface CameraOptions {
  readonly port: number;
  readonly host: string;
  readonly cache: string;
  readonly control?: number;
  readonly variant: readonly string[];
}

/** `ngatu camera`: the RTSP camera simulator. */
export function buildCommand(): Command {
  return new Command('camera')
    .description('Serves video files as live RTSP cameras that loop for ever: each at rtsp://HOST:PORT/NAME.')
    .argument('<file...>', 'video files; NAME=FILE names the camera otherwise than its file')
    .option('--port <number>', 'port to listen on; 0 takes a free one', readPort, 8554)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--cache <folder>',
      'folder for transcoded copies of what is neither H.264 nor H.265',
      '.ngatu/camera',
    )
    .addOption(
      new Option(
        '--control <number>',
        'port of 127.0.0.1 on which the first camera is told to misbehave',
      ).argParser(readPort),
    )
    .addOption(
      new Option('--variant <name=file>', 'a clip that the first camera can be told to show instead')
        .argParser((text, known: readonly string[]) => [...known, text])
        .default([], 'none'),
    )
    .action(serveCameras);
}

function serveCameras(files: string[], options: CameraOptions): Promise<void> {
  return runPart(async ({ signal, ready }) => {
    const logger = openLogger('camera');
    const { port, host, control } = options;
    const cacheDir = resolve(options.cache);
    const variants = new Map<string, Clip>();
    for (const { path, file } of options.variant.map(readMount)) {
      variants.set(path.slice(1), await loadClip(file, { signal, cacheDir }));
    }
    const simulation = { mounts: files.map(readMount), cacheDir, port, host, logger };
    let opening: ReturnType<typeof openCameraControl> | undefined;
    await runCameraSimulator(simulation, signal, ({ cameras }) => {
      for (const camera of cameras) logger.info(describeCamera(camera), 'camera is live');
      const [first] = cameras;
      if (control !== undefined && first !== undefined) {
        opening = openCameraControl({ camera: first, variants, port: control });
      }
      ready({ urls: cameras.map(({ url }) => url) });
    });
    await (await opening)?.[Symbol.asyncDispose]();
  });
}

function readMount(text: string): { path: string; file: string } {
  const [, name = '', file = ''] = /^(?:([a-z0-9-]+)=)?(.+)$/.exec(text) ?? [];
  if (file === '') throw new NgatuError('USAGE', `Cannot read "${text}": expected FILE or NAME=FILE`);
  return { path: `/${name || basename(file, extname(file))}`, file: resolve(file) };
}

/** What a test needs to know when the camera saw what: pass `n` of the clip began at `loopZeroEpochMs + n × loopDurationMs`. */
function describeCamera({ url, loopZeroEpochMs, loopDurationMs, positionAt }: SimulatedCamera): object {
  const loopStartsAtMs = loopZeroEpochMs === undefined ? undefined : positionAt(loopZeroEpochMs)?.mediaTimeMs;
  return { url, loopZeroEpochMs, loopDurationMs, loopStartsAtMs };
}
