import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchemaExample, GatewayProfile, Scene, type UntrustedParser } from '@ngatu/contract';
import { stringify } from 'yaml';
import { loadProfile } from './profile-file.ts';
import { loadCalibrationPoints, loadSceneCalibration, replaceCalibration } from './scene-calibration.ts';
import { loadScene } from './scene-file.ts';
import { loadSensorTemplate } from './sensor-template.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);

/** A scene with a part of every kind. */
const SCENE = `schemaVersion: 1
name: junction-1
picture: { width: 768, height: 576 }
view: { depressionDeg: 20 }
calibration:
  pairs:
    - { image: [100, 500], ground: [0, 0] }
    - { image: [600, 500], ground: [12, 0] }
    - { image: [550, 200], ground: [12, 40] }
    - { image: [200, 200], ground: [0, 40] }
  lengths:
    - { from: [100, 500], to: [600, 500], metres: 12 }
zones:
  - &zone
    name: road-mouth
    polygon: [[500, 240], [560, 196], [628, 146], [650, 118], [720, 140], [700, 200], [690, 262]]
tripwires:
  - name: left-line
    points: [[330, 185], [330, 320]]
    forwardTowards: [150, 240]
signals:
  - name: lamp
    box: [10, 10, 30, 70]
rules:
  - { name: red, kind: RED_LIGHT, stopLine: left-line, signal: lamp }
  - { name: mouth, kind: FORBIDDEN_AREA, zone: road-mouth, labels: [person], dwellMs: 1500 }
  - name: left-way
    kind: WRONG_WAY
    zone: road-mouth
    allowed: { from: [400, 250], to: [130, 215] }
  - { name: count, kind: LINE_COUNT, tripwire: left-line, labels: [person] }
`;

const READINGS = [
  { metric: 'waterLevel', unit: 'm', scale: 0.01, from: { kind: 'register', address: 3, type: 'i16' } },
  {
    metric: 'loopCount',
    channel: 'lane-1',
    unit: '1',
    counter: { modulus: 65_536 },
    from: { kind: 'register', address: 4 },
  },
];
/** A sensor of every kind of source. */
const SENSORS = [
  { name: 'river', source: { kind: 'modbus-tcp', host: '10.0.0.9' }, readings: READINGS },
  { name: 'meter', source: { kind: 'modbus-rtu', path: '/dev/ttyUSB0', parity: 'even' }, readings: READINGS },
  {
    name: 'air',
    source: { kind: 'mqtt', topic: 'air', broker: { url: 'mqtt://10.0.0.8' } },
    readings: [{ metric: 'pm25', unit: 'ug/m3', from: { kind: 'json', pointer: '/pm25', time: '/at' } }],
  },
  {
    name: 'cabinet',
    source: { kind: 'input' },
    readings: [
      { metric: 'doorOpen', unit: '1', from: { kind: 'contact', path: '/sys/class/gpio/gpio17/value' } },
    ],
  },
];

/** References that unfold nine by nine: a billion words of a kilobyte. */
function buildAliasBomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++) {
    const before = Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ');
    lines.push(`a${i}: &a${i} [${before}]`);
  }
  return `${lines.join('\n')}\n`;
}

const EXTREMES = [
  buildAliasBomb(),
  '['.repeat(50_000),
  '- '.repeat(200_000),
  `${'a: {'.repeat(20_000)}`,
  `${Array.from({ length: 3_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')}\n`,
  `a: &a\n  b: *a\n`,
  '] '.repeat(14_000),
  SCENE.replaceAll('\n', '\r').repeat(20),
  `? [a]\n: b\n__proto__: {polluted: true}\n`,
].map(encode);

