import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DirectiveSet } from '@ngatu/contract';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DirectiveBook } from './directive-book.ts';

const T0 = Date.UTC(2026, 0, 5, 8, 0, 0);
const MINUTE_MS = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

let folder: string;
let file: string;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-directive-'));
  file = join(folder, 'directives.json');
  nowMs = T0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function open(): DirectiveBook {
  return DirectiveBook.open({ file, clock: { nowMs: () => nowMs }, logger: pino({ level: 'silent' }) });
}

function aSet(revision: number, directives: readonly Partial<DirectiveSet['directives'][number]>[]): Buffer {
  const full = directives.map((changes, index) => ({
    directiveId: `di-${index.toString(16).padStart(32, '0')}`,
    camera: 'north',
    kind: 'officer-directing',
    from: iso(T0),
    until: iso(T0 + 30 * MINUTE_MS),
    reason: 'jam',
    ...changes,
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 1, revision, publishedAt: iso(T0), directives: full }));
}

it('knows what was in force at an instant of a camera, also after a restart', () => {
  expect(open().revision).toBeUndefined();
  expect(open().take(aSet(7, [{}, { camera: 'south', kind: 'rules-suspended' }]))).toEqual({
    outcome: 'taken',
  });
  const book = open();
  expect(book.revision).toBe(7);
  const kindsAt = (camera: string, atMs: number) => book.at(camera, atMs).map(({ kind }) => kind);
  expect(kindsAt('north', T0 - 1)).toEqual([]);
  expect(kindsAt('north', T0)).toEqual(['officer-directing']);
  expect(kindsAt('north', T0 + 30 * MINUTE_MS - 1)).toEqual(['officer-directing']);
  expect(kindsAt('north', T0 + 30 * MINUTE_MS)).toEqual([]);
  expect(kindsAt('south', T0)).toEqual(['rules-suspended']);
  expect(kindsAt('west', T0)).toEqual([]);
});

it('is not set back by an old retained message, and goes forward by a newer one', () => {
  const book = open();
  book.take(aSet(8, [{ until: iso(T0 + MINUTE_MS) }]));
  expect(book.take(aSet(7, [{}]))).toEqual({ outcome: 'known' });
  expect(book.take(aSet(8, [{}]))).toEqual({ outcome: 'known' });
  expect(book.at('north', T0 + 2 * MINUTE_MS)).toEqual([]);
  expect(book.take(aSet(9, []))).toEqual({ outcome: 'taken' });
  expect(book.at('north', T0)).toEqual([]);
});

it('drops what ended long ago when it opens', () => {
  open().take(aSet(1, [{}]));
  nowMs = T0 + 39 * MINUTE_MS;
  expect(open().at('north', T0 + MINUTE_MS)).toHaveLength(1);
  nowMs = T0 + 41 * MINUTE_MS;
  expect(open().at('north', T0 + MINUTE_MS)).toEqual([]);
});

it.each([
  ['MESSAGE_NOT_JSON', Buffer.from('officer')],
  ['MESSAGE_NOT_JSON', Buffer.from([0xff])],
  ['MESSAGE_INVALID', Buffer.from('{}')],
  ['MESSAGE_INVALID', Buffer.from(JSON.stringify({ schemaVersion: 2, revision: 9, directives: [] }))],
  ['MESSAGE_TOO_LARGE', Buffer.alloc(300 * 1024, 0x20)],
])('refuses with %s, case %#, and keeps what it had', (code, payload) => {
  const book = open();
  book.take(aSet(1, [{}]));
  expect(book.take(payload)).toMatchObject({ outcome: 'refused', code });
  expect(book.at('north', T0)).toHaveLength(1);
  expect(book.revision).toBe(1);
});

it('refuses a window that is no time or ends before it begins', () => {
  const book = open();
  expect(book.take(aSet(1, [{ until: iso(T0 - 1) }]))).toMatchObject({ code: 'MESSAGE_INVALID' });
  expect(book.take(aSet(1, [{ from: '2026-13-05T08:00:00.000Z' }]))).toMatchObject({
    code: 'MESSAGE_INVALID',
  });
});

it('begins anew beside a broken file, and does not claim what the disk did not take', async () => {
  writeFileSync(file, '{"schemaVersion":1,"revi');
  const book = open();
  expect(book.revision).toBeUndefined();
  expect(book.take(aSet(3, [{}]))).toEqual({ outcome: 'taken' });
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ revision: 3 });
  mkdirSync(`${file}.part`);
  expect(book.take(aSet(4, []))).toMatchObject({ outcome: 'refused', code: 'PERMISSION_DENIED' });
  expect(book.revision).toBe(3);
  expect(book.at('north', T0)).toHaveLength(1);
});
