// `npm start`: set-up, build, then the command `start` of the product in this very process, so that Ctrl-C reaches it.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuild } from './build.mjs';
import { reportAndExit, setUp } from './setup.mjs';

const program = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'ngatu.mjs');

try {
  await setUp('start');
  await ensureBuild({ log: (line) => console.log(line) });
} catch (error) {
  reportAndExit(error);
}
// npm that is killed leaves this process to init: nobody would stop it any more.
if (process.env.npm_lifecycle_event === 'start') {
  const npm = process.ppid;
  setInterval(() => process.ppid !== npm && process.kill(process.pid, 'SIGTERM'), 1_000).unref();
}
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, program, 'start', ...process.argv.slice(2)];
await import(pathToFileURL(program).href);
