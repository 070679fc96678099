import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateServer } from './gate-server.ts';
import { type GateVisit, planVisits } from './gate-visit.ts';
import { SimulatedGate } from './simulated-gate.ts';
import type { SimulatedThermalFrame } from './thermal-scene.ts';

const PLAN = { seed: 4, sensor: 'small', feverShare: 0.2, mistakeShare: 0.4, framesPerSecond: 4 } as const;

function take(options: Parameters<typeof planVisits>[0], count: number): GateVisit[] {
  const visits: GateVisit[] = [];
  for (const visit of planVisits(options)) if (visits.push(visit) === count) break;
  return visits;
}

const digest = ({ celsius }: SimulatedThermalFrame) => createHash('sha256').update(celsius).digest('hex');

describe('visits of a gate', () => {
  it('follow one another, with nobody between them, and are the same again for the same seed', () => {
    const visits = take(PLAN, 200);
    expect(visits).toEqual(take(PLAN, 200));
    let freeFromMs = 0;
    for (const [index, { number, fromMs, toMs, phases }] of visits.entries()) {
      expect(number).toBe(index + 1);
      expect(fromMs).toBeGreaterThanOrEqual(freeFromMs + 2_000);
      expect(phases.map((phase) => phase.fromMs)).toEqual(
        phases.map((phase) => phase.fromMs).sort((a, b) => a - b),
      );
      expect(phases[0]).toEqual({ fromMs, kind: 'too-far' });
      freeFromMs = toMs;
    }
  });

  it('have fever, make mistakes and put them right as often as they were told to', () => {
    const visits = take(PLAN, 2_000);
    const share = (is: (visit: GateVisit) => boolean) => visits.filter(is).length / visits.length;
    expect(share(({ canthusC }) => canthusC > 36.5)).toBeCloseTo(0.2, 1);
    expect(share(({ mistake }) => mistake !== undefined)).toBeCloseTo(0.4, 1);
    expect(share(({ isCorrected }) => !isCorrected)).toBeCloseTo(0.08, 1);
    for (const { phases, mistake, isCorrected } of visits) {
      expect(phases.map(({ kind }) => kind)).toEqual([
        'too-far',
        ...(mistake === undefined ? [] : [mistake]),
        ...(isCorrected ? ['protocol'] : []),
      ]);
    }
    const careful = take({ ...PLAN, feverShare: 0, mistakeShare: 0 }, 500);
    expect(careful.filter(({ canthusC, mistake }) => mistake !== undefined || canthusC > 37)).toEqual([]);
  });
});

describe('a simulated gate', () => {
  it('shows the same pictures again, and never one twice', () => {
    const look = () => {
      const gate = new SimulatedGate(PLAN);
      return Array.from({ length: 60 }, (_, index) => digest(gate.takePicture(index * 250)));
    };
    expect(look()).toEqual(look());
    expect(new Set(look()).size).toBe(60);
  });

  it('tells of each visit once it has ended, looked at or not', () => {
    const told: GateVisit[] = [];
    const gate = new SimulatedGate(PLAN, (visit) => told.push(visit));
    const visits = take(PLAN, 6);
    gate.takePicture(visits[1]?.fromMs ?? 0);
    expect(told).toEqual(visits.slice(0, 1));
    gate.takePicture(visits[5]?.toMs ?? 0);
    expect(told).toEqual(visits);
  });

  it('keeps its room within what a gate asks for', () => {
    const gate = new SimulatedGate(PLAN);
    for (let atMs = 0; atMs < 7_200_000; atMs += 60_000) {
      const { celsius, relativeHumidity } = gate.describeRoom(atMs);
      expect(celsius).toBeGreaterThan(20);
      expect(celsius).toBeLessThan(24);
      expect(relativeHumidity).toBeGreaterThan(0.1);
      expect(relativeHumidity).toBeLessThan(0.5);
    }
  });
});

describe('the server of a simulated gate', () => {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
  });
  const serve = async (port = 0) => {
    const options = { gate: new SimulatedGate(PLAN), host: '127.0.0.1', port, beganMs: Date.now() };
    const server = await startGateServer(options);
    open.push(server);
    return { port: server.port, ask: (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`) };
  };

  it('answers with one picture for each frame time, and with the room', async () => {
    const { ask } = await serve();
    const pictures: { capturedAt: string; width: number; values: number[] }[] = [];
    while (new Set(pictures.map(({ capturedAt }) => capturedAt)).size < 3) {
      const answer = await ask('/matrix');
      expect(answer.headers.get('content-type')).toBe('application/json');
      pictures.push((await answer.json()) as (typeof pictures)[number]);
    }
    const texts = new Set(pictures.map((picture) => JSON.stringify(picture)));
    expect(texts.size).toBe(new Set(pictures.map(({ capturedAt }) => capturedAt)).size);
    expect(pictures[0]).toMatchObject({ schemaVersion: 1, unit: 'Cel', width: 320, height: 240 });
    expect(pictures[0]?.values).toHaveLength(320 * 240);
    expect(await (await ask('/air')).json()).toEqual({ t: expect.any(Number), rh: expect.any(Number) });
  });

  it('knows nothing else, and needs its port', async () => {
    const { ask, port } = await serve();
    expect((await ask('/')).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/matrix`, { method: 'POST' })).status).toBe(404);
    await expect(serve(port)).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  });
});
