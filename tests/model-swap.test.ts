import { createHash } from 'node:crypto';
import { EventEmitter, on } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findSchemaIssues, type ModelManifest, NgatuError, NodeModel, Telemetry } from '@ngatu/contract';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DetectorConfig } from '../edge/src/detect/open-detector.ts';
import type { Frame } from '../edge/src/frame/frame.ts';
import { loadDetectorMemory, parseDetectorMemory } from '../edge/src/pipeline/detector-memory.ts';
import { DetectorSeat, type DetectorSource } from '../edge/src/pipeline/detector-seat.ts';
import { runReloads } from '../edge/src/pipeline/model-seat.ts';
import { aYoloxManifest, aYoloxModel, type YoloxModelOptions } from '../edge/src/testing/yolox-model.ts';

const LOGGER = pino({ level: 'silent' });
const OLD: YoloxModelOptions & { name: string } = { name: 'old', classes: 1 };
const FRAME: Frame = {
  ...{ session: 's', index: 0, mediaTimeMs: 0, capturedAtMs: 0, clockErrorMs: 0, lamps: [] },
  ...{ width: 32, height: 32, sourceWidth: 32, sourceHeight: 32, pixels: Buffer.alloc(32 * 32 * 3, 255) },
};

let folder: string;
let stop: AbortController;
let ended: Promise<void>[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-seat-'));
  stop = new AbortController();
  ended = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(ended);
  rmSync(folder, { recursive: true, force: true });
});

/** A model of its own label, so that a finding tells who serves. */
function aModel(
  written: YoloxModelOptions & { readonly name: string },
  changes: Partial<ModelManifest> = {},
): DetectorConfig {
  const bytes = aYoloxModel(written);
  const path = join(folder, `${written.name}.onnx`);
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const manifest = aYoloxManifest({ ...written, sha256, sizeBytes: bytes.length }, changes);
  return { manifest, file: { path, sha256 }, minConfidence: 0.1, threads: 1 };
}

