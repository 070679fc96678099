import {
  FeverGateProfile,
  fillDefaults,
  parseWithSchema,
  SensorProfile,
  type SensorReading,
} from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { findFeverGateIssues } from './fever-gate-check.ts';

const refuse = { code: 'PROFILE_INVALID', what: 'the test' } as const;

function aGate(change: object = {}): FeverGateProfile {
  const value = {
    name: 'hall-1',
    input: {
      ...{ kind: 'v4l2', device: '/dev/video2', width: 640, height: 480 },
      mapping: { kind: 'linear', gain: 0.01, offsetC: -273.15 },
    },
    blackbody: { x: 40, y: 200, width: 60, height: 60, setC: 35, accuracyC: 0.1 },
    roomSensor: 'hall',
    ...change,
  };
  return parseWithSchema(FeverGateProfile, fillDefaults(FeverGateProfile, value), refuse);
}

function aSensor(change: object = {}, metrics = ['airTemperature', 'airHumidity']): SensorProfile {
  const readings = metrics.map((metric) => ({
    metric,
    unit: metric === 'airTemperature' ? 'Cel' : '%',
    from: { kind: 'json' },
    ...change,
  }));
  const value = { name: 'hall', source: { kind: 'http', url: 'http://10.0.0.7/air' }, readings };
  return parseWithSchema(SensorProfile, fillDefaults(SensorProfile, value), refuse);
}

function check(gates: FeverGateProfile[], sensor: SensorProfile | undefined = aSensor()): string[] {
  const readings = new Map<string, readonly SensorReading[]>([['hall', sensor.readings]]);
  return findFeverGateIssues({ feverGates: gates, sensors: [sensor] }, readings).map(
    ({ path, reason }) => `${path}: ${reason}`,
  );
}

describe('fever gates of a profile', () => {
  it('are well with their defaults, which are those of the core', () => {
    expect(check([aGate()])).toEqual([]);
    expect(aGate()).toMatchObject({
      ...{ distanceM: 1, minFaceWidthPx: 180, thresholdC: 37.3, learnPassages: 50 },
      blackbody: { emissivity: 0.98, toleranceC: 2 },
      limits: { ambientC: { low: 20, high: 24 }, warmUpMs: 1_800_000, framesWanted: 6 },
    });
  });

  const mqtt = { kind: 'mqtt', url: 'mqtt://10.0.0.9', topic: 'thermal/hall' };
  it.each([
    ['a name twice', [aGate(), aGate()], /\/feverGates\/1.*hall-1/],
    ['a sensor that is not there', [aGate({ roomSensor: 'yard' })], /roomSensor: there is no sensor "yard"/],
    [
      'a blackbody outside the picture',
      [aGate({ blackbody: { x: 600, y: 1, width: 60, height: 9, setC: 35, accuracyC: 0.1 } })],
      /blackbody: it lies outside/,
    ],
    [
      'a password without a user',
      [aGate({ input: { ...mqtt, password: { env: 'SECRET' } } })],
      /input: a password needs a username/,
    ],
    [
      'a key without its certificate',
      [aGate({ input: { ...mqtt, url: 'mqtts://10.0.0.9', tls: { keyFile: '/key' } } })],
      /input: a certificate needs its key/,
    ],
    ['a topic of nodes', [aGate({ input: { ...mqtt, topic: 'ngatu/v1/x' } })], /topics below ngatu\//],
    ['limits upside down', [aGate({ limits: { ambientC: { low: 25 } } })], /ambientC: low is not below high/],
    ['humidity in per cent', [aGate({ limits: { relativeHumidity: { high: 50 } } })], /not per cent/],
    ['a threshold that lets fever pass', [aGate({ thresholdC: 38 })], /people with fever would pass/],
  ])('are refused for %s', (_, gates, message) => {
    expect(check(gates).join('\n')).toMatch(message);
  });

  it('are refused where the room is not told, or too seldom', () => {
    expect(check([aGate()], aSensor({}, ['airTemperature'])).join()).toMatch(/does not read airHumidity/);
    expect(check([aGate()], aSensor({ deadBand: 0.5 })).join()).toMatch(/may stay untold for 900000 ms/);
    expect(check([aGate({ limits: { ambientMaxAgeMs: 60_000 } })]).join()).toMatch(/untold for 60000 ms/);
  });
});
