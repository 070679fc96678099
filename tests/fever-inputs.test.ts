import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planScene } from '@ngatu/simulators';
import { connectAsync } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../cloud/src/api/api-app.ts';
import { openTestCentre, type TestCentre } from '../cloud/src/api/api-test-centre.ts';
import { buildApi } from '../cloud/src/api/build-api.ts';
import { computeSignal } from '../edge/src/thermal/radiometry.ts';
import { buildFlirRecord, FLIR_PLANCK, packPlain } from '../edge/src/thermal/test-flir-file.ts';
import { bundleThermalProgram } from './delivery/child-process.ts';
import { DeliveryRig } from './delivery/delivery-rig.ts';
import { LoopbackBroker } from './delivery/loopback-broker.ts';
import { aGate, drawPictures, GateRun, LEARNING, type Seen, toMatrix, until } from './fever/gate-rig.ts';
import { HUNDREDTHS, toY16, Y16Device } from './fever/y16-device.ts';

/** 320 × 240. */
const planned = planScene(21, 'protocol', 'small');
const SCENES = {
  nobody: drawPictures(planned, undefined),
  well: drawPictures(planned, 0),
  ill: drawPictures(planned, 1.5),
};
type Scene = keyof typeof SCENES;

let rig: DeliveryRig;
let centre: TestCentre;
let api: ApiApp;
let program: string;
let run: GateRun;

beforeAll(async () => {
  rig = await DeliveryRig.open();
  await rig.startIngestor();
  await rig.untilConnected();
  const outbox = rig.openOutbox();
  rig.startUplink(outbox);
  program = await bundleThermalProgram(rig.folder);
  run = new GateRun(rig.folder, program, (...entry) => outbox.append(...entry));
  centre = await openTestCentre({ dataDir: rig.dataDir, nowMs: Date.now() });
  centre.addAccount('analyst', 'analyst', 'none');
  api = await buildApi(centre.deps);
}, 120_000);
afterEach(async () => {
  await run.stop();
  run.clear();
});
afterAll(async () => {
  await api?.close();
  await centre?.[Symbol.asyncDispose]();
  await rig.close();
});

/** How the gate serves, as the centre tells who measures. */
async function askCentre(gate: string): Promise<Record<string, unknown> | undefined> {
  const { token } = centre.deps.sessions.beginSession({
    username: 'analyst',
    method: 'password',
    address: '::1',
  });
  const answer = await api.inject({
    url: '/api/v1/screening/gates',
    headers: { cookie: `ngatu_session=${token}`, host: 'centre.test' },
  });
  const gates: { gate: string }[] = answer.json().gates;
  return gates.find((one) => one.gate === gate);
}

/** The gate learns its site from healthy people, then tells one of them from one with fever, and the centre hears of it. */
async function screen(gate: string, show: (scene: Scene) => void): Promise<void> {
  await until('the gate is free', () => run.shown === 'idle');
  for (let i = 0; i < LEARNING; i++)
    expect(await run.pass<Scene>(show, 'well')).toMatchObject({ outcome: 'measure' });
  expect(await run.pass<Scene>(show, 'well')).toMatchObject({ outcome: 'pass' });
  expect(await run.pass<Scene>(show, 'ill')).toMatchObject({ outcome: 'measure' });
  await until('the centre knows', async () => (await askCentre(gate))?.['service'] === 'serving');
}

const untilBlind = (fault: string): Promise<void> =>
  until(`the gate is blind of ${fault}`, () => run.shown === 'blind' && run.reason.fault === fault);
const untilIdle = (): Promise<void> => until('the gate sees', () => run.shown === 'idle');

describe('a gate whose thermal camera publishes by MQTT', () => {
  it('screens; is blind without broker, of rubbish and of a wrong size; and sees again', async () => {
    const broker = await LoopbackBroker.startForDevices(rig.folder);
    const camera = await connectAsync(broker.url, {
      protocolVersion: 5,
      reconnectPeriod: 200,
      queueQoSZero: false,
    });
    camera.on('error', () => undefined);
    let payloads: readonly (string | Buffer)[] = [];
    const show = (scene: Scene): void => {
      payloads = SCENES[scene].map(toMatrix);
    };
    let next = 0;
    const timer = setInterval(() => {
      const payload = payloads[next++ % payloads.length];
      if (payload !== undefined && camera.connected) camera.publish('hall/thermal', payload, () => undefined);
    }, 100);
    try {
      show('nobody');
      run.start(
        aGate(planned, { kind: 'mqtt', url: broker.url, topic: 'hall/thermal' }, { name: 'by-mqtt' }),
      );
      await screen('by-mqtt', show);
      const told = run.results.length;
      await broker.kill();
      await untilBlind('THERMAL_UNAVAILABLE');
      await broker.restart();
      await untilIdle();
      const [picture] = SCENES.well;
      const cut = JSON.stringify({ ...JSON.parse(toMatrix(picture as Seen)), height: 239 });
      for (const rubbish of [['no matrix'], [randomBytes(50_000)], [cut]]) {
        payloads = rubbish;
        await untilBlind('THERMAL_INVALID');
        show('nobody');
        await untilIdle();
      }
      // whole pictures of another camera: its blackbody is not where that of the gate is
      const other = planScene(22, 'protocol', 'full');
      payloads = drawPictures(other, 0).map(toMatrix);
      await until('the gate stands aside', () => run.reason.refusal === 'blackbody-missing');
      expect(run.results.length).toBe(told);
      show('nobody');
      await untilIdle();
      expect(await run.pass<Scene>(show, 'well')).toMatchObject({ outcome: 'pass' });
    } finally {
      clearInterval(timer);
      camera.end(true);
      await broker.kill();
    }
  }, 400_000);
});

