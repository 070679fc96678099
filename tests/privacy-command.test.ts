import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { buildCommand } from '../cli/src/privacy-command.ts';
import { openCentreStores } from '../cloud/src/main.ts';
import { anEvent, anEventId, CAMERA, NODE, SITE } from './delivery/message-builder.ts';

const PROFILES = join(import.meta.dirname, '..', 'firmware-config', 'profiles');
const DAY_MS = 86_400_000;
const BY = ['--by', 'minh'];

let data: string;
let said: string[];

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'ngatu-privacy-'));
  said = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
  await using stores = await openCentreStores(data);
  const ages = [1, 1, 400];
  const outcomes = stores.events.commit(
    ages.map((days, key) => ({
      ...{ site: SITE, node: NODE, outboxId: '6f1c2f5e-6a57-4b61-9b40-3e0d6f9d2a11', seq: key + 1 },
      message: {
        channel: 'event' as const,
        body: anEvent(key, { capturedAt: new Date(Date.now() - days * DAY_MS).toISOString() }),
      },
    })),
    new Date(Date.now() - 400 * DAY_MS).toISOString(),
  );
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['committed', 'committed', 'committed']);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(data, { recursive: true, force: true });
});

/** Runs `ngatu privacy …` and returns what it printed. */
async function privacy(...args: string[]): Promise<string> {
  said = [];
  await buildCommand().parseAsync(args, { from: 'user' });
  return said.join('\n');
}

it('deletes what is over its time, and says first what it would delete', async () => {
  expect(await privacy('retention', '--data', data, '--dry-run')).toBe(
    'RED_LIGHT open: 1\n1 cases would be deleted',
  );
  expect(await privacy('retention', '--data', data)).toContain('1 cases deleted, 0 files removed');
  expect(await privacy('retention', '--data', data)).toContain('0 cases deleted');
});

it('answers a person who asks, and keeps the deadline but not what was asked', async () => {
  const camera = `${SITE}/${NODE}/${CAMERA}`;
  const out = join(data, 'answer.json');
  const find = ['--data', data, '--camera', camera, '--track', '1', ...BY];
  expect(await privacy('export', ...find, '--out', out)).toMatch(/^case \S+: 1 written; acknowledge by /);
  expect(JSON.stringify(JSON.parse(readFileSync(out, 'utf8')))).toContain(anEventId(0));
  expect(await privacy('erase', ...find, '--dry-run')).toBe('1 cases would be deleted, 0 of them are held');
  expect(await privacy('erase', ...find)).toMatch(/: 1 found, 1 deleted, 0 under legal hold;/);
  const cases = await privacy('cases', '--data', data);
  expect(cases.split('\n')).toHaveLength(2);
  expect(cases).not.toContain(CAMERA);
  for (const name of readdirSync(data).filter((one) => one.startsWith('events.sqlite')))
    expect(readFileSync(join(data, name)).includes(anEventId(0)), name).toBe(false);
});

it('writes a notice in both languages for each profile that the product brings', async () => {
  const profiles = readdirSync(PROFILES).filter((name) => name.endsWith('.yaml'));
  expect(profiles.length).toBeGreaterThan(0);
  for (const name of profiles) {
    const notice = await privacy('notice', '--data', data, '--profile', join(PROFILES, name));
    expect(notice).toMatch(/camera/i);
    expect(notice).toMatch(/dữ liệu/);
  }
});

it.each([
  ['no person', ['erase', '--camera', `${SITE}/${NODE}/${CAMERA}`, ...BY]],
  ['half a camera', ['erase', '--camera', SITE, '--track', '1', ...BY]],
  ['a road user without number', ['erase', '--track', 'x', ...BY]],
  ['a plate of three signs', ['erase', '--plate', '29-A', ...BY]],
  ['no time', ['erase', '--from', 'yesterday', '--to', '2025-01-01', ...BY]],
  [
    'an unknown camera of a profile',
    ['notice', '--profile', join(PROFILES, 'demo-hanoi.yaml'), '--camera', 'x'],
  ],
])('refuses %s and deletes nothing', async (_what, args) => {
  const [first = '', ...rest] = args;
  await expect(privacy(first, '--data', data, ...rest)).rejects.toMatchObject({ code: 'USAGE' });
  expect(await privacy('cases', '--data', data)).toBe('no requests');
});

it('deletes nothing by a policy that it cannot understand', async () => {
  writeFileSync(join(data, 'privacy.json'), '{"retentionDays":{"open":-1}}');
  await expect(privacy('retention', '--data', data)).rejects.toMatchObject({
    code: 'PRIVACY_POLICY_INVALID',
  });
  expect(existsSync(join(data, 'events.sqlite'))).toBe(true);
});
