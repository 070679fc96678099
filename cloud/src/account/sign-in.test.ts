import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Access, openAccess } from './access.ts';
import { openAccountDatabase } from './account-database.ts';
import { generatePassword, hashPassword, verifyPassword } from './password.ts';
import { SignIn } from './sign-in.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

let folder: string;
let database: Database.Database;
let access: Access;
let nowMs = 0;
const now = () => nowMs;

beforeEach(async () => {
  nowMs = Date.UTC(2025, 10, 22);
  folder = await mkdtemp(join(tmpdir(), 'ngatu-account-'));
  database = openAccountDatabase(join(folder, 'accounts.sqlite'));
  access = openAccess(database, now);
});

afterEach(async () => {
  database.close();
  await rm(folder, { recursive: true, force: true });
});

async function addLan(): Promise<void> {
  const passwordHash = await hashPassword('right');
  access.accounts.createAccount({ username: 'lan', roles: ['reviewer'], areas: 'all', passwordHash });
}

it('hashes with argon2id at the cost that OWASP names, each time with another salt', async () => {
  const [first, second] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(second).not.toBe(first);
  expect(await verifyPassword(first, 'secret')).toBe(true);
  expect(await verifyPassword(first, 'Secret')).toBe(false);
});

it('generates twenty characters that nobody misreads', () => {
  const password = generatePassword();
  expect(password).toHaveLength(20);
  expect(password).not.toMatch(/[01ilo]/);
  expect(new Set(Array.from({ length: 50 }, () => generatePassword())).size).toBe(50);
});

it('takes as long for an unknown user as for a wrong password', async () => {
  await addLan();
  const gate = new SignIn({ ...access, now });
  const measure = async (username: string) => {
    nowMs += 3_600_000;
    const startedAt = performance.now();
    await expect(gate.signIn({ username, password: 'wrong', address: '::1' })).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
    });
    return performance.now() - startedAt;
  };
  await measure('warm-up');
  const known: number[] = [];
  const unknown: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    known.push(await measure('lan'));
    unknown.push(await measure('nobody'));
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[4] ?? 0;
  // Without the decoy an unknown user is answered some hundred times faster.
  expect(median(unknown) / median(known)).toBeGreaterThan(0.4);
  expect(median(unknown) / median(known)).toBeLessThan(2.5);
});

it('verifies a bounded number of passwords at once', async () => {
  const gate = new SignIn({ ...access, now });
  const attempts = Array.from({ length: 12 }, (_, index) =>
    gate
      .signIn({ username: `user-${index}`, password: 'x', address: `10.0.0.${index}` })
      .catch((error) => error.code),
  );
  const codes = await Promise.all(attempts);
  expect(codes.filter((code) => code === 'CREDENTIALS_INVALID')).toHaveLength(4);
  expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(8);
});

it('doubles the lock up to fifteen minutes and forgets after an hour', () => {
  const throttle = new SignInThrottle(now);
  const keys = [{ name: 'lan', freeAttempts: 2 }];
  const locks: number[] = [];
  for (let attempt = 0; attempt < 14; attempt += 1) {
    throttle.recordAttempt(keys);
    locks.push(throttle.lockedForMs(keys) / 1_000);
    nowMs += throttle.lockedForMs(keys);
  }
  expect(locks).toEqual([0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
  nowMs += 3_600_000;
  throttle.recordAttempt(keys);
  expect(throttle.lockedForMs(keys)).toBe(0);
});

it('does not lock a person out for what a stranger tries from elsewhere', async () => {
  await addLan();
  const gate = new SignIn({ ...access, now });
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await expect(gate.signIn({ username: 'lan', password: 'guess', address: '10.0.0.66' })).rejects.toThrow();
  }
  const locked = gate.signIn({ username: 'lan', password: 'right', address: '10.0.0.66' });
  await expect(locked).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 2 });
  const own = await gate.signIn({ username: 'lan', password: 'right', address: '10.0.0.7' });
  expect(access.sessions.findSession(own.token, { use: false })).toMatchObject({
    username: 'lan',
    roles: ['reviewer'],
    sites: 'all',
  });
});

it('keeps at most ten thousand throttled keys', () => {
  const throttle = new SignInThrottle(now);
  const first = [{ name: 'first', freeAttempts: 0 }];
  throttle.recordAttempt(first);
  expect(throttle.lockedForMs(first)).toBeGreaterThan(0);
  for (let index = 0; index < 10_000; index += 1)
    throttle.recordAttempt([{ name: String(index), freeAttempts: 0 }]);
  expect(throttle.lockedForMs(first)).toBe(0);
});

it('lets nobody change or remove a row of the audit trail', () => {
  const { audit } = access;
  audit.append({ actor: 'lan', action: 'event-read', target: 'ev-1', address: '::1' });
  expect(() => database.exec("UPDATE audit SET actor = 'minh'")).toThrow(/append-only/);
  expect(() => database.exec('DELETE FROM audit')).toThrow(/append-only/);
  expect(audit.list(5)).toEqual([
    {
      id: 1,
      at: '2025-11-22T00:00:00.000Z',
      actor: 'lan',
      action: 'event-read',
      target: 'ev-1',
      address: '::1',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
});
