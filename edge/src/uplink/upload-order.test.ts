import {
  decodeReceivedParts,
  EVIDENCE_PRIORITIES,
  encodeReceivedParts,
  parseUploadPartId,
} from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { splitFile, UploadFile } from './upload-file.ts';
import {
  AWAITED_MS,
  classifyUpload,
  compareUploads,
  isWithinWindows,
  type OrderedUpload,
} from './upload-order.ts';

function anUpload(name: string, change: Partial<OrderedUpload> = {}): OrderedUpload & { name: string } {
  return { name, class: 'derived', role: 'still-at', priority: 1, wantedAtMs: null, ...change };
}

describe('compareUploads', () => {
  it('pictures first, the graver case first, then what was asked for, then the rest', () => {
    const uploads = [
      anUpload('idle', { class: 'original', role: 'clip', priority: 2 }),
      anUpload('asked later', { class: 'original', role: 'clip', priority: 50, wantedAtMs: 2_000 }),
      anUpload('asked first', { class: 'original', role: 'clip', priority: 50, wantedAtMs: 1_000 }),
      anUpload('confirmed', { class: 'original', role: 'clip', priority: 10, wantedAtMs: 500 }),
      anUpload('plate picture', { role: 'plate-frame', priority: 2 }),
      anUpload('preview', { role: 'preview', priority: 2 }),
      anUpload('after', { role: 'still-after', priority: 2 }),
      anUpload('plate', { role: 'plate-crop', priority: 2 }),
      anUpload('at', { priority: 2 }),
      anUpload('crop', { role: 'subject-crop', priority: 2 }),
      anUpload('lesser case'),
    ];
    const orderAt = (nowMs: number) =>
      uploads.sort((left, right) => compareUploads(left, right, nowMs)).map(({ name }) => name);
    const pictures = ['at', 'crop', 'plate', 'after', 'preview', 'plate picture', 'lesser case'];
    expect(orderAt(2_000 + AWAITED_MS)).toEqual([
      ...pictures,
      ...['asked first', 'asked later', 'confirmed', 'idle'],
    ]);
    // for a while after somebody asked, the original goes before the pictures
    expect(orderAt(1_000 + AWAITED_MS)).toEqual([
      'asked later',
      ...pictures,
      ...['asked first', 'confirmed', 'idle'],
    ]);
  });

  it('lets no original go before pictures because of a confirmed case or a clock that went back', () => {
    const original = anUpload('clip', { class: 'original', role: 'clip', wantedAtMs: 5_000 });
    expect(classifyUpload({ ...original, priority: EVIDENCE_PRIORITIES.automatic }, 5_000)).toBe('wanted');
    const demanded = { ...original, priority: EVIDENCE_PRIORITIES.demanded };
    expect(classifyUpload(demanded, 5_000)).toBe('awaited');
    expect(classifyUpload(demanded, 4_999)).toBe('wanted');
  });
});

describe('isWithinWindows', () => {
  it.each([
    [[], 0, false],
    [[{ from: '22:00', to: '05:00' }], 22 * 60, true],
    [[{ from: '22:00', to: '05:00' }], 4 * 60 + 59, true],
    [[{ from: '22:00', to: '05:00' }], 5 * 60, false],
    [[{ from: '22:00', to: '05:00' }], 12 * 60, false],
    [[{ from: '12:00', to: '13:30' }], 13 * 60 + 29, true],
    [[{ from: '00:00', to: '00:00' }], 777, true],
  ])('%j at minute %i: %s', (windows, minute, expected) => {
    expect(isWithinWindows(windows, minute)).toBe(expected);
  });
});

describe('the parts of a file', () => {
  it.each([1, 500, 16_384, 32_767, 32_768, 75_000, 2_500_000, 20_000_000, 64 * 1024 * 1024])(
    'cover %i bytes without hole or overlap, none too short and few enough to be told',
    (sizeBytes) => {
      const parts = splitFile(sizeBytes);
      let at = 0;
      for (const { start, length } of parts) {
        expect(start).toBe(at);
        at += length;
        expect(at === sizeBytes || length >= 16_384).toBe(true);
      }
      expect(at).toBe(sizeBytes);
      expect(parts.length).toBeLessThanOrEqual(300);
    },
  );

  it('go on with what the centre has of the same part', () => {
    const file = { sha256: 'a'.repeat(64), path: '/x', sizeBytes: 200_000 };
    const [first, second] = splitFile(file.sizeBytes);
    if (first === undefined || second === undefined) throw new Error('one part');
    const told = decodeReceivedParts(
      encodeReceivedParts([
        { ...first, received: first.length },
        { ...second, received: 7 },
        { start: 1, length: 99, received: 99 },
      ]),
    );
    const upload = new UploadFile(file, told);
    expect(upload.nextPart()).toMatchObject({ start: second.start, offset: 7, created: true });
    expect(decodeReceivedParts('1+2=x,,5+6=7')).toEqual([{ start: 5, length: 6, received: 7 }]);
    expect(parseUploadPartId(`${'a'.repeat(64)}-00-5`)).toBeUndefined();
  });
});
