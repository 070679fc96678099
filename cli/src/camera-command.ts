import { basename, extname, resolve } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { runCameraSimulator, type SimulatedCamera } from '@ngatu/simulators';
import { Command } from 'commander';
import { openLogger } from './logger.ts';
import { readPort } from './option.ts';
import { runPart } from './part-process.ts';

interface CameraOptions {
  readonly port: number;
  readonly host: string;
  readonly cache: string;
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
    .action((files: string[], options: CameraOptions) =>
      runPart(async ({ signal, ready }) => {
        const logger = openLogger('camera');
        const mounts = files.map(readMount);
        await runCameraSimulator(
          { mounts, cacheDir: resolve(options.cache), port: options.port, host: options.host, logger },
          signal,
          (simulator) => {
            const urls = simulator.cameras.map((camera) => camera.url);
            for (const camera of simulator.cameras) logger.info(describeCamera(camera), 'camera is live');
            ready({ urls });
          },
        );
      }),
    );
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
