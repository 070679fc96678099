import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fillDefaults, SensorReading } from '@ngatu/contract';
import { ServerSerial, ServerTCP } from 'modbus-serial';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutFaults } from '../simulators/sensors/fault-injection.ts';
import { WIRE_FAULTS } from '../simulators/sensors/modbus-server.ts';
import { generateSeries } from '../simulators/sensors/sensor-series.ts';
import { startSensorSimulator } from '../simulators/sensors/sensor-simulator.ts';
import { LineProcess } from './delivery/child-process.ts';
import { aReading, aSensor, bundleSimulator, inRegister, SensorRig } from './sensor/sensor-rig.ts';

const METRICS = ['airTemperature', 'airHumidity', 'cabinetTemperature'];
const READINGS = [
  aReading('airTemperature', 'Cel', inRegister(0)),
  aReading('airHumidity', '%', inRegister(2)),
  aReading('cabinetTemperature', 'Cel', inRegister(4)),
];
const source = (port: number, parts: Record<string, unknown> = {}) => ({
  kind: 'modbus-tcp',
  host: '127.0.0.1',
  port,
  timeoutMs: 150,
  ...parts,
});

function startServer() {
  const series = METRICS.map((metric) =>
    withoutFaults(generateSeries({ metric, seed: 3, intervalMs: 1_000, days: 0.01 })),
  );
  return startSensorSimulator({ series, host: '127.0.0.1', port: 0, unit: 1, speed: 1, seed: 3, startMs: 0 });
}

/** A port of 127.0.0.1 that was free a moment ago. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('a Modbus server in a process of its own', () => {
  let folder: string;
  let script: string;
  const children: LineProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-modbus-'));
    script = await bundleSimulator(folder);
  });
  afterAll(async () => {
    for (const child of children) await child.end('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it('is read, is told as unreachable while it is dead, and is read again when it is back', async () => {
    let port = 0;
    const start = async (wanted: number): Promise<LineProcess> => {
      port = 0;
      const child = LineProcess.start(script, { port: wanted, metrics: METRICS }, (line) => {
        port = Number(line);
      });
      children.push(child);
      await expect.poll(() => port, { timeout: 10_000 }).toBeGreaterThan(0);
      return child;
    };
    const first = await start(0);
    const known = port;
    await using rig = new SensorRig([aSensor({ source: source(known) }, READINGS)]);
    await expect.poll(() => rig.goodSince(0).length, { timeout: 5_000 }).toBeGreaterThanOrEqual(6);
    await first.end('SIGKILL');
    const dead = rig.seen.length;
    await expect.poll(() => rig.faultsSince(dead + 3), { timeout: 5_000 }).toEqual(['unreachable']);
    const second = await start(known);
    const back = rig.seen.length;
    await expect.poll(() => rig.goodSince(back).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
    await second.end('SIGKILL');
  });
});

describe('a wire that goes wrong', () => {
  it.each([...WIRE_FAULTS])('%s: nothing false is believed, and it recovers', async (fault) => {
    await using server = await startServer();
    await using rig = new SensorRig([aSensor({ source: source(server.port) }, READINGS)]);
    await expect.poll(() => rig.goodSince(0).length, { timeout: 5_000 }).toBeGreaterThanOrEqual(3);
    server.setWireFault(fault);
    // what was under way may still be whole
    await expect.poll(() => rig.seen.at(-1)?.fault, { timeout: 5_000 }).toBeDefined();
    const from = rig.seen.length;
    await expect.poll(() => rig.seen.length - from, { timeout: 5_000 }).toBeGreaterThanOrEqual(6);
    const expected = { silent: ['unreachable'], exception: ['exception'] }[fault as string];
    if (expected !== undefined) expect(rig.faultsSince(from)).toEqual(expected);
    else if (fault !== 'flood') {
      expect(rig.goodSince(from)).toEqual([]);
      for (const seen of rig.faultsSince(from)) expect(['garbled', 'unreachable']).toContain(seen);
    }
    server.setWireFault(undefined);
    const back = rig.seen.length;
    await expect.poll(() => rig.goodSince(back).length, { timeout: 15_000 }).toBeGreaterThanOrEqual(3);
    for (const { metric, value } of rig.goodSince(0)) {
      const near = server.valueOf(metric) ?? Number.NaN;
      expect(Math.abs((value ?? Number.NaN) - near)).toBeLessThan(5);
    }
  });

  it('does not hold up another line, nor a silent device the others of its line', async () => {
    // takes connections and never says a word
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const address = mute.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    await using server = await startServer();
    await using rig = new SensorRig([
      aSensor({ name: 'mute', source: source(address.port) }, READINGS),
      aSensor({ name: 'absent', source: source(server.port, { unit: 9, timeoutMs: 50 }) }, READINGS),
      aSensor({ name: 'sound', source: source(server.port) }, READINGS),
    ]);
    await expect.poll(() => rig.goodSince(0, 'sound').length, { timeout: 10_000 }).toBeGreaterThanOrEqual(30);
    expect(rig.goodSince(0, 'mute')).toEqual([]);
    expect(rig.goodSince(0, 'absent')).toEqual([]);
    expect(rig.seen.some(({ sensor, fault }) => sensor === 'mute' && fault === 'unreachable')).toBe(true);
    expect(rig.seen.some(({ sensor, fault }) => sensor === 'absent' && fault === 'unreachable')).toBe(true);
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  it('with one register that the device has not costs that reading alone', async () => {
    await using server = await startServer();
    const missing = aReading('waterLevel', 'm', inRegister(6));
    await using rig = new SensorRig([aSensor({ source: source(server.port) }, [...READINGS, missing])]);
    await expect.poll(() => rig.goodSince(0).length, { timeout: 5_000 }).toBeGreaterThanOrEqual(6);
    expect(new Set(rig.goodSince(0).map(({ metric }) => metric))).toEqual(new Set(METRICS));
    expect(rig.hub.readings.at(-1)?.latest).toMatchObject({ fault: 'exception' });
    expect(rig.hub.readings.at(-1)?.latest?.reason).toContain('Illegal data address');
  });
});

/** 23.5 °C as IEEE 754 single with the low word first in 10 and 11, −4 in 12, the fourth bit in 13; coil 2 and discrete input 5 are on. */
const REGISTERS: Readonly<Record<number, number>> = { 10: 0x0000, 11: 0x41bc, 12: 0xfffc, 13: 0b1000 };
const VECTOR = {
  getHoldingRegister: (address: number) => REGISTERS[address] ?? 0,
  getInputRegister: (address: number) => REGISTERS[address] ?? 0,
  getCoil: (address: number) => address === 2,
  getDiscreteInput: (address: number) => address === 5,
};
const register = (metric: string, unit: string, parts: Record<string, unknown>, more: object = {}) =>
  fillDefaults(SensorReading, {
    metric,
    unit,
    from: { kind: 'register', ...parts },
    ...more,
  }) as SensorReading;