const sceneParser: UntrustedParser = {
  name: 'scene-yaml',
  covers: [
    'firmware-config/src/scene-file.ts#loadScene',
    'firmware-config/src/yaml-file.ts#readYamlFile',
    'firmware-config/src/yaml-document.ts#parseBoundedYaml',
    'firmware-config/src/scene-calibration.ts#loadSceneCalibration',
  ],
  source: 'whoever writes or sends a scene',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    const file = join(folder, 'scene.yaml');
    const made = stringify(buildSchemaExample(Scene, { withOptional: false }));
    return {
      samples: [encode(SCENE), encode(made)],
      extremes: EXTREMES,
      parse: async (input) => {
        writeFileSync(file, input);
        const { scene } = await loadScene(file);
        if (scene.calibration === undefined) return undefined;
        replaceCalibration(Buffer.from(input).toString('utf8'), await loadSceneCalibration(file));
        return undefined;
      },
    };
  },
};

const calibrationParser: UntrustedParser = {
  name: 'calibration-file',
  covers: ['firmware-config/src/scene-calibration.ts#loadCalibrationPoints'],
  source: 'whoever writes a list of measured points',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    const pairs = '100,500,0,0\n600,500,12,0\n550,200,12,40\n200,200,0,40\n';
    const yaml = 'pairs:\n  - { image: [100, 500], ground: [0, 0] }\nlengths: []\n';
    return {
      samples: [encode(`csv x,y,X,Y\n${pairs}`), encode(`csv # points\n${pairs}`), encode(`yaml ${yaml}`)],
      parse: async (input) => {
        const bytes = Buffer.from(input);
        const isCsv = bytes.subarray(0, 3).toString('latin1') === 'csv';
        const file = join(folder, isCsv ? 'points.csv' : 'points.yaml');
        writeFileSync(file, bytes.subarray(isCsv ? 4 : 5));
        await loadCalibrationPoints(file);
        return undefined;
      },
    };
  },
};

const profileParser: UntrustedParser = {
  name: 'profile-yaml',
  covers: ['firmware-config/src/profile-file.ts#loadProfile'],
  source: 'whoever writes or sends a profile',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    mkdirSync(join(folder, 'scenes'));
    writeFileSync(join(folder, 'scenes', 'a.yaml'), SCENE);
    const file = join(folder, 'profile.yaml');
    const profile = buildSchemaExample(GatewayProfile, { withOptional: true }) as GatewayProfile;
    const cameras = profile.cameras.map((camera) => ({ ...camera, scene: 'scenes/a.yaml' }));
    const small = buildSchemaExample(GatewayProfile, { withOptional: false }) as GatewayProfile;
    const smallCameras = small.cameras.map((camera) => ({ ...camera, scene: 'scenes/a.yaml' }));
    return {
      samples: [
        encode(stringify({ ...profile, cameras, signals: [], sensors: [], feverGates: [] })),
        encode(stringify({ ...small, cameras: smallCameras, signals: [], sensors: SENSORS })),
      ],
      extremes: EXTREMES,
      parse: async (input) => {
        writeFileSync(file, input);
        await loadProfile(file);
        return undefined;
      },
    };
  },
};

const templateParser: UntrustedParser = {
  name: 'sensor-template-yaml',
  covers: [
    'firmware-config/src/sensor-template.ts#loadSensorTemplate',
    'firmware-config/src/sensor-template.ts#loadSensorReadings',
  ],
  source: 'whoever writes or sends the register map of a sensor',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    const file = join(folder, 'template.yaml');
    const made = stringify({ schemaVersion: 1, name: 'river', device: 'a gauge', readings: READINGS });
    return {
      samples: [encode(made)],
      extremes: EXTREMES,
      parse: async (input) => {
        writeFileSync(file, input);
        await loadSensorTemplate(file);
        return undefined;
      },
    };
  },
};

/** Parsers of profiles and scenes that meet untrusted input. */
export const FIRMWARE_CONFIG_PARSERS: readonly UntrustedParser[] = [
  sceneParser,
  calibrationParser,
  profileParser,
  templateParser,
];
