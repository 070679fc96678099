import type { FeverGateProfile, GatewayProfile, SensorProfile, SensorReading } from '@ngatu/contract';
import { findBrokerReasons } from './device-broker-check.ts';
import { findRepeatedNames } from './scene-check.ts';
import type { FileIssue } from './yaml-file.ts';

const ROOM_METRICS = ['airTemperature', 'airHumidity'] as const;

/**
 * What the schema cannot say of fever gates.
 * @param readings of each sensor by its name, templates applied; a sensor whose template is not there is absent
 */
export function findFeverGateIssues(
  { feverGates, sensors }: Pick<GatewayProfile, 'feverGates' | 'sensors'>,
  readings: ReadonlyMap<string, readonly SensorReading[]>,
): FileIssue[] {
  const issues = findRepeatedNames('/feverGates', feverGates);
  for (const [index, gate] of feverGates.entries()) {
    const path = `/feverGates/${index}`;
    const room = sensors.find(({ name }) => name === gate.roomSensor);
    issues.push(
      ...checkInput(gate, path),
      ...checkVisible(gate, path),
      ...checkLimits(gate, path),
      ...checkRoom(gate, room, readings).map((reason) => ({ path: `${path}/roomSensor`, reason })),
    );
  }
  return issues;
}

function checkInput({ input, blackbody }: FeverGateProfile, path: string): FileIssue[] {
  const issues: FileIssue[] = [];
  if (input.kind === 'mqtt') {
    issues.push(...findBrokerReasons(input).map((reason) => ({ path: `${path}/input`, reason })));
    if (/^ngatu(\/|$)/.test(input.topic))
      issues.push({ path: `${path}/input/topic`, reason: 'topics below ngatu/ are those of nodes' });
  }
  const { x, y, width, height } = blackbody;
  if (input.kind === 'v4l2' && (x + width > input.width || y + height > input.height))
    issues.push({ path: `${path}/blackbody`, reason: 'it lies outside the picture of the camera' });
  return issues;
}

function checkVisible({ visible }: FeverGateProfile, path: string): FileIssue[] {
  if (visible === undefined) return [];
  const issues: FileIssue[] = [];
  const { width, height, pairs, username, password } = visible;
  if (password !== undefined && username === undefined)
    issues.push({ path: `${path}/visible`, reason: 'a password needs a username beside it' });
  for (const [
    index,
    {
      visible: [x, y],
    },
  ] of pairs.entries()) {
    if (x < 0 || y < 0 || x > width || y > height)
      issues.push({ path: `${path}/visible/pairs/${index}`, reason: 'it lies outside the visible picture' });
  }
  return issues;
}

function checkLimits({ limits, thresholdC }: FeverGateProfile, path: string): FileIssue[] {
  const issues: FileIssue[] = [];
  for (const name of ['ambientC', 'relativeHumidity'] as const) {
    const { low, high } = limits[name];
    if (low >= high) issues.push({ path: `${path}/limits/${name}`, reason: 'low is not below high' });
  }
  // humidity is a share here and per cent in sensors
  if (limits.relativeHumidity.high > 1)
    issues.push({ path: `${path}/limits/relativeHumidity`, reason: 'it is a share, 0–1, not per cent' });
  // without a reading that decides, a threshold above what confirms a fever lets fevers pass
  if (thresholdC > 37.5)
    issues.push({ path: `${path}/thresholdC`, reason: 'above 37.5 °C people with fever would pass' });
  return issues;
}

/** The room must be told more often than a reading of it holds. */
function checkRoom(
  { roomSensor, limits }: FeverGateProfile,
  sensor: SensorProfile | undefined,
  readings: ReadonlyMap<string, readonly SensorReading[]>,
): string[] {
  if (sensor === undefined) return [`there is no sensor "${roomSensor}"`];
  const own = readings.get(roomSensor);
  if (own === undefined) return [];
  const { ambientMaxAgeMs } = limits;
  const reasons: string[] = [];
  for (const metric of ROOM_METRICS) {
    const reading = own.find((one) => one.metric === metric && one.channel === undefined);
    if (reading === undefined) {
      reasons.push(`sensor "${roomSensor}" does not read ${metric}`);
      continue;
    }
    const every = Math.max(sensor.windowMs, reading.intervalMs ?? sensor.intervalMs);
    const silent = reading.deadBand === undefined ? every : Math.max(every, sensor.heartbeatMs);
    if (2 * silent > ambientMaxAgeMs)
      reasons.push(
        `${metric} may stay untold for ${silent} ms, and is good for ${ambientMaxAgeMs} ms: at most half of that`,
      );
  }
  return reasons;
}
