import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadProfile } from './profile-file.ts';
import { loadSensorTemplate } from './sensor-template.ts';

const BASE = `schemaVersion: 1
site: demo
node: gateway-1
broker: { url: 'mqtt://127.0.0.1:1883' }
upload: { url: 'http://127.0.0.1:1' }
detector: { model: yolox-nano-dynamic }
cameras: [{ name: north, url: 'rtsp://127.0.0.1:8554/north', scene: empty.scene.yaml }]
sensors:
`;
const TEMPLATES = join(import.meta.dirname, '..', 'sensors');
const SCENE = `schemaVersion: 1
name: empty
picture: { width: 640, height: 480 }
tripwires: [{ name: loop-line, points: [[10, 200], [300, 200]], forwardTowards: [150, 300] }]
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-sensor-profile-'));
  await mkdir(join(folder, 'sensors'));
  await writeFile(join(folder, 'empty.scene.yaml'), SCENE);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function load(sensors: string) {
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, BASE + sensors);
  return loadProfile(file);
}

const TCP = 'source: { kind: modbus-tcp, host: 10.0.0.9 }';
const one = (reading: string, source = TCP): string =>
  `  - { name: a, ${source}, readings: [{ ${reading} }] }\n`;
const FROM = 'from: { kind: register, address: 0 }';

describe('sensors of a profile', () => {
  it('are filled with defaults and their template, in which the profile replaces what it names', async () => {
    await writeFile(
      join(folder, 'sensors', 'station.yaml'),
      `schemaVersion: 1
name: station
device: a test
readings:
  - { metric: airTemperature, unit: Cel, scale: 0.1, ${FROM} }
  - { metric: airHumidity, unit: '%', from: { kind: register, address: 1 } }
`,
    );
    const { profile, sensors } = await load(`  - name: roof
    ${TCP}
    template: sensors/station.yaml
    readings: [{ metric: airHumidity, unit: '%', from: { kind: register, address: 7 } }]
