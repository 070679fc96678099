import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  FeverGateProfile,
  fillDefaults,
  type GateState,
  parseWithSchema,
  type ScreeningReport,
} from '@ngatu/contract';
import { type PlannedScene, planScene, takeThermalPictures } from '@ngatu/simulators';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAY } from '../cloud/src/account/permission.ts';
import type { ApiApp } from '../cloud/src/api/api-app.ts';
import { openTestCentre, type TestCentre } from '../cloud/src/api/api-test-centre.ts';
import { buildApi } from '../cloud/src/api/build-api.ts';
import { AgentFever, type FeverGateConfig } from '../edge/src/agent-fever.ts';
import type { Outbox } from '../edge/src/outbox/outbox.ts';
import { DeliveryRig } from './delivery/delivery-rig.ts';
import { until as untilSoon } from './delivery/loopback-broker.ts';
import { NODE, SITE } from './delivery/message-builder.ts';

const LEARNING = 5;
/** Pictures are judged as fast as the machine can: a busy one takes its time. */
const until = (what: string, check: () => boolean | Promise<boolean>) => untilSoon(what, check, 60_000);
const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

/** A thermal camera that answers with what stands before it. */
class MatrixCamera {
  readonly #server: Server;
  #answers: readonly string[] = [];
  #next = 0;
  port = 0;

  constructor() {
    this.#server = createServer((_, response) => {
      const body = this.#answers[this.#next++ % Math.max(1, this.#answers.length)] ?? 'broken';
      response.setHeader('content-type', 'application/json').end(body);
    });
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  show(answers: readonly string[]): void {
    this.#answers = answers;
  }
}

function draw(planned: PlannedScene, byC: number | undefined): string[] {
  const [person] = planned.scene.people;
  if (person === undefined) throw new Error('nobody in the scene');
  const people =
    byC === undefined
      ? []
      : [{ ...person, movesX: 0, movesY: 0, face: { ...person.face, canthusC: person.face.canthusC + byC } }];
  return [...takeThermalPictures({ ...planned.scene, people, frames: 8 })].map(({ width, height, celsius }) =>
    JSON.stringify({ schemaVersion: 1, unit: 'Cel', width, height, values: [...celsius] }),
  );
}

function buildConfig(port: number, { blackbody }: PlannedScene): FeverGateConfig {
  const profile = parseWithSchema(
    FeverGateProfile,
    fillDefaults(FeverGateProfile, {
      name: 'hall-1',
      input: { kind: 'http', url: `http://127.0.0.1:${port}/matrix`, intervalMs: 20, timeoutMs: 2_000 },
      blackbody: { ...blackbody, accuracyC: 0.1 },
      roomSensor: 'hall',
      minFaceWidthPx: 90,
      maxFramesPerSecond: 30,
      stallTimeoutMs: 4_000,
      limits: { warmUpMs: 0 },
    }),
    { code: 'PROFILE_INVALID', what: 'the gate of the test' },
  );
  const { visible: _, input, ...rest } = profile;
  if (input.kind !== 'http') throw new Error('another input');
  return { ...rest, input, learnPassages: LEARNING };
}

