import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { planScene } from '@ngatu/simulators';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GateWorker } from '../edge/src/pipeline/gate-worker.ts';
import { ThermalThread } from '../edge/src/pipeline/thermal-thread.ts';
import { type FrameView, judgeFrame } from '../edge/src/thermal/passage.ts';
import { RoomReadings } from '../edge/src/thermal/room-reading.ts';
import type { ThermalFrame } from '../edge/src/thermal/thermal-frame.ts';
import { bundleThermalProgram } from './delivery/child-process.ts';
import { NODE, SITE } from './delivery/message-builder.ts';
import { aGate, drawPictures, GateRun, toMatrix, until } from './fever/gate-rig.ts';
import { MatrixCamera } from './fever/matrix-camera.ts';

const planned = planScene(21, 'protocol', 'full');
const { x, y, width, height, setC } = planned.blackbody;
const VIEW: FrameView = {
  optics: {
    blackbody: { region: { x, y, width, height }, setC, accuracyC: 0.1, emissivity: 0.98, toleranceC: 2 },
    ...{ distanceM: 1, minFaceWidthPx: 90, uniformityC: 0.15, band: 1_480 },
  },
  ambient: { celsius: 22, relativeHumidity: 0.4 },
};

let folder: string;
let program: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-thermal-thread-'));
  program = await bundleThermalProgram(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A thread that answers each question as `body` says. */
function aThread(name: string, body: string, limitMs: number): ThermalThread {
  const module = join(folder, `${name}.mjs`);
  writeFileSync(
    module,
    `import { parentPort } from 'node:worker_threads'; import { existsSync, writeFileSync } from 'node:fs';
     parentPort.on('message', (request) => { ${body} });\n`,
  );
  return new ThermalThread({ module, limitMs });
}

/** At once: a matcher walks every pixel. */
const isSame = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

describe('the thread of a gate', () => {
  const [picture] = drawPictures(planned, 0);
  if (picture === undefined) throw new Error('no picture');

  it('judges and reads as is done here, and leaves the process its time', async () => {
    await using thread = new ThermalThread({ module: program });
    const text = Buffer.from(`#${toMatrix(picture)}`).subarray(1);
    const frame = await thread.read(text, 'json');
    expect(isSame(frame.celsius, picture.celsius)).toBe(true);
    expect(text.length).toBeGreaterThan(1_000_000);
    const here = judgeFrame(frame, VIEW);
    expect(here.kind).toBe('face');
    const order: string[] = [];
    setTimeout(() => order.push('a timer'), 1);
    const there = await thread.judge(frame, VIEW).finally(() => order.push('the picture'));
    expect(there).toEqual(here);
    expect(order).toEqual(['a timer', 'the picture']);
    // the frame is still the caller's
    expect(isSame(frame.celsius, picture.celsius)).toBe(true);
  });

  it('passes on why a matrix is none', async () => {
    await using thread = new ThermalThread({ module: program });
    await expect(thread.read(Buffer.from('{"schemaVersion":1}'), 'json')).rejects.toMatchObject({
      code: 'THERMAL_INVALID',
    });
    await expect(thread.read(Buffer.from('no table'), 'text')).rejects.toMatchObject({
      code: 'THERMAL_INVALID',
      message: expect.stringContaining('no table of numbers'),
    });
  });

  it('is started again after it ended in the middle of a picture, or took too long', async () => {
    const mark = JSON.stringify(join(folder, 'ended'));
    const answer = `parentPort.postMessage({ type: 'judged', id: request.id, judgement: { kind: 'refused', refusal: 'no-person' } });`;
    await using ends = aThread(
      'ends',
      `if (!existsSync(${mark})) { writeFileSync(${mark}, ''); process.exit(3); } ${answer}`,
      20_000,
    );
    const gone = { code: 'CHILD_FAILED', retryable: true };
    await expect(ends.judge(picture, VIEW)).rejects.toMatchObject(gone);
    expect(await ends.judge(picture, VIEW)).toMatchObject({ refusal: 'no-person' });
    await using hangs = aThread('hangs', '', 500);
    await expect(hangs.judge(picture, VIEW)).rejects.toMatchObject({
      ...gone,
      message: expect.stringContaining('500 ms'),
    });
    await using stopped = aThread('stopped', '', 60_000);
    const open = expect(stopped.judge(picture, VIEW)).rejects.toMatchObject(gone);
    await stopped[Symbol.asyncDispose]();
    await open;
    await expect(stopped.judge(picture, VIEW)).rejects.toMatchObject(gone);
  });
});

describe('a gate whose pictures are judged in a thread', () => {
  const small = planScene(21, 'protocol', 'small');
  const nobody = drawPictures(small, undefined);

  it('is blind while the thread cannot run, says so, and sees once it can', async () => {
    await using camera = await MatrixCamera.open();
    camera.show(nobody.map(toMatrix));
    const module = join(folder, 'late', 'program.mjs');
    const run = new GateRun(mkdtempSync(join(folder, 'state-')), module);
    run.start(aGate(small, { kind: 'http', url: camera.url, intervalMs: 20, timeoutMs: 2_000 }));
    await until('the failure is told', () => run.reason.fault === 'CHILD_FAILED');
    expect(run.shown).toBe('blind');
    await mkdir(join(folder, 'late'));
    await copyFile(program, module);
    await until('the gate sees', () => run.shown === 'idle');
    expect(run.reason.fault).toBeUndefined();
    await run.stop();
  }, 120_000);

  it('judges the newest picture, and counts those that gave way to it', async () => {
    await using camera = await MatrixCamera.open();
    camera.show(nobody.map(toMatrix));
    await using thread = new ThermalThread({ module: program });
    const taken: ThermalFrame[] = [];
    const behind: number[] = [];
    const slow: Pick<ThermalThread, 'read' | 'judge'> = {
      read: async (bytes, form) => {
        const frame = await thread.read(bytes, form);
        taken.push(frame);
        return frame;
      },
      judge: async (frame, view) => {
        behind.push(taken.length - 1 - taken.indexOf(frame));
        const judgement = await thread.judge(frame, view);
        await sleep(400);
        return judgement;
      },
    };
    const figures = new Map<string, number>();
    const gate = aGate(small, { kind: 'http', url: camera.url, intervalMs: 20, timeoutMs: 2_000 });
    const worker = await GateWorker.open(gate, {
      ...{ site: SITE, node: NODE, rooms: new RoomReadings(), folder, thread: slow, random: Math.random },
      clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
      logger: pino({ level: 'silent' }),
      outbox: {
        append: (messages) => {
          for (const message of messages)
            if (message.channel === 'telemetry')
              for (const { metric, value } of message.body.measurements) figures.set(metric, value);
          return [];
        },
      },
    });
    const stop = new AbortController();
    const running = worker.run(stop.signal);
    await until('five pictures were judged', () => behind.length > 5);
    stop.abort();
    await running;
    // one may have been read while the one before it was handed over
    expect(Math.max(...behind)).toBeLessThanOrEqual(1);
    const [judged = 0, dropped = 0] = [figures.get('framesJudged'), figures.get('framesDropped')];
    expect(judged).toBeGreaterThanOrEqual(5);
    expect(dropped).toBeGreaterThan(0);
    // all that came was judged or counted, but for what was under way at the end
    expect(taken.length - judged - dropped).toBeLessThanOrEqual(3);
    expect(judged + dropped).toBeLessThanOrEqual(taken.length);
  }, 120_000);
});
