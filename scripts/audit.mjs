// `npm run audit`: asks the registry for known weaknesses of the packages that run in production. Exit code 0: asked, none; 1: asked, and
// there are some; 3: the registry does not answer such questions (a mirror, no network), so nothing is known.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const UNKNOWN = 3;

/** What the answer of `npm audit --json` says: `unknown` where the registry was not asked with success. */
export function judgeAudit(answer) {
  if (typeof answer !== 'object' || answer === null || typeof answer.vulnerabilities !== 'object') {
    const why = typeof answer?.message === 'string' ? answer.message : 'the registry gave no report';
    return { verdict: 'unknown', lines: [why] };
  }
  const lines = Object.values(answer.vulnerabilities).map(({ name, severity, range, via }) => {
    const titles = via
      .filter((cause) => typeof cause === 'object')
      .map(({ title, url }) => `${title} (${url})`);
    return `${name} ${range}: ${severity}${titles.length > 0 ? `, ${titles.join('; ')}` : ''}`;
  });
  return { verdict: lines.length === 0 ? 'clean' : 'weak', lines };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = ['audit', '--omit', 'dev', '--json', ...process.argv.slice(2)];
  const run = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  let answer;
  try {
    answer = JSON.parse(run.stdout);
  } catch {
    // npm says it in words where it cannot begin to ask
    answer = { message: run.stderr.trim().split('\n').at(-1) };
  }
  const { verdict, lines } = judgeAudit(answer);
  for (const line of lines) console.log(line);
  if (verdict === 'clean') console.log('no known weakness in the packages that run in production');
  if (verdict === 'unknown')
    console.error('not audited: ask again where the registry answers (registry.npmjs.org does)');
  process.exitCode = verdict === 'clean' ? 0 : verdict === 'weak' ? 1 : UNKNOWN;
}
