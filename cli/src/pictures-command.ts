import { runPictureHost } from '@ngatu/edge';
import { Command } from 'commander';

/** `ngatu pictures`: the process of an agent that makes the pictures of its events. */
export function buildCommand(): Command {
  return new Command('pictures')
    .description('Makes the blurred pictures of an edge agent, which starts it and talks to it over IPC.')
    .action(() => runPictureHost());
}
