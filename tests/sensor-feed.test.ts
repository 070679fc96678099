import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fillDefaults, SensorReading } from '@ngatu/contract';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { injectFaults } from '../simulators/sensors/fault-injection.ts';
import { generateSeries } from '../simulators/sensors/sensor-series.ts';
import { startSensorSimulator } from '../simulators/sensors/sensor-simulator.ts';
import { CONTROLLER_USER, LoopbackBroker, NODE_USER } from './delivery/loopback-broker.ts';
import { aSensor, SensorRig } from './sensor/sensor-rig.ts';

/** A topic that the users of the test broker may write and read. */
const TOPIC = 'signals/junction-1/north';
const json = (metric: string, unit: string, from: Record<string, unknown>, more: object = {}) =>
  fillDefaults(SensorReading, { metric, unit, from: { kind: 'json', ...from }, ...more }) as SensorReading;

describe('a device that publishes by MQTT', () => {
  let folder: string;
  let broker: LoopbackBroker;
  let device: MqttClient;

  const open = async (): Promise<void> => {
    device = await connectAsync(broker.url, {
      username: CONTROLLER_USER.name,
      password: CONTROLLER_USER.password,
      protocolVersion: 5,
    });
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-sensor-'));
    broker = await LoopbackBroker.start(folder);
    await open();
  });
  afterAll(async () => {
    device.end(true);
    await broker.kill();
    await rm(folder, { recursive: true, force: true });
  });

  const mqtt = () => ({
    kind: 'mqtt',
    broker: { url: broker.url, username: NODE_USER.name, password: NODE_USER.password },
    topic: TOPIC,
    maxClockErrorMs: 30_000,
  });
  const READINGS = [
    json('airTemperature', 'Cel', { pointer: '/t', time: '/at' }),
    json('airHumidity', '%', { pointer: '/h', time: '/at' }),
  ];
  /** Says it until it is heard: nobody tells when the subscription stands. */
  const sayUntil = (payload: () => string | Buffer, heard: () => boolean): Promise<void> =>
    expect
      .poll(
        async () => {
          await device.publishAsync(TOPIC, payload(), { qos: 1 });
          return heard();
        },
        { timeout: 15_000, interval: 100 },
      )
      .toBe(true);
  const at = (errorMs = 0): string => new Date(Date.now() + errorMs).toISOString();

  it('is believed, and what is none is told for what it is', async () => {
    await using rig = new SensorRig([aSensor({ source: mqtt() }, READINGS)]);
    await sayUntil(
      () => JSON.stringify({ t: 29.5, h: 70, at: at() }),
      () => rig.goodSince(0).length >= 2,
    );
    const cases: [string | Buffer, (string | undefined)[]][] = [
      ['{"t":29.6', ['garbled', 'garbled']],
      [Buffer.from([0xff, 0xfe]), ['garbled', 'garbled']],
      [JSON.stringify({ t: null, h: 71, at: at() }), ['device', undefined]],
      [JSON.stringify({ t: 29.6, h: 140, at: at(5) }), [undefined, 'range']],
      [JSON.stringify({ t: 29.6, h: 71, at: at(-86_400_000) }), ['clock', 'clock']],
      [JSON.stringify({ t: 29.6, h: 71, at: at(3_600_000) }), ['clock', 'clock']],
    ];
    for (const [payload, faults] of cases) {
      const from = rig.seen.length;
      await device.publishAsync(TOPIC, payload, { qos: 1 });
      await expect
        .poll(() => rig.seen.slice(from).map(({ fault }) => fault), { timeout: 5_000 })
        .toEqual(faults);
    }
    const known = rig.seen.length;
    // larger than the node takes: the broker does not send it at all
    await device.publishAsync(TOPIC, Buffer.alloc(70_000, 0x20), { qos: 1 });
    await sayUntil(
      () => JSON.stringify({ t: 29.6, h: 71, at: at() }),
      () => rig.goodSince(known).length >= 2,
    );
  });

  it('that left a retained message without a time is not believed by it', async () => {
    await device.publishAsync(TOPIC, '29', { qos: 1, retain: true });
    const plain = json('airTemperature', 'Cel', {});
    await using rig = new SensorRig([aSensor({ source: mqtt() }, [plain])]);
    await expect.poll(() => rig.seen[0]?.fault, { timeout: 5_000 }).toBe('stale');
    await device.publishAsync(TOPIC, '29.1', { qos: 1 });
    await expect.poll(() => rig.goodSince(0).map(({ value }) => value), { timeout: 5_000 }).toEqual([29.1]);
    await device.publishAsync(TOPIC, '', { qos: 1, retain: true });
  });

  it('is heard again after its broker was killed, and the silence is a gap', async () => {
    await using rig = new SensorRig([aSensor({ source: mqtt() }, READINGS)]);
    const good = () => JSON.stringify({ t: 29.5, h: 70, at: at() });
    await sayUntil(good, () => rig.goodSince(0).length >= 2);
    device.end(true);
    await broker.kill();
    const gaps = (): number =>
      rig.hub
        .cut(Date.now())
        .filter(({ metric, tags }) => metric === 'sensorFaults' && tags?.['fault'] === 'gap')
        .reduce((sum, { value }) => sum + value, 0);
    await expect.poll(gaps, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);
    await broker.restart();
    await open();
    const back = rig.seen.length;
    await sayUntil(good, () => rig.goodSince(back).length >= 2);
  });

  it('beside the simulator, which publishes and is read by Modbus, shows the fault where it was injected', async () => {
    const series = injectFaults(
      generateSeries({ metric: 'airTemperature', seed: 5, intervalMs: 60_000, days: 2 }),
      {
        seed: 5,
        perKind: 1,
        kinds: ['no-value'],
      },
    );
    const [fault] = series.faults;
    if (fault === undefined) throw new Error('no fault was injected');
    // the device of the simulator signs in by the address: the test broker knows the controller
    const url = broker.url.replace('mqtt://', `mqtt://${CONTROLLER_USER.name}:${CONTROLLER_USER.password}@`);
    await using simulator = await startSensorSimulator({
      series: [series],
      host: '127.0.0.1',
      port: 0,
      unit: 1,
      mqtt: { url, topic: TOPIC },
      speed: 600,
      seed: 5,
      startMs: (fault.from - 12) * 60_000,
    });
    expect(simulator.truth).toMatchObject([{ kind: 'no-value', metric: 'airTemperature' }]);
    expect(simulator.registers).toEqual([{ metric: 'airTemperature', address: 0 }]);
    // the users of the test broker may not read below the topic: the same device is read by Modbus beside it
    const modbus = { kind: 'modbus-tcp', host: '127.0.0.1', port: simulator.port, timeoutMs: 500 };
    const place = { kind: 'register', table: 'input', type: 'f32', address: 0 };
    const reading = fillDefaults(SensorReading, {
      metric: 'airTemperature',
      unit: 'Cel',
      from: place,
      change: { step: 100, perMinute: 0 },
    }) as SensorReading;
    await using rig = new SensorRig([aSensor({ source: modbus, intervalMs: 100 }, [reading])]);
    await expect.poll(() => rig.faultsSince(0), { timeout: 10_000 }).toEqual(['device']);
  });
});

