import { SENSOR_QUANTITIES, type SensorProfile, type SensorReading } from '@ngatu/contract';
import { findBrokerReasons } from './device-broker-check.ts';
import { findRepeatedNames } from './scene-check.ts';
import type { SceneFile } from './scene-file.ts';
import type { FileIssue } from './yaml-file.ts';

/** The cameras beside which sensors stand, and the lines over loops, must be there. */
export function findBesideIssues(
  sensors: readonly SensorProfile[],
  cameras: readonly { readonly name: string }[],
  scenes: ReadonlyMap<string, SceneFile>,
): FileIssue[] {
  return sensors.flatMap(({ beside }, index): FileIssue[] => {
    if (beside === undefined) return [];
    const { camera, tripwire } = beside;
    const path = `/sensors/${index}/beside`;
    if (!cameras.some(({ name }) => name === camera))
      return [{ path: `${path}/camera`, reason: `there is no camera "${camera}"` }];
    const scene = scenes.get(camera)?.scene;
    if (
      tripwire === undefined ||
      scene === undefined ||
      scene.tripwires.some(({ name }) => name === tripwire)
    )
      return [];
    return [
      { path: `${path}/tripwire`, reason: `the scene of camera "${camera}" has no tripwire "${tripwire}"` },
    ];
  });
}

/** Which place a reading must have, by the kind of its source. */
const PLACES_OF: Readonly<Record<SensorProfile['source']['kind'], readonly SensorReading['from']['kind'][]>> =
  {
    'modbus-tcp': ['register'],
    'modbus-rtu': ['register'],
    mqtt: ['json'],
    http: ['json'],
    input: ['contact', 'gpio'],
  };
const REGISTERS_OF: Readonly<Record<string, number>> = { u32: 2, i32: 2, f32: 2, u64: 4, i64: 4, f64: 4 };

/**
 * What the schema cannot say of sensors.
 * @param readings of each sensor by its name, templates applied; a sensor whose template is not there is absent
 */
export function findSensorIssues(
  sensors: readonly SensorProfile[],
  readings: ReadonlyMap<string, readonly SensorReading[]>,
): FileIssue[] {
  const issues = findRepeatedNames('/sensors', sensors);
  for (const [index, sensor] of sensors.entries()) {
    const path = `/sensors/${index}`;
    const all = readings.get(sensor.name);
    if (all === undefined) continue;
    if (all.length === 0)
      issues.push({ path, reason: 'the sensor has no readings: name some, or a template' });
    issues.push(...findRepeatedReadings(all, path), ...checkSource(sensor, sensors.slice(0, index), path));
    for (const reading of all) {
      const own = sensor.readings.indexOf(reading);
      // what a template says stands in another file: the sensor that names it is where to look
      const at = own < 0 ? `${path}/template` : `${path}/readings/${own}`;
      const issue = (reason: string): FileIssue => ({ path: at, reason: `${reading.metric}: ${reason}` });
      issues.push(...checkReading(reading).map(issue));
      const places = PLACES_OF[sensor.source.kind];
      if (!places.includes(reading.from.kind))
        issues.push(
          issue(`a source of kind ${sensor.source.kind} needs readings from a ${places.join(' or ')}`),
        );
    }
  }
  return issues;
}

function findRepeatedReadings(readings: readonly SensorReading[], path: string): FileIssue[] {
  const seen = new Set<string>();
  return readings.flatMap(({ metric, channel }) => {
    const key = channel === undefined ? metric : `${metric} of channel ${channel}`;
    const isKnown = seen.has(key);
    seen.add(key);
    return isKnown ? [{ path, reason: `two readings of ${key}: name a channel to tell them apart` }] : [];
  });
}

function checkReading(reading: SensorReading): string[] {
  const { metric, unit, manner, counter, from, low, high, channel } = reading;
  const known = Object.hasOwn(SENSOR_QUANTITIES, metric) ? SENSOR_QUANTITIES[metric] : undefined;
  const meant = manner ?? known?.manner ?? 'mean';
  const reasons: string[] = [];
  if (/(Min|Max|P9\d)$/.test(metric)) reasons.push('the name is that of an extreme of another quantity');
  if (known !== undefined && known.unit !== unit)
    reasons.push(`it is measured in ${known.unit} everywhere: bring it there by scale and offset`);
  if (known !== undefined && meant !== known.manner)
    reasons.push(`its readings become a ${known.manner}, not a ${meant}`);
  if (meant === 'sum' && known?.manner !== 'sum')
    reasons.push(
      `only ${listSummed().join(', ')} add up; a quantity of another name would be averaged later`,
    );
  if (counter !== undefined && meant !== 'sum') reasons.push('a counter is summed');
  if (channel !== undefined && channel.length > 32) reasons.push('the channel is too long');
  if ((low ?? known?.low ?? 0) >= (high ?? known?.high ?? Number.POSITIVE_INFINITY))
    reasons.push('low is not below high');
  if (from.kind === 'register') {
    const { address, type, bit = 0, bitCount = 1, table } = from;
    if (address + (REGISTERS_OF[type] ?? 1) > 65_536) reasons.push('its registers end beyond 65535');
    if (bit + bitCount > 16) reasons.push('its bits end beyond the register');
    if ((table === 'coil' || table === 'discrete') && type !== 'u16' && type !== 'bits')
      reasons.push(`a ${table} is one bit and has no type`);
  }
  return reasons;
}

function listSummed(): string[] {
  return Object.entries(SENSOR_QUANTITIES).flatMap(([name, { manner }]) => (manner === 'sum' ? [name] : []));
}

function checkSource({ source }: SensorProfile, before: readonly SensorProfile[], path: string): FileIssue[] {
  if (source.kind === 'mqtt') {
    const reasons = findBrokerReasons(source.broker);
    return reasons.map((reason) => ({ path: `${path}/source/broker`, reason }));
  }
  if (source.kind === 'modbus-rtu') {
    const line = ({ baudRate, dataBits, stopBits, parity }: typeof source): string =>
      [baudRate, dataBits, parity, stopBits].join();
    const others = before.filter(
      (other) =>
        other.source.kind === 'modbus-rtu' &&
        other.source.path === source.path &&
        line(other.source) !== line(source),
    );
    return others.map(({ name }) => ({
      path: `${path}/source`,
      reason: `sensor "${name}" sets the same serial line otherwise`,
    }));
  }
  return [];
}
