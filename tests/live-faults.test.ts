import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssetStore } from '@ngatu/models';
import { afterEach, beforeEach, expect, it } from 'vitest';

const PROGRAM = join(import.meta.dirname, '..', 'cli', 'bin', 'ngatu.mjs');
/** With this seed the agent is left alone for its first 20 s, so that there is something to lose. */
const SEED = Number(process.env['NGATU_TEST_SEED'] ?? 7);
const KILLS = Number(process.env['NGATU_TEST_KILLS'] ?? 2);

const store = new AssetStore();
const needed = ['hanoi-giangvo-langha-1615', 'yolox-nano-dynamic'];
const found = await Promise.all(needed.map((name) => store.find(name)));
const isComplete = found.every((asset) => asset !== undefined);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-live-faults-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the campaign as its users do. Resolves with what it printed. */
function runCampaign(json: string): Promise<{ status: number | null; output: string }> {
  const args = [PROGRAM, 'faults', `--kills=${KILLS}`, `--seed=${SEED}`, `--json=${json}`];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}

/**
 * The limit of 10 s is for the whole campaign on a machine with a core to spare. Here other work may share the machine: a
 * recovery that does not come at all is what must not pass.
 */
const SIGHT_CHECK = 'an agent kill costs at most 10 s of sight';
const SIGHT_LIMIT_MS = 20_000;

/** The short form of `ngatu faults`; `NGATU_TEST_SEED` repeats a run, the seed is in its output. */
it.skipIf(!isComplete)(
  'a live run through kills of agent, broker and ingestor loses nothing and tells nothing twice',
  {
    timeout: 300_000,
  },
  async () => {
    const json = join(folder, 'campaign.json');
    const { output } = await runCampaign(json);
    console.log(output);
    const { record, verdict } = JSON.parse(await readFile(json, 'utf8'));
    const checks: { name: string; offences: string[] }[] = verdict.checks;
    expect(checks.length).toBeGreaterThanOrEqual(8);
    for (const { name, offences } of checks) if (name !== SIGHT_CHECK) expect(offences, name).toEqual([]);
    expect(checks.map(({ name }) => name)).toContain(SIGHT_CHECK);
    expect(verdict.blindPerKill.max).toBeLessThanOrEqual(SIGHT_LIMIT_MS);
    expect(record.kills).toHaveLength(3 * KILLS);
    expect(record.committed.length).toBeGreaterThan(0);
    expect(verdict.matching.expected.some(({ light }: { light: string }) => light === 'watched')).toBe(true);
    expect(verdict.unreportedMs).toBe(0);
  },
);
