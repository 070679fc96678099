import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelManifest } from '@ngatu/contract';
import { pino } from 'pino';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NetworkFile } from '../model/model-file.ts';
import { aCarriedNetwork } from '../testing/carried-network.ts';
import { aYoloxManifest } from '../testing/yolox-model.ts';
import { openPictureParts } from './open-picture-maker.ts';
import { PictureProcess } from './picture-process.ts';

const logger = pino({ level: 'silent' });
const JOB = { width: 64, height: 48, sights: [], stills: [] };
const PLATE_JOB = {
  ...{ width: 64, height: 48, frames: [], sights: [], momentMs: 0, capturedAtMs: 0 },
  subject: { trackId: 1, label: 'car', box: [0, 0, 10, 10], occupants: [] },
} as const;
const { signal } = new AbortController();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-pictures-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A network of blurring or reading; its file is not there where there is no content. */
function aNetwork(
  name: string,
  content: Uint8Array | string | undefined,
  sha256?: string,
  changes: Partial<ModelManifest> = {
    task: 'face-detector',
    decoding: { format: 'yunet', strides: [8, 16, 32] },
  },
): NetworkFile {
  const path = join(folder, `${name}.onnx`);
  const bytes = Buffer.from(content ?? '');
  if (content !== undefined) writeFileSync(path, bytes);
  const manifest = aYoloxManifest({ name, classes: 1 }, changes);
  return { manifest, file: { path, sha256: sha256 ?? createHash('sha256').update(bytes).digest('hex') } };
}

/** A still of nothing, on which nobody was seen. */
async function aStillJob() {
  const file = join(folder, 'still.jpg');
  await sharp({ create: { width: 64, height: 48, channels: 3, background: '#456' } })
    .jpeg()
    .toFile(file);
  const still = { role: 'still-at', mediaTimeMs: 0, file, outFile: join(folder, 'out.jpg') } as const;
  return { ...JOB, sights: [{ mediaTimeMs: 0, users: [] }], stills: [still] };
}

/** A process that answers each job as `body` says; `request` is the message. */
function aProcess(body: string, limitMs = 20_000): PictureProcess {
  const module = join(folder, 'host.mjs');
  writeFileSync(
    module,
    `process.on('message', async (request) => { if (request.type === 'make') { ${body} } });\n`,
  );
  const pictures = new PictureProcess({ program: { module, args: [] }, logger, limitMs });
  pictures.use({});
  return pictures;
}

it('starts the process again after it died in the middle of a job', async () => {
  const mark = join(folder, 'died');
  using maker = aProcess(`
    const fs = await import('node:fs');
    if (!fs.existsSync(${JSON.stringify(mark)})) { fs.writeFileSync(${JSON.stringify(mark)}, ''); process.kill(process.pid, 'SIGKILL'); }
    process.send({ type: 'made', id: request.id, outcome: { made: {}, failed: {}, cpuMs: 7 } });`);
  await expect(maker.make(JOB, signal)).rejects.toMatchObject({ code: 'CHILD_FAILED', retryable: true });
  expect(await maker.make(JOB, signal)).toMatchObject({ cpuMs: 7 });
});

it('gives up a job that takes too long, and one whose agent stops', async () => {
  using slow = aProcess('', 300);
  await expect(slow.make(JOB, signal)).rejects.toMatchObject({ code: 'CHILD_FAILED' });
  using stopped = aProcess('');
  const stop = new AbortController();
  const job = stopped.make(JOB, stop.signal);
  stop.abort(new Error('agent stops'));
  await expect(job).rejects.toThrow('agent stops');
});

it('passes on why a job failed', async () => {
  using maker = aProcess(
    `process.send({ type: 'failed', id: request.id, code: 'DISK_FULL', message: 'no space', retryable: true });`,
  );
  await expect(maker.make(JOB, signal)).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true });
});

it('goes on without a model that is missing or broken, says so, and blurs whole road users', async () => {
  const { maker, problems } = await openPictureParts({
    face: aNetwork('faces', undefined),
    plate: aNetwork('plates', 'no model', '0'.repeat(64)),
  });
  expect(problems).toMatchObject([
    { use: 'face-blur', name: 'faces', code: 'FILE_UNREADABLE' },
    { use: 'plate-blur', name: 'plates', code: 'MODEL_DIGEST_MISMATCH' },
  ]);
  const { made, failed } = await maker.make(await aStillJob(), signal);
  expect(failed).toEqual({});
  expect(made['still-at']?.recipe).toBe('blur/1 scope=road-users faces=none plates=none');
});