const MIXED = [
  register('airTemperature', 'Cel', { address: 10, type: 'f32', wordOrder: 'little' }),
  register('waterLevel', 'm', { table: 'input', address: 12, type: 'i16' }, { scale: 0.25, offset: 2 }),
  register('doorOpen', '1', { address: 13, type: 'bits', bit: 3 }),
  register('fanRunning', '1', { table: 'coil', address: 2 }),
  register('pumpRunning', '1', { table: 'discrete', address: 5 }),
];
const EXPECTED = { airTemperature: 23.5, waterLevel: 1, doorOpen: 1, fanRunning: 1, pumpRunning: 1 };

async function expectMixed(rig: SensorRig): Promise<void> {
  await expect.poll(() => rig.goodSince(0).length, { timeout: 8_000 }).toBeGreaterThanOrEqual(10);
  const values = Object.fromEntries(rig.goodSince(0).map(({ metric, value }) => [metric, value]));
  expect(values).toEqual(EXPECTED);
  expect(rig.faultsSince(0)).toEqual([]);
}

describe('another maker’s server', () => {
  it('over TCP gives every kind of register', async () => {
    const port = await findFreePort();
    const server = new ServerTCP(VECTOR, { host: '127.0.0.1', port, unitID: 7 });
    await once(server, 'initialized');
    {
      await using rig = new SensorRig([aSensor({ source: source(port, { unit: 7 }) }, MIXED)]);
      await expectMixed(rig);
    }
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('over a serial line gives every kind of register, and is away when the line is cut', async () => {
    const pair = spawn('/usr/bin/python3', [join(import.meta.dirname, 'sensor/pty-pair.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const names: string[] = [];
    createInterface({ input: pair.stdout }).on('line', (line) => names.push(line));
    await expect.poll(() => names.length, { timeout: 5_000 }).toBe(2);
    const [near = '', far = ''] = names;
    const server = new ServerSerial(VECTOR, { path: far, baudRate: 9_600, unitID: 7 });
    server.on('error', () => undefined);
    server.on('socketError', () => undefined);
    await once(server, 'initialized');
    const serial = { kind: 'modbus-rtu', path: near, unit: 7, timeoutMs: 300 };
    const absent = { ...serial, unit: 8, timeoutMs: 50 };
    await using rig = new SensorRig([
      aSensor({ source: serial }, MIXED),
      aSensor({ name: 'absent', source: absent, intervalMs: 500 }, [
        MIXED[0] ?? aReading('x', '1', inRegister(0)),
      ]),
    ]);
    await expect.poll(() => rig.goodSince(0).length, { timeout: 8_000 }).toBeGreaterThanOrEqual(15);
    const values = Object.fromEntries(rig.goodSince(0).map(({ metric, value }) => [metric, value]));
    expect(values).toEqual(EXPECTED);
    await expect
      .poll(() => rig.seen.some(({ sensor, fault }) => sensor === 'absent' && fault === 'unreachable'), {
        timeout: 5_000,
      })
      .toBe(true);
    expect(rig.goodSince(0, 'absent')).toEqual([]);
    // the library's server ends its process where it writes to a line that was cut: it goes first
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const cut = rig.seen.length;
    pair.stdin.end();
    await once(pair, 'exit');
    await expect.poll(() => rig.faultsSince(cut), { timeout: 8_000 }).toContain('unreachable');
  });
});
