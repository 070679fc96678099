import { Type } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { NgatuError } from './error-code.ts';
import { GatewayProfile } from './profile.ts';
import { Scene } from './scene.ts';
import { fillDefaults, findSchemaIssues, parseWithSchema } from './schema.ts';

const refusal = { code: 'SCENE_INVALID', what: 'scene "x.yaml"' } as const;

function refuse(value: unknown, schema: typeof Scene | typeof GatewayProfile = Scene): NgatuError {
  try {
    parseWithSchema(schema, value, refusal);
  } catch (error) {
    if (error instanceof NgatuError) return error;
    throw error;
  }
  throw new Error('It was accepted');
}

const SMALLEST = { schemaVersion: 1, name: 'crossroads', picture: { width: 640, height: 480 } };
const RED_LIGHT = { name: 'red', kind: 'RED_LIGHT', stopLine: 'line', signal: 'main' };

it('findSchemaIssues names the choices where a value is none of them', () => {
  const choice = Type.Union([Type.Literal('person'), Type.Literal('car')]);
  const schema = Type.Object({ labels: Type.Array(choice), other: Type.Union([choice, Type.Number()]) });
  expect(findSchemaIssues(schema, { labels: ['car', 'motorcycle'], other: 'car' })).toEqual([
    { path: '/labels/1', reason: 'Expected one of person, car' },
  ]);
  expect(findSchemaIssues(schema, { labels: [], other: true })).toEqual([
    { path: '/other', reason: 'Expected union value' },
  ]);
});

describe('parseWithSchema', () => {
  it('fills in the defaults, also of what is left out altogether', () => {
    expect(parseWithSchema(Scene, SMALLEST, refusal)).toEqual({
      ...SMALLEST,
      analysis: { maxWidth: 960, maxFps: 12.5 },
      view: { depressionDeg: 25 },
      zones: [],
      tripwires: [],
      signals: [],
      rules: [],
    });
  });

  it('fills in the defaults of the kind of rule that is written, and of lenses', () => {
    const scene = parseWithSchema(
      Scene,
      {
        ...SMALLEST,
        signals: [{ name: 'main', box: [1, 2, 3, 4] }],
        rules: [
          RED_LIGHT,
          { ...RED_LIGHT, name: 'stop', kind: 'STOP_LINE' },
          { name: 'area', kind: 'FORBIDDEN_AREA', zone: 'z', labels: ['person'] },
          { name: 'wrong', kind: 'WRONG_WAY', zone: 'z', allowed: { from: [0, 0], to: [1, 1] } },
          { name: 'count', kind: 'LINE_COUNT', tripwire: 'line' },
        ],
      },
      refusal,
    );
    const vehicles = ['motorbike', 'bicycle', 'car', 'bus', 'truck'];
    expect(scene.signals[0]?.lenses).toEqual(['red', 'amber', 'green']);
    expect(scene.rules).toMatchObject([
      { kind: 'RED_LIGHT', graceMs: 300, cooldownMs: 60_000, labels: vehicles },
      { kind: 'STOP_LINE', waitMs: 2000, cooldownMs: 60_000, labels: vehicles },
      { kind: 'FORBIDDEN_AREA', dwellMs: 1000, labels: ['person'] },
      { kind: 'WRONG_WAY', minAngleDeg: 120, minTravelHeights: 1.5, minDurationMs: 700 },
      { kind: 'LINE_COUNT', labels: ['person', ...vehicles] },
    ]);
    expect(scene.rules[0]).not.toHaveProperty('waitMs');
    expect(scene.rules[4]).not.toHaveProperty('cooldownMs');
  });

  it('keeps what is written instead of the default', () => {
    const rules = [{ ...RED_LIGHT, graceMs: 0, labels: ['car'] }];
    const scene = parseWithSchema(Scene, { ...SMALLEST, view: { depressionDeg: 90 }, rules }, refusal);
    expect(scene.view).toEqual({ depressionDeg: 90 });
    expect(scene.rules[0]).toMatchObject({ graceMs: 0, labels: ['car'] });
  });

  it('does not change its input and shares nothing with it', () => {
    const input = {
      ...SMALLEST,
      zones: [
        {
          name: 'z',
          polygon: [
            [0, 0],
            [1, 0],
            [1, 1],
          ],
        },
      ],
    };
    const before = structuredClone(input);
    const scene = parseWithSchema(Scene, input, refusal);
    expect(input).toEqual(before);
    scene.zones[0]?.polygon.pop();
    expect(input).toEqual(before);
    const [first, second] = [
      parseWithSchema(Scene, SMALLEST, refusal),
      parseWithSchema(Scene, SMALLEST, refusal),
    ];
    first.analysis.maxFps = 1;
    expect(second.analysis.maxFps).toBe(12.5);
  });

  it('names what was refused, with the path and the reason, under the code asked for', () => {
    const error = refuse({ ...SMALLEST, picture: { width: 'wide', height: 480 } });
    expect(error.code).toBe('SCENE_INVALID');
    expect(error.retryable).toBe(false);
    expect(error.message).toBe('Cannot accept scene "x.yaml": /picture/width: Expected integer');
    expect(refuse('not a scene').message).toContain('/: Expected object');
  });

  it('refuses unknown properties, numbers out of bounds and values that JSON cannot hold', () => {
    expect(refuse({ ...SMALLEST, colour: 'red' }).message).toContain('/colour: Unexpected property');
    expect(refuse({ ...SMALLEST, view: { depressionDeg: 91 } }).message).toContain('/view/depressionDeg');
    expect(refuse({ ...SMALLEST, view: { depressionDeg: Number.NaN } }).message).toContain(
      '/view/depressionDeg',
    );
    expect(refuse({ ...SMALLEST, name: 'No Slug' }).message).toContain('/name');
    expect(refuse({ ...SMALLEST, schemaVersion: 2 }).message).toContain('/schemaVersion');
  });

  it('tells at most five reasons', () => {
    const error = refuse({
      schemaVersion: 'x',
      name: 1,
      picture: 1,
      analysis: 1,
      view: 1,
      zones: 1,
      rules: 1,
    });
    expect(error.message.split(': Expected').length - 1).toBeLessThanOrEqual(5);
    expect(error.message).toContain('/name');
  });

  it.each([[undefined], [null], [42], [''], [[]], [{}]])('refuses %j with a coded error', (value) => {
    expect(refuse(value).code).toBe('SCENE_INVALID');
    expect(refuse(value, GatewayProfile).code).toBe('SCENE_INVALID');
  });
});

