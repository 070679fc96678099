import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anEvent, aTelemetry, NODE, SITE } from '../../../tests/delivery/message-builder.ts';
import { Outbox } from './outbox.ts';

const logger = pino({ level: 'silent' });

let folder: string;
let file: string;
const opened: Outbox[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-outbox-'));
  file = join(folder, 'outbox.sqlite');
});
afterEach(() => {
  for (const outbox of opened.splice(0)) outbox[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

function openOutbox(maxBytes = 1_000_000) {
  const clock = { nowMs: () => Date.UTC(2025, 2, 1), monotonicMs: () => 0 };
  const opening = Outbox.open({ file, maxBytes, origin: { site: SITE, node: NODE }, clock, logger });
  opened.push(opening.outbox);
  return opening;
}

describe('opening an outbox', () => {
  it('is refused while another process or connection holds the file', () => {
    openOutbox();
    expect(() => openOutbox()).toThrow(expect.objectContaining({ code: 'OUTBOX_LOCKED' }));
  });

  it.each([
    ['garbage', () => writeFileSync(file, Buffer.alloc(20_000, 'garbage'))],
    [
      'a damaged page',
      () => {
        const { outbox } = openOutbox();
        outbox.append(Array.from({ length: 200 }, (_, key) => ({ channel: 'event', body: anEvent(key) })));
        opened.splice(0)[0]?.[Symbol.dispose]();
        const bytes = readFileSync(file);
        bytes.fill(0x5a, 3 * 4096, 6 * 4096);
        writeFileSync(file, bytes);
      },
    ],
    [
      'a cut file',
      () => {
        const { outbox } = openOutbox();
        outbox.append(Array.from({ length: 200 }, (_, key) => ({ channel: 'event', body: anEvent(key) })));
        opened.splice(0)[0]?.[Symbol.dispose]();
        writeFileSync(file, readFileSync(file).subarray(0, 10_000));
      },
    ],
    ['a version that its tables are not of', () => changeVersion(1)],
    ['a version that there cannot be', () => changeVersion(0x8000_0004)],
    [
      'a column of another name in a table of SQLite',
      () => changeBytes('sqlite_sequence(name,', 'sqlite_sequence(nume,'),
    ],
    ['a column of another name', () => changeBytes('outbox_id TEXT', 'outb0x_id TEXT')],
    ['an identity that is none', () => changeBytes(identify(), 'x'.repeat(36))],
    ['a trigger that writes another sum', () => changeBytes('files = files + 1', 'files = files + 9')],
    [
      'no identity',
      () => {
        identify();
        const database = new Database(file);
        database.exec('DELETE FROM identity');
        database.close();
      },
    ],
  ])('moves a corrupt file aside (%s), says so, and begins anew', (_name, damage) => {
    damage();
    const { outbox, movedAside } = openOutbox();
    expect(movedAside?.file).toMatch(/outbox\.sqlite\.corrupt-2025-03-01T/);
    expect(readdirSync(folder).filter((name) => name.includes('.corrupt-')).length).toBeGreaterThan(0);
    expect(outbox.append([{ channel: 'event', body: anEvent(1) }])).toEqual([
      { outcome: 'appended', seq: 1 },
    ]);
  });

  it('takes every number for sent where its marks of them are unreadable', () => {
    identify();
    const database = new Database(file);
    database.prepare("INSERT INTO mark (name, value) VALUES ('outbox.maybe-sent', '[{\"from\":3}]')").run();
    database.close();
    const { outbox } = openOutbox(60_000);
    for (let key = 0; key < 400; key += 20)
      outbox.append(
        Array.from({ length: 20 }, (_, index) => ({ channel: 'telemetry', body: aTelemetry(key + index) })),
      );
    expect(outbox.pending()).toMatchObject({ telemetryThinnedTotal: 0 });
    expect(outbox.pending().telemetryDroppedTotal).toBeGreaterThan(100);
  });

  it('leaves the file of a newer program where it is', () => {
    changeVersion(99);
    expect(() => openOutbox()).toThrow(expect.objectContaining({ code: 'OUTBOX_VERSION' }));
    expect(readdirSync(folder).filter((name) => name.includes('.corrupt-'))).toEqual([]);
  });

  /** Makes the file, and gives the identity in it. */
  function identify(): string {
    const { outboxId } = openOutbox().outbox;
    opened.splice(0)[0]?.[Symbol.dispose]();
    return outboxId;
  }

  /** Other text of the same length, also where SQLite left an older copy. */
  function changeBytes(from: string, to: string): void {
    identify();
    const text = readFileSync(file, 'latin1');
    expect(text).toContain(from);
    writeFileSync(file, text.replaceAll(from, to), 'latin1');
  }

  /** The user version in the header of SQLite (its file format, section 1.3). */
  function changeVersion(version: number): void {
    identify();
    const bytes = readFileSync(file);
    bytes.writeUInt32BE(version, 60);
    writeFileSync(file, bytes);
  }
});