/** A seat with a switch for the model of its profile. */
async function openSeat(first: DetectorSource) {
  const asked = { source: first };
  const telemetry: Telemetry[] = [];
  const bell = new EventEmitter();
  const seat = await DetectorSeat.open({
    ...{ site: 'hanoi', node: 'gate-1', file: join(folder, 'detector.json'), logger: LOGGER },
    source: () => asked.source(),
    outbox: {
      append: (entries) => entries.map(({ body }) => telemetry.push(body as Telemetry)),
    },
    clock: { nowMs: () => Date.parse('2026-11-22T08:00:00.000Z') },
  });
  ended.push(runReloads([seat], on(bell, 'reload', { signal: stop.signal }), stop.signal));
  stop.signal.addEventListener('abort', () => ended.push(seat.detector.close()));
  const tell = async (source: DetectorSource): Promise<void> => {
    asked.source = source;
    const before = { refused: seat.state?.refused, reports: telemetry.length, name: seat.state?.name };
    bell.emit('reload');
    const deadline = Date.now() + 20_000;
    const isSettled = (): boolean =>
      telemetry.length > before.reports ||
      (before.refused !== undefined && seat.state?.refused === undefined);
    while (!isSettled()) {
      if (Date.now() > deadline) throw new Error('nothing became of the reload');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const labels = async (): Promise<string[]> => (await seat.detector.detect(FRAME)).map(({ label }) => label);
  return { seat, telemetry, tell, labels };
}

describe('the seat of the detector', () => {
  it('gives the place to another model that is sound, between two frames, and remembers it', {
    timeout: 60_000,
  }, async () => {
    const { seat, telemetry, tell, labels } = await openSeat(async () =>
      aModel(OLD, { labels: { 0: 'car' } }),
    );
    await seat.detector.opened;
    expect(await labels()).toContain('car');
    const before = seat.detector.model;
    const size = { width: 64, height: 64 };
    const during = Promise.all(Array.from({ length: 20 }, labels));
    const preprocessing = { ...aYoloxManifest({ classes: 2, size }).preprocessing, padValue: 0 };
    await tell(async () =>
      aModel({ name: 'new', classes: 2, size }, { labels: { 0: 'bus' }, preprocessing }),
    );
    expect((await during).flat().every((label) => label === 'car' || label === 'bus')).toBe(true);
    expect(await labels()).toContain('bus');
    expect(seat.detector.model.name).toBe('new');
    expect(seat.detector.model.sha256).not.toBe(before.sha256);
    expect(seat.state?.refused).toBeUndefined();
    expect(findSchemaIssues(NodeModel, seat.state)).toEqual([]);
    expect(telemetry.at(-1)?.measurements).toMatchObject([{ metric: 'modelTaken', tags: { model: 'new' } }]);
    expect(loadDetectorMemory(join(folder, 'detector.json'), LOGGER)?.manifest.name).toBe('new');
  });

  const faults: [string, string, () => Promise<DetectorConfig>][] = [
    ['a changed file', 'MODEL_DIGEST_MISMATCH', async () => spoil(aModel({ name: 'new', classes: 1 }))],
    ['a missing file', 'FILE_UNREADABLE', async () => lose(aModel({ name: 'new', classes: 1 }))],
    [
      'another opset',
      'MODEL_INVALID',
      async () => aModel({ name: 'new', classes: 1 }, { runtime: { kind: 'onnx', opset: 9 } }),
    ],
    [
      'other tensors',
      'MODEL_INVALID',
      async () =>
        aModel({ name: 'new', classes: 1, output: 'boxes' }, { outputs: aYoloxManifest(OLD).outputs }),
    ],
    [
      'another number of classes',
      'MODEL_INVALID',
      async () =>
        aModel(
          { name: 'new', classes: 3 },
          { decoding: aYoloxManifest(OLD).decoding, outputs: aYoloxManifest(OLD).outputs },
        ),
    ],
    [
      'labels beyond the classes',
      'MODEL_INVALID',
      async () => aModel({ name: 'new', classes: 1 }, { labels: { 7: 'car' } }),
    ],
    ['half a file', 'MODEL_INVALID', async () => halve(aModel({ name: 'new', classes: 1 }))],
    ['another task', 'MODEL_INVALID', async () => aModel({ name: 'new', classes: 1 }, { task: 'helmet' })],
    [
      'a model that nobody knows',
      'ASSET_UNKNOWN',
      () => Promise.reject(new NgatuError('ASSET_UNKNOWN', 'no "new"')),
    ],
    [
      'a profile that is broken',
      'PROFILE_INVALID',
      () => Promise.reject(new NgatuError('PROFILE_INVALID', 'line 3')),
    ],
  ];

  it('keeps the one that serves for every fault of another, says which, and takes the next sound one', {
    timeout: 120_000,
  }, async () => {
    const { seat, telemetry, tell, labels } = await openSeat(async () =>
      aModel(OLD, { labels: { 0: 'car' } }),
    );
    await seat.detector.opened;
    const { model } = seat.detector;
    for (const [what, code, source] of faults) {
      await tell(source);
      expect([what, seat.state?.refused?.code]).toEqual([what, code]);
      expect(findSchemaIssues(NodeModel, seat.state)).toEqual([]);
      expect(telemetry.at(-1)?.measurements).toMatchObject([
        { metric: 'modelRefused', value: 1, tags: { code } },
      ]);
      expect(telemetry.flatMap((body) => findSchemaIssues(Telemetry, body))).toEqual([]);
      expect(seat.detector.model).toEqual(model);
      expect(await labels()).toContain('car');
    }
    expect(loadDetectorMemory(join(folder, 'detector.json'), LOGGER)?.manifest.name).toBe('old');
    await tell(async () => aModel(OLD, { labels: { 0: 'car' } }));
    expect(seat.state?.refused).toBeUndefined();
    expect(telemetry.at(-1)?.measurements[0]?.metric).toBe('modelRefused');
  });

  it('starts with the last one that worked where that of the profile does not', {
    timeout: 60_000,
  }, async () => {
    const first = await openSeat(async () => aModel(OLD, { labels: { 0: 'car' } }));
    await first.seat.detector.opened;
    await first.seat.detector.close();
    for (const [source, code] of [
      [() => Promise.reject(new NgatuError('ASSET_UNAVAILABLE', 'offline')), 'ASSET_UNAVAILABLE'],
      [async () => spoil(aModel({ name: 'new', classes: 1 })), 'MODEL_DIGEST_MISMATCH'],
    ] as const) {
      const { seat, labels } = await openSeat(source);
      await seat.detector.opened;
      expect(seat.state).toMatchObject({ name: 'old', refused: { code } });
      expect(await labels()).toContain('car');
    }
  });

  it('cannot start without any model that works, and says what is wrong with that of the profile', async () => {
    const absent = () => Promise.reject(new NgatuError('ASSET_UNAVAILABLE', 'offline'));
    await expect(openSeat(absent)).rejects.toMatchObject({ code: 'ASSET_UNAVAILABLE' });
    const { seat } = await openSeat(async () => spoil(aModel({ name: 'new', classes: 1 })));
    ended[0]?.catch(() => undefined);
    await expect(seat.detector.opened).rejects.toMatchObject({ code: 'MODEL_DIGEST_MISMATCH' });
    await expect(ended.shift()).rejects.toMatchObject({ code: 'MODEL_DIGEST_MISMATCH' });
    expect(seat.state).toBeUndefined();
    expect(existsSync(join(folder, 'detector.json'))).toBe(false);
  });
});

describe('the memory of the last model', () => {
  it.each([
    ['no JSON', '{'],
    ['no object', '7'],
    ['nothing in it', '{}'],
    ['no manifest', '{"minConfidence":0.1,"threads":1,"file":{}}'],
    ['no digest', '{"minConfidence":0.1,"threads":1,"file":{"path":"a","sha256":"b"}}'],
  ])('is not used where it is damaged: %s', (_, text) => {
    const file = join(folder, 'detector.json');
    writeFileSync(file, text);
    expect(loadDetectorMemory(file, LOGGER)).toBeUndefined();
    expect(() => parseDetectorMemory(readFileSync(file))).toThrow(NgatuError);
    expect(loadDetectorMemory(join(folder, 'none.json'), LOGGER)).toBeUndefined();
  });
});

function spoil(config: DetectorConfig): DetectorConfig {
  writeFileSync(config.file.path, 'something else');
  return config;
}

function lose(config: DetectorConfig): DetectorConfig {
  rmSync(config.file.path);
  return config;
}

function halve(config: DetectorConfig): DetectorConfig {
  const { path } = config.file;
  const bytes = readFileSync(path).subarray(0, 300);
  writeFileSync(path, bytes);
  return { ...config, file: { path, sha256: createHash('sha256').update(bytes).digest('hex') } };
}
