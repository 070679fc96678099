import { mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { buildUploadPartId } from '@ngatu/contract';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UploadParts } from './upload-parts.ts';

const SHA256 = 'a'.repeat(64);
const CONTENT = Buffer.from('0123456789');
const ignore = (): void => undefined;

let folder: string;
let parts: UploadParts;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-parts-'));
  parts = await UploadParts.open(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function put(start: number, length: number, received = length): Promise<void> {
  const part = { sha256: SHA256, start, length };
  await parts.create(part);
  const content = Readable.from([CONTENT.subarray(start, start + received)]);
  await parts.write(part, 0, content, ignore);
}

it('gives the whole file once its parts cover it, in any order and where they overlap', async () => {
  await put(6, 4);
  expect(await parts.readWhole(SHA256, 10)).toBeUndefined();
  await put(0, 5);
  expect(await parts.readWhole(SHA256, 10)).toBeUndefined();
  await put(3, 5, 4);
  const whole = await parts.readWhole(SHA256, 10);
  if (whole === undefined) throw new Error('not whole');
  expect(await buffer(whole)).toEqual(CONTENT);
  await parts.remove(SHA256);
  expect(readdirSync(folder)).toEqual([]);
});

it('keeps what came before a break, and writes over what comes again', async () => {
  const part = { sha256: SHA256, start: 0, length: 10 };
  await parts.create(part);
  const broken = Readable.from(
    (async function* () {
      yield CONTENT.subarray(0, 4);
      throw new Error('broken off');
    })(),
  );
  await expect(parts.write(part, 0, broken, ignore)).rejects.toThrow('broken off');
  expect(await parts.readOffset(part)).toBe(4);
  expect(await parts.write(part, 2, Readable.from([CONTENT.subarray(2)]), ignore)).toBe(10);
  expect(await parts.list(SHA256)).toEqual([{ start: 0, length: 10, received: 10 }]);
});

it('takes no more than the part has', async () => {
  const part = { sha256: SHA256, start: 0, length: 5 };
  await parts.create(part);
  await expect(parts.write(part, 0, Readable.from([CONTENT]), ignore)).rejects.toMatchObject({
    code: 'EVIDENCE_TOO_LARGE',
  });
});

it('says of a full disk that it may be tried again', async () => {
  const part = { sha256: SHA256, start: 0, length: 10 };
  symlinkSync('/dev/full', join(folder, buildUploadPartId(part)));
  await expect(parts.write(part, 0, Readable.from([CONTENT]), ignore)).rejects.toMatchObject({
    code: 'DISK_FULL',
    retryable: true,
  });
});

it('lets parts expire that have not grown', async () => {
  await put(0, 5);
  await put(5, 5);
  const old = { sha256: SHA256, start: 0, length: 5 };
  utimesSync(join(folder, buildUploadPartId(old)), 1_000, 1_000);
  expect(await parts.expire(2_000_000)).toBe(1);
  expect(await parts.readOffset(old)).toBeUndefined();
  expect(await parts.list(SHA256)).toEqual([{ start: 5, length: 5, received: 5 }]);
});

it('looks for parts only', async () => {
  await expect(parts.readOffset({ sha256: '../../etc/passwd', start: 0, length: 1 })).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
  });
});