describe('a fever gate from the camera to the centre', () => {
  let rig: DeliveryRig;
  let centre: TestCentre;
  let api: ApiApp;
  let outbox: Outbox;
  let config: FeverGateConfig;
  const planned = planScene(21, 'protocol', 'small');
  const scenes = {
    nobody: draw(planned, undefined),
    well: draw(planned, 0),
    ill: draw(planned, 1.5),
    broken: ['no matrix'],
    still: draw(planned, 0).slice(0, 1),
  };
  let camera = new MatrixCamera();
  const logged: { readonly code?: string; readonly msg: string }[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const reports: ScreeningReport[] = [];
  const results = () => reports.flatMap((report) => report.results);
  const shown = (): GateState | undefined =>
    reports.findLast(({ status }) => status !== undefined)?.status?.state;
  let stopAgent: (() => Promise<void>) | undefined;

  function startAgent(): void {
    const stop = new AbortController();
    const fever = new AgentFever({
      ...{
        gates: [config],
        site: SITE,
        node: NODE,
        stateDir: rig.folder,
        clock: CLOCK,
        random: Math.random,
        logger,
      },
      outbox: {
        append: (messages, extras) => {
          const outcomes = outbox.append(messages, extras);
          for (const message of messages) if (message.channel === 'screening') reports.push(message.body);
          return outcomes;
        },
      },
    });
    const tellRoom = (): void => {
      const at = new Date().toISOString();
      const tags = { sensor: 'hall' };
      fever.noteSensors([
        { at, metric: 'airTemperature', value: 22, unit: 'Cel', quality: 'good', tags },
        { at, metric: 'airHumidity', value: 40, unit: '%', quality: 'good', tags },
      ]);
    };
    tellRoom();
    const timer = setInterval(tellRoom, 1_000);
    const running = fever.run(stop.signal);
    stopAgent = async () => {
      clearInterval(timer);
      stop.abort();
      await running;
    };
  }

  /** One person comes, is told something, and leaves. */
  async function pass(who: 'well' | 'ill'): Promise<ReturnType<typeof results>[number]> {
    const before = results().length;
    camera.show(scenes[who]);
    await until(`a result of somebody who is ${who}`, () => results().length > before);
    camera.show(scenes.nobody);
    await until('the gate is free', () => shown() === 'idle');
    const result = results().at(-1);
    if (result === undefined) throw new Error('no result');
    return result;
  }

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
    outbox = rig.openOutbox();
    rig.startUplink(outbox);
    centre = await openTestCentre({ dataDir: rig.dataDir, nowMs: Date.now() });
    for (const role of ['operator', 'analyst', 'auditor'] as const) centre.addAccount(role, role, 'none');
    api = await buildApi(centre.deps);
    camera.show(scenes.nobody);
    await camera.listen();
    config = buildConfig(camera.port, planned);
    startAgent();
  }, 120_000);
  afterAll(async () => {
    await stopAgent?.();
    await camera.close();
    await api?.close();
    await centre?.[Symbol.asyncDispose]();
    await rig.close();
  });

  it('checks itself, learns its site, and sends fever to the thermometer', async () => {
    await until('the gate is free', () => shown() === 'idle');
    expect(reports.flatMap(({ selfChecks }) => selfChecks)).toMatchObject([{ passed: true }]);
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
    expect(JSON.stringify(rows)).not.toMatch(/38\.6|36\.9/);
    centre.clock.nowMs = Date.now() + 3_700_000;
    const late = await ask('operator', `${path}/${ill?.screeningId}/reading`, entry);
    expect([late.statusCode, late.json().code]).toEqual([409, 'SCREENING_CLOSED']);
    centre.clock.nowMs = Date.now();
  });

  it('is blind and says so where the camera dies, sends rubbish or stands still, and sees again', async () => {
    const { port } = camera;
    await camera.close();
    await until('the gate is blind', () => shown() === 'blind');
    await until('its failure is said', () => logged.some(({ code }) => code === 'THERMAL_UNAVAILABLE'));
    camera = new MatrixCamera();
    camera.show(scenes.nobody);
    await camera.listen(port);
    await until('the gate sees', () => shown() === 'idle');
    camera.show(scenes.broken);
    await until('the gate is blind', () => shown() === 'blind');
    await until('the fault is told', () => reports.at(-1)?.status?.fault === 'THERMAL_INVALID');
    camera.show(scenes.nobody);
    await until('the gate sees', () => shown() === 'idle');
    camera.show(scenes.still);
    await until('the gate is blind', () => reports.at(-1)?.status?.refusal === 'picture-frozen');
    camera.show(scenes.nobody);
    await until('the gate sees', () => shown() === 'idle');
    expect(
      logged.map(({ code }) => code),
      JSON.stringify(logged),
    ).toEqual(expect.arrayContaining(['THERMAL_UNAVAILABLE', 'THERMAL_INVALID']));
  }, 240_000);

  it('knows its site and its self-check after a restart, and begins anew from a torn file', async () => {
    await stopAgent?.();
    const windows = reports.flatMap(({ window }) => window ?? []);
    const sum = (name: 'passed' | 'measured') =>
      windows.reduce((total, { counts }) => total + counts[name], 0);
    expect([sum('passed'), sum('measured')]).toEqual([1, LEARNING + 1]);
    const services = windows.flatMap(({ time }) => time.map(({ service }) => service));
    expect(services).toEqual(expect.arrayContaining(['serving', 'blind', 'standing-aside']));
    reports.length = 0;
    startAgent();
    await until('the gate is free', () => shown() === 'idle');
    expect(reports.flatMap(({ selfChecks }) => selfChecks)).toEqual([]);
    expect(await pass('well')).toMatchObject({ outcome: 'pass' });
    await writeFile(join(rig.folder, 'fever', 'hall-1.accept'), '');
    await until('staff are heard', () => logged.some(({ msg }) => msg.includes('accepted by staff')));
    await stopAgent?.();
    const file = join(rig.folder, 'fever', 'hall-1.json');
    const text = await readFile(file, 'utf8');
    expect(text).not.toMatch(/sc-[0-9a-f]{16}/);
    await writeFile(file, text.slice(0, text.length / 2));
    logged.length = 0;
    reports.length = 0;
    startAgent();
    await until('the gate is free', () => shown() === 'idle');
    expect(logged.map(({ code }) => code)).toContain('GATE_MEMORY_INVALID');
    expect(reports.flatMap(({ selfChecks }) => selfChecks)).toHaveLength(1);
    expect(await pass('well')).toMatchObject({ outcome: 'measure' });
  }, 240_000);

  it('measures on where its visible camera has no network, and says that', async () => {
    await stopAgent?.();
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
    logged.length = 0;
    startAgent();
    await until('the gate is free', () => shown() === 'idle');
    expect(await pass('well')).toMatchObject({ outcome: 'measure' });
    expect(logged).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          code: 'ASSET_UNAVAILABLE',
          msg: expect.stringContaining('visible camera'),
        }),
      ]),
    );
  }, 240_000);

  it('writes no result into a log, and has no role for both plates and health', () => {
    const text = JSON.stringify(logged);
    for (const { screeningId } of results()) expect(text).not.toContain(screeningId);
    expect(text).not.toMatch(/skinC|estimateC|outcome/);
    for (const role of MAY.readScreening.filter((one) => one !== 'auditor'))
      expect(MAY.readCase as readonly string[]).not.toContain(role);
  });
});