describe('GatewayProfile', () => {
  const PROFILE = {
    schemaVersion: 1,
    site: 'hanoi',
    node: 'gate-1',
    broker: { url: 'mqtts://broker:8883' },
    upload: { url: 'https://centre', token: { env: 'UPLOAD_TOKEN' } },
    detector: { model: 'yolox-nano' },
    cameras: [{ name: 'east', url: 'rtsp://10.0.0.2/stream', scene: 'east.yaml' }],
  };

  it('fills in bounds and times that nobody wrote', () => {
    const profile = parseWithSchema(GatewayProfile, PROFILE, refusal);
    expect(profile).toMatchObject({
      detector: { minConfidence: 0.1, threads: 1 },
      outbox: { maxBytes: 1_073_741_824 },
      evidence: { beforeMs: 5000, afterMs: 5000, stillOffsetMs: 1500 },
    });
    expect(profile.cameras[0]).toMatchObject({ stallTimeoutMs: 3000, ringDurationMs: 300_000 });
  });

  it('refuses secrets that are written down', () => {
    const camera = { ...PROFILE.cameras[0], url: 'rtsp://user:password@10.0.0.2/stream' };
    expect(refuse({ ...PROFILE, cameras: [camera] }, GatewayProfile).message).toContain('/cameras/0/url');
    const upload = { ...PROFILE.upload, token: 'secret-in-clear' };
    const error = refuse({ ...PROFILE, upload }, GatewayProfile);
    expect(error.message).toContain('/upload/token');
    expect(error.message).not.toContain('secret-in-clear');
  });
});

describe('findSchemaIssues', () => {
  it('gives a JSON pointer for each mismatch and none for a match', () => {
    const schema = Type.Object({ a: Type.Array(Type.Integer()), 'b/c': Type.Optional(Type.String()) });
    expect(findSchemaIssues(schema, { a: [1, 2] })).toEqual([]);
    expect(findSchemaIssues(schema, { a: [1, 'x', 2.5] }).map(({ path }) => path)).toEqual(['/a/1', '/a/2']);
    expect(findSchemaIssues(schema, { a: [], 'b/c': 1 }).map(({ path }) => path)).toEqual(['/b~1c']);
    expect(findSchemaIssues(schema, { a: ['x', 'y', 'z'] }, 2)).toHaveLength(2);
  });

  it('does not fill in defaults', () => {
    const schema = Type.Object({ a: Type.Integer({ default: 3 }) });
    expect(findSchemaIssues(schema, {})).not.toEqual([]);
    expect(fillDefaults(schema, {})).toEqual({ a: 3 });
    expect(fillDefaults(schema, { a: 'wrong' })).toEqual({ a: 'wrong' });
  });
});