it('reads plates in the same process, one job after the other, and is back after it was killed in one', async () => {
  const mark = join(folder, 'died');
  const module = join(folder, 'reader.mjs');
  const finding = "{ state: 'not-read', characters: [], alternatives: [], frames: 0, looks: 0, models: [] }";
  writeFileSync(
    module,
    `import fs from 'node:fs';
    process.on('message', (request) => {
      if (request.type === 'use') return;
      if (!fs.existsSync(${JSON.stringify(mark)})) { fs.writeFileSync(${JSON.stringify(mark)}, ''); process.kill(process.pid, 'SIGKILL'); }
      if (request.type === 'read-plate') process.send({ type: 'plate-read', id: request.id, outcome: { finding: ${finding} } });
      else process.send({ type: 'made', id: request.id, outcome: { made: {}, failed: {} } });
    });\n`,
  );
  using both = new PictureProcess({ program: { module, args: [] }, logger, limitMs: 20_000 });
  both.use({});
  await expect(both.readPlate(PLATE_JOB, signal)).rejects.toMatchObject({ code: 'CHILD_FAILED' });
  const [plate, made] = await Promise.all([both.readPlate(PLATE_JOB, signal), both.make(JOB, signal)]);
  expect(plate.finding.state).toBe('not-read');
  expect(made).toEqual({ made: {}, failed: {} });
});

it('takes no answer of another kind for its own', async () => {
  using maker = aProcess(`process.send({ type: 'plate-read', id: request.id, outcome: { finding: {} } });`);
  await expect(maker.make(JOB, signal)).rejects.toMatchObject({ code: 'CHILD_FAILED' });
});

it('says of each plate why it cannot be read, where a model is missing or broken', async () => {
  const none = await openPictureParts({});
  expect((await none.desk.readPlate(PLATE_JOB, signal)).finding.reason).toBe('model-missing');
  const [detector, reader] = [aNetwork('finder', undefined), aNetwork('reader', 'no model')];
  const failed = await openPictureParts({ reading: { detector, readers: [reader] } });
  expect(failed.problems).toMatchObject([{ use: 'plate-finder', name: 'finder', code: 'FILE_UNREADABLE' }]);
  expect((await failed.desk.readPlate(PLATE_JOB, signal)).finding).toMatchObject({
    ...{ state: 'not-read', reason: 'model-failed' },
  });
});

it('tells which of several networks cannot be opened, and blurs with the others', async () => {
  const { maker, problems, close } = await openPictureParts({
    face: aNetwork('faces', 'no network at all'),
    plate: aCarriedNetwork('plates-nano'),
  });
  expect(problems).toMatchObject([{ use: 'face-blur', name: 'faces', code: 'MODEL_INVALID' }]);
  const { made } = await maker.make(await aStillJob(), signal);
  expect(made['still-at']?.recipe).toMatch(/ faces=none plates=plates-nano@[0-9a-f]{8}$/);
  await close();
});

it('waits for the networks that it is to use, and takes others with the next job', async () => {
  const module = join(folder, 'naming.mjs');
  writeFileSync(
    module,
    `let name;
    process.on('message', (request) => {
      if (request.type === 'use') name = request.networks.face?.manifest.name ?? 'none';
      else if (request.type === 'prove') process.send({ type: 'proved', id: request.id });
      else process.send({ type: 'made', id: request.id, outcome: { made: {}, failed: { clip: name } } });
    });\n`,
  );
  using maker = new PictureProcess({ program: { module, args: [] }, logger, limitMs: 20_000 });
  const early = maker.make(JOB, signal);
  await maker.prove('face-blur', aNetwork('first', undefined), signal);
  maker.use({ face: aNetwork('first', undefined) });
  expect((await early).failed).toEqual({ clip: 'first' });
  maker.use({ face: aNetwork('second', undefined) });
  expect((await maker.make(JOB, signal)).failed).toEqual({ clip: 'second' });
  using never = new PictureProcess({ program: { module, args: [] }, logger });
  const stop = new AbortController();
  const waiting = never.make(JOB, stop.signal);
  stop.abort(new Error('agent stops'));
  await expect(waiting).rejects.toThrow('agent stops');
});

it('says which network it could not open any more', async () => {
  const module = join(folder, 'losing.mjs');
  const problem = { use: 'plate-finder', name: 'finder', code: 'FILE_UNREADABLE', message: 'gone' };
  writeFileSync(
    module,
    `process.on('message', (request) => {
      if (request.type !== 'make') return;
      process.send({ type: 'opened', problems: [${JSON.stringify(problem)}] });
      process.send({ type: 'made', id: request.id, outcome: { made: {}, failed: {} } });
    });\n`,
  );
  const problems: unknown[] = [];
  using maker = new PictureProcess({
    program: { module, args: [] },
    logger,
    limitMs: 20_000,
    onProblem: (told) => problems.push(told),
  });
  maker.use({});
  await maker.make(JOB, signal);
  expect(problems).toEqual([problem]);
});
