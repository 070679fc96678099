import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { DEMO_NAMES } from './demo.ts';
import { buildDataOption, readPort } from './option.ts';
import { startEverything } from './start.ts';

interface StartOptions {
  readonly data: string;
  readonly port: number;
  readonly scene?: string;
}

/** `ngatu start`: everything on this machine. */
export function buildCommand(): Command {
  return new Command('start')
    .description(
      'Starts everything on this machine, on 127.0.0.1 alone: an RTSP camera simulator with real video, an edge agent,\n' +
        'an MQTT broker, the ingestor, the API and the console. Parts that die are started again. Ctrl-C stops all.',
    )
    .addOption(buildDataOption('folder of everything that is kept'))
    .option('--port <number>', 'port of the console; 0 takes a free one', readPort, 8180)
    .addOption(
      new Option('--scene <name>', 'what the camera sees; by default the best that can be had').choices(
        DEMO_NAMES,
      ),
    )
    .action((options: StartOptions) => startEverything({ ...options, data: resolve(options.data) }));
}
