import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { sha256Of } from '../../../tests/delivery/message-builder.ts';
import type { EvidenceStore } from './evidence-store.ts';

/** What every evidence store does. `open` gives an empty store whose limit is 1 MiB. */
export function describeEvidenceStore(name: string, backend: { open: () => Promise<EvidenceStore> }): void {
  describe(`evidence store contract: ${name}`, () => {
    let store: EvidenceStore;
    beforeEach(async () => {
      store = await backend.open();
    });

    it('gives back what was put in, whole and in ranges', async () => {
      const content = Buffer.from('0123456789');
      const digest = sha256Of(content);
      expect(await store.put(digest, Readable.from([content.subarray(0, 4), content.subarray(4)]))).toBe(
        'stored',
      );
      const handle = await store.open(digest);
      expect(handle?.sizeBytes).toBe(10);
      if (handle === undefined) throw new Error('not there');
      expect(await text(handle.read())).toBe('0123456789');
      expect(await text(handle.read({ start: 2, end: 4 }))).toBe('234');
      expect(await store.put(digest, Readable.from([content]))).toBe('present');
    });

    it('keeps nothing of bytes that have another digest', async () => {
      const digest = sha256Of(Buffer.from('a'));
      await expect(store.put(digest, Readable.from([Buffer.from('b')]))).rejects.toMatchObject({
        code: 'EVIDENCE_DIGEST_MISMATCH',
      });
      expect(await store.open(digest)).toBeUndefined();
      expect(await store.put(digest, Readable.from([Buffer.from('a')]))).toBe('stored');
    });

    it('keeps nothing of a file that is too large', async () => {
      const content = randomBytes(1024 * 1024 + 1);
      const digest = sha256Of(content);
      await expect(store.put(digest, Readable.from([content]))).rejects.toMatchObject({
        code: 'EVIDENCE_TOO_LARGE',
      });
      expect(await store.open(digest)).toBeUndefined();
    });

    it('keeps nothing of an upload that breaks off', async () => {
      const digest = sha256Of(Buffer.from('whole'));
      const broken = Readable.from(
        (async function* () {
          yield Buffer.from('wh');
          throw new Error('broken off');
        })(),
      );
      await expect(store.put(digest, broken)).rejects.toThrow('broken off');
      expect(await store.open(digest)).toBeUndefined();
    });

    it('stores a file once that comes twice at the same time', async () => {
      const content = randomBytes(300_000);
      const digest = sha256Of(content);
      const chunks = () =>
        Readable.from(Array.from({ length: 30 }, (_, i) => content.subarray(i * 10_000, (i + 1) * 10_000)));
      await Promise.all([store.put(digest, chunks()), store.put(digest, chunks())]);
      expect((await store.open(digest))?.sizeBytes).toBe(300_000);
    });

    it('looks for digests only', async () => {
      await expect(store.open('../../etc/passwd')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    });
  });
}
