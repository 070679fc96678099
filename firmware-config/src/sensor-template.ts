import { resolve } from 'node:path';
import {
  errorMessage,
  fillDefaults,
  findSchemaIssues,
  NgatuError,
  type SensorProfile,
  type SensorReading,
  SensorTemplate,
} from '@ngatu/contract';
import { type FileIssue, readYamlFile, refuseFile } from './yaml-file.ts';

const MAX_ISSUES = 50;

/**
 * Reads the readings of a kind of device.
 * @throws NgatuError FILE_UNREADABLE, SENSOR_TEMPLATE_INVALID (every issue with its line)
 */
export async function loadSensorTemplate(file: string): Promise<SensorTemplate> {
  const source = await readYamlFile(file, 'SENSOR_TEMPLATE_INVALID');
  const value = fillDefaults(SensorTemplate, source.value);
  const issues = findSchemaIssues(SensorTemplate, value, MAX_ISSUES);
  if (issues.length > 0) throw refuseFile(source, 'SENSOR_TEMPLATE_INVALID', issues);
  return value as SensorTemplate;
}

/**
 * The readings of each sensor by its name: those of its template, in whose place those of the profile stand where metric and channel are
 * the same.
 * @param folder to which templates are relative
 * @throws NgatuError SENSOR_TEMPLATE_INVALID; a file that is not there is an issue
 */
export async function loadSensorReadings(
  sensors: readonly SensorProfile[],
  folder: string,
): Promise<{ sensors: Map<string, SensorReading[]>; issues: FileIssue[] }> {
  const known = new Map<string, Promise<SensorTemplate>>();
  const readings = new Map<string, SensorReading[]>();
  const issues: FileIssue[] = [];
  for (const [index, { name, template, readings: own }] of sensors.entries()) {
    try {
      const base = template === undefined ? [] : await loadOnce(resolve(folder, template), known);
      const replaced = new Set(own.map(keyOf));
      readings.set(name, [...base.filter((reading) => !replaced.has(keyOf(reading))), ...own]);
    } catch (error) {
      if (!(error instanceof NgatuError) || error.code !== 'FILE_UNREADABLE') throw error;
      issues.push({ path: `/sensors/${index}/template`, reason: errorMessage(error) });
    }
  }
  return { sensors: readings, issues };
}

async function loadOnce(
  file: string,
  known: Map<string, Promise<SensorTemplate>>,
): Promise<readonly SensorReading[]> {
  const loading = known.get(file) ?? loadSensorTemplate(file);
  known.set(file, loading);
  return (await loading).readings;
}

function keyOf({ metric, channel }: SensorReading): string {
  return `${metric} ${channel ?? ''}`;
}