`);
    expect(profile.sensors[0]).toMatchObject({
      intervalMs: 10_000,
      windowMs: 60_000,
      source: { port: 502, unit: 1, framing: 'mbap' },
    });
    expect(sensors.get('roof')).toMatchObject([
      {
        metric: 'airTemperature',
        scale: 0.1,
        offset: 0,
        from: { type: 'u16', table: 'holding', wordOrder: 'big' },
      },
      { metric: 'airHumidity', from: { address: 7 } },
    ]);
  });

  it.each([
    [
      'a unit that is not known',
      one(`metric: depth, unit: furlong, ${FROM}`),
      /\/sensors\/0\/readings\/0\/unit/,
    ],
    [
      'another unit than the quantity has',
      one(`metric: airTemperature, unit: K, ${FROM}`),
      /measured in Cel everywhere/,
    ],
    [
      'a sum that would be averaged later',
      one(`metric: birds, unit: '1', manner: sum, ${FROM}`),
      /only rainfall, energyUsed, loopCount add up/,
    ],
    [
      'another manner than the quantity has',
      one(`metric: loopCount, unit: '1', manner: mean, ${FROM}`),
      /become a sum, not a mean/,
    ],
    [
      'a counter that is no sum',
      one(`metric: airTemperature, unit: Cel, counter: { modulus: 100 }, ${FROM}`),
      /a counter is summed/,
    ],
    ['a name of an extreme', one(`metric: depthMax, unit: m, ${FROM}`), /extreme of another quantity/],
    [
      'limits the wrong way round',
      one(`metric: depth, unit: m, low: 5, high: 2, ${FROM}`),
      /low is not below high/,
    ],
    [
      'registers beyond the last',
      one('metric: depth, unit: m, from: { kind: register, address: 65535, type: f32 }'),
      /end beyond 65535/,
    ],
    [
      'bits beyond the register',
      one(
        "metric: doorOpen, unit: '1', from: { kind: register, address: 0, type: bits, bit: 15, bitCount: 2 }",
      ),
      /bits end beyond/,
    ],
    [
      'a coil of four bytes',
      one("metric: doorOpen, unit: '1', from: { kind: register, address: 0, table: coil, type: f32 }"),
      /a coil is one bit/,
    ],
    [
      'a place of another source',
      one('metric: depth, unit: m, from: { kind: json }'),
      /needs readings from a register/,
    ],
    [
      'two readings of one quantity',
      `  - { name: a, ${TCP}, readings: [{ metric: depth, unit: m, ${FROM} }, { metric: depth, unit: m, ${FROM} }] }\n`,
      /name a channel/,
    ],
    ['no readings', `  - { name: a, ${TCP} }\n`, /no readings/],
    ['two sensors of one name', one(`metric: depth, unit: m, ${FROM}`).repeat(2), /line 10 \/sensors\/1/],
    [
      'a template that is not there',
      `  - { name: a, ${TCP}, template: none.yaml }\n`,
      /\/sensors\/0\/template: Cannot read/,
    ],
    [
      'a password without a user',
      one(
        'metric: depth, unit: m, from: { kind: json }',
        "source: { kind: mqtt, topic: t, broker: { url: 'mqtt://b', password: { env: X } } }",
      ),
      /needs a username/,
    ],
    [
      'a GPIO line of a meter',
      one('metric: doorOpen, unit: "1", from: { kind: gpio, chip: gpiochip0, line: 17 }'),
      /needs readings from a register/,
    ],
    [
      'certificates without TLS',
      one(
        'metric: depth, unit: m, from: { kind: json }',
        "source: { kind: mqtt, topic: t, broker: { url: 'mqtt://b', tls: { caFile: /ca } } }",
      ),
      /certificates are for mqtts/,
    ],
    [
      'a certificate without its key',
      one(
        'metric: depth, unit: m, from: { kind: json }',
        "source: { kind: mqtt, topic: t, broker: { url: 'mqtts://b', tls: { certFile: /c } } }",
      ),
      /needs its key beside it/,
    ],
    [
      'a camera that is not there',
      one(`metric: depth, unit: m, ${FROM}`, `${TCP}, beside: { camera: south }`),
      /there is no camera "south"/,
    ],
    [
      'a line that is not there',
      one(`metric: depth, unit: m, ${FROM}`, `${TCP}, beside: { camera: north, tripwire: stop }`),
      /has no tripwire "stop"/,
    ],
    [
      'a serial line set in two ways',
      ['9600', '19200']
        .map((rate, i) =>
          one(
            `metric: depth, unit: m, ${FROM}`,
            `source: { kind: modbus-rtu, path: /dev/ttyUSB0, baudRate: ${rate}, unit: ${i} }`,
          ).replace('name: a', `name: a${i}`),
        )
        .join(''),
      /sets the same serial line otherwise/,
    ],
  ])('refuses %s', async (_, sensors, reason) => {
    await expect(load(sensors)).rejects.toMatchObject({
      code: 'PROFILE_INVALID',
      message: expect.stringMatching(reason),
    });
  });

  it('may stand beside a camera and a line of its scene', async () => {
    const { profile } = await load(
      one(`metric: depth, unit: m, ${FROM}`, `${TCP}, beside: { camera: north, tripwire: loop-line }`),
    );
    expect(profile.sensors[0]?.beside).toEqual({ camera: 'north', tripwire: 'loop-line' });
  });

  it('refuses a template that is none, with its line', async () => {
    await writeFile(
      join(folder, 'sensors', 'bad.yaml'),
      'schemaVersion: 1\nname: bad\ndevice: x\nreadings: []\n',
    );
    await expect(load(`  - { name: a, ${TCP}, template: sensors/bad.yaml }\n`)).rejects.toMatchObject({
      code: 'SENSOR_TEMPLATE_INVALID',
      message: expect.stringContaining('line 4 /readings'),
    });
  });

  it('can use every template that comes with the product', async () => {
    const files = (await readdir(TEMPLATES)).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThanOrEqual(4);
    const source = {
      register: TCP,
      json: "source: { kind: http, url: 'http://127.0.0.1/' }",
      contact: 'source: { kind: input }',
      gpio: 'source: { kind: input }',
    };
    for (const name of files) {
      const template = await loadSensorTemplate(join(TEMPLATES, name));
      expect(`${template.name}.yaml`).toBe(name);
      const kind = template.readings[0]?.from.kind ?? 'json';
      const { sensors } = await load(
        `  - { name: a, ${source[kind]}, template: '${join(TEMPLATES, name)}' }\n`,
      );
      expect(sensors.get('a')).toEqual(template.readings);
    }
  });
});