describe('a device that is asked over HTTP', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** Answers one request after the other; the last answer again and again. */
  async function serve(...answers: ((response: ServerResponse) => void)[]): Promise<string> {
    let asked = 0;
    server = createServer((request, response) => {
      if (request.headers.authorization !== 'Bearer secret') return void response.writeHead(401).end();
      return answers[Math.min(asked++, answers.length - 1)]?.(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}/v1`;
  }
  const http = (url: string) => ({ kind: 'http', url, token: 'secret', timeoutMs: 1_500, maxBytes: 2_000 });
  const text = (body: string) => (response: ServerResponse) => void response.end(body);
  const READING = json('airTemperature', 'Cel', { pointer: '/t' });

  it('is believed, and each refusal has its name; the next poll comes all the same', async () => {
    const url = await serve(
      text('{"t":29}'),
      (response) => void response.writeHead(503).end('busy'),
      text(' '.repeat(5_000)),
      (response) => void response.writeHead(200).write('{"t":'),
      (response) => void response.destroy(),
      (response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
      text('{"x":1}'),
      text('{"t":29.5}'),
    );
    await using rig = new SensorRig([aSensor({ source: http(url), intervalMs: 100 }, [READING])]);
    await expect.poll(() => rig.goodSince(0).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    const seen = rig.seen.slice(0, 8);
    expect(seen.map(({ fault }) => fault)).toEqual([
      undefined,
      'exception',
      'garbled',
      'unreachable',
      'unreachable',
      'unreachable',
      'garbled',
      undefined,
    ]);
    expect(seen.map(({ reason }) => reason ?? '').join()).not.toContain('secret');
    expect(seen[2]?.reason).toContain('more than 2000 bytes');
  });

  it('that sends without end is cut off at its limit', async () => {
    let sent = 0;
    const url = await serve((response) => {
      const write = (): void => {
        if (response.destroyed) return;
        sent += 65_536;
        response.write(Buffer.alloc(65_536, 0x20), write);
      };
      write();
    });
    await using rig = new SensorRig([aSensor({ source: http(url), intervalMs: 100 }, [READING])]);
    await expect.poll(() => rig.seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
    expect(rig.faultsSince(0)).toEqual(['garbled']);
    expect(sent / rig.seen.length).toBeLessThan(8 * 1024 * 1024);
  });
});

describe('a digital input', () => {
  it('that is a line of a GPIO chip is asked for beside the others of its chip', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ngatu-gpio-'));
    const oldPath = process.env['PATH'];
    // no kernel of the tests has a chip: a script answers as gpioget does, and only to what it is to be asked
    const script = '#!/bin/sh\n[ "$*" = "gpiochip1 17 4" ] || exit 9\necho 0 1\n';
    await writeFile(join(folder, 'gpioget'), script, { mode: 0o755 });
    process.env['PATH'] = `${folder}${delimiter}${oldPath}`;
    try {
      const line = (metric: string, number: number, activeLow: boolean) =>
        fillDefaults(SensorReading, {
          metric,
          unit: '1',
          from: { kind: 'gpio', chip: 'gpiochip1', line: number, activeLow },
        }) as SensorReading;
      const readings = [line('doorOpen', 17, true), line('mainsPresent', 4, false)];
      const source = { kind: 'input', pollMs: 5, debounceMs: 0 };
      await using rig = new SensorRig([aSensor({ source, intervalMs: 10_000 }, readings)]);
      const seen = () => rig.seen.map(({ metric, value, quality }) => [metric, value, quality]);
      await expect.poll(seen, { timeout: 10_000 }).toEqual([
        ['doorOpen', 1, 'good'],
        ['mainsPresent', 1, 'good'],
      ]);
    } finally {
      process.env['PATH'] = oldPath;
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('tells its changes once they have held, and that it cannot be read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ngatu-input-'));
    const path = join(folder, 'value');
    /** Whole at once, as the kernel gives it. */
    const set = async (level: string): Promise<void> => {
      await writeFile(`${path}.new`, `${level}\n`);
      await rename(`${path}.new`, path);
    };
    await set('1');
    const reading = fillDefaults(SensorReading, {
      metric: 'doorOpen',
      unit: '1',
      from: { kind: 'contact', path, activeLow: true },
    }) as SensorReading;
    const source = { kind: 'input', pollMs: 5, debounceMs: 40 };
    await using rig = new SensorRig([aSensor({ source, intervalMs: 10_000 }, [reading])]);
    const values = () => rig.seen.map(({ value }) => value);
    await expect.poll(values, { timeout: 5_000 }).toEqual([0]);
    await set('0');
    await expect.poll(values, { timeout: 5_000 }).toEqual([0, 1]);
    await set('1');
    await expect.poll(values, { timeout: 5_000 }).toEqual([0, 1, 0]);
    const told = rig.hub.cut(Date.now()).filter(({ metric }) => metric === 'doorOpen');
    expect(told.map(({ value }) => value)).toEqual([0, 1, 0]);
    await using broken = new SensorRig([
      aSensor({ source, intervalMs: 100 }, [
        { ...reading, from: { kind: 'contact', path: folder, activeLow: false } },
      ]),
    ]);
    await expect.poll(() => broken.faultsSince(0), { timeout: 5_000 }).toEqual(['unreachable']);
    await rm(folder, { recursive: true, force: true });
  });
});
