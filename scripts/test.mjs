// `npm test`: set-up, static checks and every test. The last line counts them: `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuild } from './build.mjs';
import { reportAndExit, setUp } from './setup.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const ALLOWED = join(ROOT, 'tests', 'allowed-skips.json');

/**
 * Judges the skips of a vitest report. `allowed` maps the full name of a test to why it may be skipped and to the assets
 * or folders of data (`needs`) without which it may; `absent` are those that are not on this machine.
 * @returns {{skipped: number, offences: string[]}} the skips that stand, and those that count as failures
 */
export function judgeSkips(skippedNames, allowed, absent) {
  const offences = skippedNames.filter((name) => {
    const entry = allowed[name] ?? allowed[`${name.split(' > ')[0]} > *`];
    return entry === undefined || !entry.needs.some((asset) => absent.has(asset));
  });
  return { skipped: skippedNames.length - offences.length, offences };
}

/** Counts a vitest JSON report. A file that could not be run at all is one failure. */
export function readReport(report) {
  const counts = { passed: 0, failed: 0, skippedNames: [] };
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'))
      counts.failed++;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed++;
      else if (test.status === 'failed') counts.failed++;
      else counts.skippedNames.push([...test.ancestorTitles, test.title].join(' > '));
    }
  }
  return counts;
}

async function runVitest(args) {
  const folder = await mkdtemp(join(tmpdir(), 'ngatu-test-'));
  const output = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const status = await new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
        cwd: ROOT,
        stdio: 'inherit',
      });
      for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? 1));
    });
    const report = existsSync(output) ? readReport(JSON.parse(await readFile(output, 'utf8'))) : undefined;
    return { status, report: report ?? { passed: 0, failed: 0, skippedNames: [] } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Fetches what can be had; tests whose assets stay away are skipped by name. */
function fetchAssets() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'ngatu.mjs'), 'assets', 'fetch'], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
}

/** Names of the assets that are neither in the local folder nor fetched. */
function findAbsentAssets() {
  return new Promise((resolve, reject) => {
    const program = join(ROOT, 'dist', 'ngatu.mjs');
    const child = spawn(process.execPath, [program, 'assets', 'list', '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error('ngatu assets list failed'));
      resolve(
        new Set(
          JSON.parse(text)
            .filter((asset) => asset.path === undefined)
            .map((asset) => asset.name),
        ),
      );
    });
  });
}

/** Folders of data (`datasets/…`) that tests may need, and that are not beside the local assets. */
export function findAbsentFolders(allowed, base = process.env.NGATU_ASSETS ?? join(ROOT, '..', 'shared')) {
  const needed = new Set(
    Object.values(allowed).flatMap(({ needs }) => needs.filter((name) => name.includes('/'))),
  );
  return [...needed].filter((name) => !existsSync(join(base, name)));
}

async function main(args) {
  const { runChecks } = await import('./check.mjs');
  await setUp('test');
  await ensureBuild({ log: (line) => console.log(line) });
  const checks = args.length === 0 ? await runChecks() : { passed: 0, failed: 0 };
  await fetchAssets();
  const { status, report } = await runVitest(args);
  const allowed = existsSync(ALLOWED) ? JSON.parse(await readFile(ALLOWED, 'utf8')) : {};
  const absent = await findAbsentAssets();
  for (const folder of findAbsentFolders(allowed)) absent.add(folder);
  const { skipped, offences } = judgeSkips(report.skippedNames, allowed, absent);
  for (const name of offences) console.log(`✗ skipped without leave: ${name}`);
  if (absent.size > 0) console.log(`Assets that are not on this machine: ${[...absent].join(', ')}`);
  let failed = checks.failed + report.failed + offences.length;
  // An error outside every test (an unhandled rejection, a crash) fails the run although no test did.
  if (status !== 0 && report.failed === 0) failed++;
  const passed = checks.passed + report.passed;
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2)).catch(reportAndExit);
}
