import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planScene } from '@ngatu/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAY } from '../cloud/src/account/permission.ts';
import type { ApiApp } from '../cloud/src/api/api-app.ts';
import { openTestCentre, type TestCentre } from '../cloud/src/api/api-test-centre.ts';
import { buildApi } from '../cloud/src/api/build-api.ts';
import type { FeverGateConfig } from '../edge/src/agent-fever.ts';
import { bundleThermalProgram } from './delivery/child-process.ts';
import { DeliveryRig } from './delivery/delivery-rig.ts';
import { NODE, SITE } from './delivery/message-builder.ts';
import { aGate, drawPictures, GateRun, LEARNING, toMatrix, until } from './fever/gate-rig.ts';
import { MatrixCamera } from './fever/matrix-camera.ts';

describe('a fever gate from the camera to the centre', () => {
  let rig: DeliveryRig;
  let centre: TestCentre;
  let api: ApiApp;
  let run: GateRun;
  let config: FeverGateConfig;
  const planned = planScene(21, 'protocol', 'small');
  const draw = (byC: number | undefined): string[] => drawPictures(planned, byC).map(toMatrix);
  const scenes = {
    nobody: draw(undefined),
    well: draw(0),
    ill: draw(1.5),
    broken: ['no matrix'],
    still: draw(0).slice(0, 1),
  };
  let camera: MatrixCamera;
  const shown = () => run.shown;
  const results = () => run.results;
  /** One person comes, is told something, and leaves. */
  const pass = (who: 'well' | 'ill') => run.pass((scene) => camera.show(scenes[scene]), who);

  async function ask(role: 'operator' | 'analyst' | 'auditor', path: string, put?: object) {
    const { token } = centre.deps.sessions.beginSession({
      username: role,
      method: 'password',
      address: '::1',
    });
    return api.inject({
      method: put === undefined ? 'GET' : 'PUT',
      url: `/api/v1${path}`,
      headers: { cookie: `ngatu_session=${token}`, host: 'centre.test', origin: 'http://centre.test' },
      ...(put === undefined ? {} : { payload: put }),
    });
  }
  const GATE = `/screening/gates/${SITE}/${NODE}/hall-1`;

  beforeAll(async () => {
    rig = await DeliveryRig.open();
    await rig.startIngestor();
    await rig.untilConnected();
    const outbox = rig.openOutbox();
    rig.startUplink(outbox);
    centre = await openTestCentre({ dataDir: rig.dataDir, nowMs: Date.now() });
    for (const role of ['operator', 'analyst', 'auditor'] as const) centre.addAccount(role, role, 'none');
    api = await buildApi(centre.deps);
    camera = await MatrixCamera.open();
    camera.show(scenes.nobody);
    config = aGate(planned, { kind: 'http', url: camera.url, intervalMs: 20, timeoutMs: 2_000 });
    const program = await bundleThermalProgram(rig.folder);
    run = new GateRun(rig.folder, program, (...entry) => outbox.append(...entry));
    run.start(config);
  }, 120_000);
  afterAll(async () => {
    await run?.stop();
    await camera?.[Symbol.asyncDispose]();
    await api?.close();
    await centre?.[Symbol.asyncDispose]();
    await rig.close();
  });

  it('checks itself, learns its site, and sends fever to the thermometer', async () => {
    await until('the gate is free', () => shown() === 'idle');
    expect(run.reports.flatMap(({ selfChecks }) => selfChecks)).toMatchObject([{ passed: true }]);
    for (let i = 0; i < LEARNING; i++) expect(await pass('well')).toMatchObject({ outcome: 'measure' });
    expect(await pass('well')).toMatchObject({ outcome: 'pass' });
    expect(await pass('ill')).toMatchObject({ outcome: 'measure' });
  }, 240_000);

  it('brings single passages to those who may see them, and counts to the others', async () => {
    centre.clock.nowMs = Date.now();
    const told = results().length;
    await until('all has come', async () => {
      const answer = await ask('operator', `${GATE}/passages`);
      return answer.statusCode === 200 && answer.json().items.length === told;
    });
    const list = (await ask('operator', `${GATE}/passages`)).json();
    expect(list.items[0].result).toEqual(results().at(-1));
    expect(list.status).toMatchObject({ site: { phase: 'following' } });
    expect((await ask('analyst', `${GATE}/passages`)).statusCode).toBe(403);
    const counts = await ask('analyst', '/screening/gates');
    expect(counts.json().gates).toMatchObject([{ gate: 'hall-1', service: 'serving' }]);
    expect(counts.body).not.toMatch(/screeningId|sc-[0-9a-f]|skinC|estimateC/);
    const looks = centre.deps.audit.list(50).filter(({ action }) => action === 'screening-read');
    expect(looks).toMatchObject([{ actor: 'operator', target: `${SITE}/${NODE}/hall-1` }]);
  });

  it('takes what the thermometer said, and tells how good the gate is', async () => {
    const [ill, well] = results().slice(-2).reverse();
    const path = `${GATE}/passages`;
    const entry = { celsius: 38.6, place: 'oral' };
    expect((await ask('auditor', `${path}/${ill?.screeningId}/reading`, entry)).statusCode).toBe(403);
    expect((await ask('operator', `${path}/sc-${'0'.repeat(16)}/reading`, entry)).statusCode).toBe(404);
    const entered = await ask('operator', `${path}/${ill?.screeningId}/reading`, entry);
    expect(entered.json()).toMatchObject({
      reading: { celsius: 38.6, place: 'oral', enteredBy: 'operator' },
    });
    await ask('operator', `${path}/${well?.screeningId}/reading`, { celsius: 38.9, place: 'oral' });
    await ask('operator', `${path}/${well?.screeningId}/reading`, { celsius: 36.9, place: 'oral' });
    const [gate] = (await ask('analyst', '/screening/gates')).json().gates;
    expect(gate.counts.confirmed).toMatchObject({
      sensitivity: { hits: 1, total: 1, low: expect.closeTo(0.207, 2), high: 1 },
      specificity: { hits: 1, total: 1 },
    });
    const rows = centre.deps.audit.list(50).filter(({ action }) => action === 'thermometer-enter');
    expect(rows.map(({ detail }) => detail?.split(' ')[1])).toEqual(['corrected', 'entered', 'entered']);
    // its instants may end in any numbers
    const told = rows.map(({ at: _, ...row }) => row);
    expect(JSON.stringify(told)).not.toMatch(/38\.[69]|36\.9/);
    centre.clock.nowMs = Date.now() + 3_700_000;
    const late = await ask('operator', `${path}/${ill?.screeningId}/reading`, entry);
    expect([late.statusCode, late.json().code]).toEqual([409, 'SCREENING_CLOSED']);
    centre.clock.nowMs = Date.now();
  });

  it('is blind and says so where the camera dies, sends rubbish or stands still, and sees again', async () => {
    const { port } = camera;
    await camera[Symbol.asyncDispose]();
    await until('the gate is blind', () => shown() === 'blind');
    await until('its failure is said', () => run.logged.some(({ code }) => code === 'THERMAL_UNAVAILABLE'));
    camera = await MatrixCamera.open(port);
    camera.show(scenes.nobody);
    await until('the gate sees', () => shown() === 'idle');
    camera.show(scenes.broken);
    await until('the gate is blind', () => shown() === 'blind');
    await until('the fault is told', () => run.reports.at(-1)?.status?.fault === 'THERMAL_INVALID');
    camera.show(scenes.nobody);
    await until('the gate sees', () => shown() === 'idle');
    camera.show(scenes.still);
    await until('the gate is blind', () => run.reports.at(-1)?.status?.refusal === 'picture-frozen');
    camera.show(scenes.nobody);
    await until('the gate sees', () => shown() === 'idle');
    expect(
      run.logged.map(({ code }) => code),
      JSON.stringify(run.logged),
    ).toEqual(expect.arrayContaining(['THERMAL_UNAVAILABLE', 'THERMAL_INVALID']));
  }, 240_000);

  it('knows its site and its self-check after a restart, and begins anew from a torn file', async () => {
    await run.stop();
    const windows = run.reports.flatMap(({ window }) => window ?? []);
    const sum = (name: 'passed' | 'measured') =>
      windows.reduce((total, { counts }) => total + counts[name], 0);
    expect([sum('passed'), sum('measured')]).toEqual([1, LEARNING + 1]);
    const services = windows.flatMap(({ time }) => time.map(({ service }) => service));
    expect(services).toEqual(expect.arrayContaining(['serving', 'blind', 'standing-aside']));
    run.reports.length = 0;
    run.start(config);
    await until('the gate is free', () => shown() === 'idle');
    expect(run.reports.flatMap(({ selfChecks }) => selfChecks)).toEqual([]);
    expect(await pass('well')).toMatchObject({ outcome: 'pass' });
    await writeFile(join(rig.folder, 'fever', 'hall-1.accept'), '');
    await until('staff are heard', () => run.logged.some(({ msg }) => msg.includes('accepted by staff')));
    await run.stop();
    const file = join(rig.folder, 'fever', 'hall-1.json');
    const text = await readFile(file, 'utf8');
    expect(text).not.toMatch(/sc-[0-9a-f]{16}/);
    await writeFile(file, text.slice(0, text.length / 2));
    run.logged.length = 0;
    run.reports.length = 0;
    run.start(config);
    await until('the gate is free', () => shown() === 'idle');
    expect(run.logged.map(({ code }) => code)).toContain('GATE_MEMORY_INVALID');
    expect(run.reports.flatMap(({ selfChecks }) => selfChecks)).toHaveLength(1);
    expect(await pass('well')).toMatchObject({ outcome: 'measure' });
  }, 240_000);

  it('measures on where its visible camera has no network', async () => {
    await run.stop();
    const pairs = [
      [0, 0],
      [600, 0],
      [600, 400],
      [0, 400],
    ].map(([x = 0, y = 0]) => ({
      visible: [x, y] as [number, number],
      thermal: [x / 2, y / 2] as [number, number],
    }));
    config = {
      ...config,
      visible: { url: 'rtsp://127.0.0.1:1/gate', width: 640, height: 480, pairs, lagMs: 0 },
    };
    run.logged.length = 0;
    run.start(config);
    await until('the gate is free', () => shown() === 'idle');
    expect(await pass('well')).toMatchObject({ outcome: 'measure' });
    expect(run.logged.filter(({ code }) => code !== undefined)).toEqual([]);
  }, 240_000);

  it('writes no result into a log, and has no role for both plates and health', () => {
    const text = JSON.stringify(run.logged);
    for (const { screeningId } of results()) expect(text).not.toContain(screeningId);
    expect(text).not.toMatch(/skinC|estimateC|outcome/);
    for (const role of MAY.readScreening.filter((one) => one !== 'auditor'))
      expect(MAY.readCase as readonly string[]).not.toContain(role);
  });
});