describe('a gate that plays a radiometric recording', () => {
  /** FFV1 of these scenes one after the other, nine pictures a second. */
  function record(file: string, pictures: readonly Seen[], format = 'gray16le'): string {
    const [{ width, height }] = pictures as [Seen];
    const raw = [
      '-f',
      'rawvideo',
      '-pix_fmt',
      'gray16le',
      '-s',
      `${width}x${height}`,
      '-r',
      '9',
      '-i',
      'pipe:0',
    ];
    const path = join(rig.folder, file);
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...raw, '-c:v', 'ffv1', '-pix_fmt', format, path], {
      input: Buffer.concat(pictures.map(toY16)),
    });
    return path;
  }

  /** The same as a SEQ of FLIR. */
  function recordFlir(file: string, pictures: readonly Seen[]): string {
    const path = join(rig.folder, file);
    const beganMs = Date.UTC(2026, 0, 1);
    const records = pictures.map(({ width, height, celsius }, index) => {
      const raw = Uint16Array.from(celsius, (value) => Math.round(computeSignal(value, FLIR_PLANCK)));
      const takenAtMs = beganMs + Math.round((index * 1_000) / 9);
      return buildFlirRecord(packPlain(raw), 'little', { width, height, takenAtMs });
    });
    writeFileSync(path, Buffer.concat(records));
    return path;
  }

  it('screens who walks through it; is blind where it is no recording; and goes on with a sound one', async () => {
    const { nobody, well, ill } = SCENES;
    const playing = record('playing.mkv', [...nobody, ...well, ...well, ...nobody]);
    const sick = record('ill.mkv', [...nobody, ...ill, ...ill, ...nobody]);
    const other = record('other-camera.mkv', drawPictures(planScene(22, 'protocol', 'full'), 0));
    const flat = record('eight-bit.mkv', nobody, 'gray');
    const put = (file: string): void => renameSync(file, playing);
    run.start(
      aGate(planned, { kind: 'recording', path: playing, mapping: HUNDREDTHS }, { name: 'by-recording' }),
    );
    const outcomes = (): string[] => run.results.map(({ outcome }) => outcome);
    await until('the site is learned', () => outcomes().length > LEARNING);
    expect(outcomes().slice(0, LEARNING + 1)).toEqual([...Array(LEARNING).fill('measure'), 'pass']);
    put(sick);
    await until('somebody ill came through', () => outcomes().at(-1) === 'measure');
    const told = outcomes().length;
    put(other);
    await until('the gate stands aside', () => run.reason.refusal === 'blackbody-missing');
    put(flat);
    await untilBlind('THERMAL_INVALID');
    put(record('empty.mkv', nobody));
    await untilIdle();
    writeFileSync(`${playing}.new`, randomBytes(200_000));
    put(`${playing}.new`);
    await untilBlind('THERMAL_INVALID');
    put(record('empty-again.mkv', nobody));
    await untilIdle();
    rmSync(playing);
    await untilBlind('THERMAL_INVALID');
    expect(outcomes().length - told).toBeLessThanOrEqual(1);
    const before = outcomes().length;
    put(record('sound.mkv', [...nobody, ...well, ...well, ...nobody]));
    await until('people walk through it again', () => outcomes().length > before);
    expect(outcomes().at(-1)).toBe('pass');
    put(recordFlir('ill.seq', [...nobody, ...ill, ...ill, ...nobody]));
    await until('a camera of FLIR saw somebody ill', () => outcomes().at(-1) === 'measure');
    const whole = readFileSync(recordFlir('whole.seq', nobody));
    writeFileSync(`${playing}.new`, whole.subarray(0, 900));
    put(`${playing}.new`);
    await untilBlind('THERMAL_INVALID');
    const seen = outcomes().length;
    put(recordFlir('well.seq', [...nobody, ...well, ...well, ...nobody]));
    await until('and somebody well', () => outcomes().length > seen);
    expect(outcomes().at(-1)).toBe('pass');
    await until('the centre knows', async () => (await askCentre('by-recording'))?.['service'] === 'serving');
  }, 400_000);
});

describe('a gate with a camera that delivers Y16', () => {
  it('screens; is blind without the device, of silence and of a wrong size; refuses rubbish; and sees again', async () => {
    await using device = new Y16Device(mkdtempSync(join(rig.folder, 'y16-')), '320x240');
    const show = (scene: Scene): void => device.show(SCENES[scene].map(toY16));
    show('nobody');
    const input = { kind: 'v4l2', device: device.path, width: 320, height: 240, mapping: HUNDREDTHS };
    run.start(aGate(planned, input, { name: 'by-y16' }));
    await screen('by-y16', show);
    const told = run.results.length;
    await device.unplug();
    await untilBlind('THERMAL_UNAVAILABLE');
    device.plugIn();
    await untilIdle();
    device.mute = true;
    await untilBlind('THERMAL_UNAVAILABLE');
    device.mute = false;
    await untilIdle();
    // the driver takes another size than it was asked for
    device.size = '160x120';
    await device.unplug();
    device.plugIn();
    await untilBlind('THERMAL_UNAVAILABLE');
    device.size = '320x240';
    await untilIdle();
    device.show(Array.from({ length: 4 }, () => randomBytes(2 * 320 * 240)));
    await until('the gate stands aside', () => run.reason.refusal === 'blackbody-missing');
    expect(run.results.length).toBe(told);
    show('nobody');
    await untilIdle();
    expect(await run.pass<Scene>(show, 'well')).toMatchObject({ outcome: 'pass' });
  }, 400_000);
});
