import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, it } from 'vitest';
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

/** A process that answers each job as `body` says; `request` is the message. */
function aProcess(body: string, limitMs = 20_000): PictureProcess {
  const module = join(folder, 'host.mjs');
  writeFileSync(
    module,
    `process.on('message', async (request) => { if (request.type === 'make') { ${body} } });\n`,
  );
  return new PictureProcess({ program: { module, args: [] }, models: {}, logger, limitMs });
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
  const broken = join(folder, 'broken.onnx');
  writeFileSync(broken, 'no model');
  const sha256 = '0'.repeat(64);
  const { maker, problems } = await openPictureParts({
    face: { name: 'yunet-n-640', path: join(folder, 'absent.onnx'), sha256 },
    plate: { name: 'plate-yolov9t', path: broken, sha256 },
  });
  expect(problems).toEqual([
    expect.stringContaining('FILE_UNREADABLE'),
    expect.stringContaining('MODEL_DIGEST_MISMATCH'),
  ]);
  const file = join(folder, 'still.jpg');
  await sharp({ create: { width: 64, height: 48, channels: 3, background: '#456' } })
    .jpeg()
    .toFile(file);
  const still = { role: 'still-at', mediaTimeMs: 0, file, outFile: join(folder, 'out.jpg') } as const;
  const sights = [{ mediaTimeMs: 0, users: [] }];
  const { made, failed } = await maker.make({ ...JOB, sights, stills: [still] }, signal);
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
      if (request.type === 'open') return;
      if (!fs.existsSync(${JSON.stringify(mark)})) { fs.writeFileSync(${JSON.stringify(mark)}, ''); process.kill(process.pid, 'SIGKILL'); }
      if (request.type === 'read-plate') process.send({ type: 'plate-read', id: request.id, outcome: { finding: ${finding} } });
      else process.send({ type: 'made', id: request.id, outcome: { made: {}, failed: {} } });
    });\n`,
  );
  using both = new PictureProcess({ program: { module, args: [] }, models: {}, logger, limitMs: 20_000 });
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
  const broken = { name: 'plate-reader', path: join(folder, 'broken.onnx'), sha256: '0'.repeat(64) };
  writeFileSync(broken.path, 'no model');
  const none = await openPictureParts({});
  expect((await none.desk.readPlate(PLATE_JOB, signal)).finding.reason).toBe('model-missing');
  const failed = await openPictureParts({ reading: { detector: broken, readers: [broken] } });
  expect(failed.problems).toHaveLength(2);
  expect((await failed.desk.readPlate(PLATE_JOB, signal)).finding).toMatchObject({
    ...{ state: 'not-read', reason: 'model-failed' },
  });
});
