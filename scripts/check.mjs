// `npm run check`: types, format and lint, unused code, and whether the generated references are those of the sources.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuild } from './build.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(ROOT, 'node_modules', '.bin', name);

const CHECKS = [
  { name: 'types', run: [bin('tsc'), '-p', '.'] },
  {
    name: 'types of the console',
    run: [bin('tsc'), '--noEmit', '-p', 'cloud/console'],
    needs: 'cloud/console/tsconfig.json',
  },
  { name: 'types of the verification page', run: [bin('tsc'), '--noEmit', '-p', 'trust/page'] },
  { name: 'format and lint', run: [bin('biome'), 'ci', '--colors=off', '.'] },
  { name: 'unused code', run: [bin('knip'), '--no-progress'] },
  {
    name: 'generated references',
    run: [process.execPath, 'dist/generate-reference.mjs', '--check'],
    needs: 'scripts/generate-reference.ts',
  },
];

function run([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => resolve({ passed: false, output: error.message }));
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

/** Runs every check, also after one has failed. Returns how many passed and failed. */
export async function runChecks(log = (line) => console.log(line)) {
  const counts = { passed: 0, failed: 0 };
  await ensureBuild({ log, parts: ['program'] });
  for (const check of CHECKS) {
    if (check.needs !== undefined && !existsSync(join(ROOT, check.needs))) continue;
    const begun = performance.now();
    const { passed, output } = await run(check.run);
    counts[passed ? 'passed' : 'failed']++;
    log(`${passed ? '✓' : '✗'} ${check.name} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
    if (!passed) log(output.trimEnd().replaceAll(/^/gm, '  '));
  }
  return counts;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { failed } = await runChecks();
  process.exitCode = failed === 0 ? 0 : 1;
}
