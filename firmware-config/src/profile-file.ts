import { dirname, resolve } from 'node:path';
import {
  errorMessage,
  fillDefaults,
  findSchemaIssues,
  GatewayProfile,
  NgatuError,
  type SensorReading,
} from '@ngatu/contract';
import { findFeverGateIssues } from './fever-gate-check.ts';
import { findRepeatedNames } from './scene-check.ts';
import { loadScene, type SceneFile } from './scene-file.ts';
import { findBesideIssues, findSensorIssues } from './sensor-check.ts';
import { loadSensorReadings } from './sensor-template.ts';
import { type FileIssue, readYamlFile, refuseFile } from './yaml-file.ts';

/** A profile as it was read, with the scene of each camera by the camera's name. */
export interface ProfileFile {
  readonly file: string;
  readonly profile: GatewayProfile;
  readonly sha256: string;
  readonly scenes: ReadonlyMap<string, SceneFile>;
  /** The readings of each sensor by its name, with those of its template. */
  readonly sensors: ReadonlyMap<string, readonly SensorReading[]>;
}

const MAX_ISSUES = 50;

/**
 * Reads and checks a gateway profile and the scenes that it refers to (relative to the profile). Every issue is named at
 * once, with its line. Secrets stay references: see `resolveSecret`.
 * @throws NgatuError FILE_UNREADABLE (the profile), PROFILE_INVALID (also where a scene file is not there),
 *   SCENE_INVALID, SENSOR_TEMPLATE_INVALID
 */
export async function loadProfile(file: string): Promise<ProfileFile> {
  const source = await readYamlFile(file, 'PROFILE_INVALID');
  const value = fillDefaults(GatewayProfile, source.value);
  const issues: FileIssue[] = findSchemaIssues(GatewayProfile, value, MAX_ISSUES);
  if (issues.length > 0) throw refuseFile(source, 'PROFILE_INVALID', issues);
  const profile = value as GatewayProfile;
  issues.push(...findRepeatedNames('/cameras', profile.cameras), ...findSecretIssues(profile));
  const scenes = new Map<string, SceneFile>();
  for (const [index, camera] of profile.cameras.entries()) {
    try {
      scenes.set(camera.name, await loadScene(resolve(dirname(file), camera.scene)));
    } catch (error) {
      const missing = error instanceof NgatuError && error.code === 'FILE_UNREADABLE';
      if (!missing) throw error;
      issues.push({ path: `/cameras/${index}/scene`, reason: errorMessage(error) });
    }
  }
  issues.push(...findSignalIssues(profile, scenes));
  const { sensors, issues: templateIssues } = await loadSensorReadings(profile.sensors, dirname(file));
  issues.push(...templateIssues, ...findSensorIssues(profile.sensors, sensors));
  issues.push(...findFeverGateIssues(profile, sensors));
  issues.push(...findBesideIssues(profile.sensors, profile.cameras, scenes));
  if (issues.length > 0) throw refuseFile(source, 'PROFILE_INVALID', issues);
  return { file, profile, sha256: source.sha256, scenes, sensors };
}

/** A password without a user name says that something was left out. */
function findSecretIssues(profile: GatewayProfile): FileIssue[] {
  const reason = 'a password needs a username beside it';
  const issues: FileIssue[] = [];
  const { broker, cameras } = profile;
  if (broker.password !== undefined && broker.username === undefined)
    issues.push({ path: '/broker', reason });
  for (const [index, camera] of cameras.entries()) {
    if (camera.password !== undefined && camera.username === undefined) {
      issues.push({ path: `/cameras/${index}`, reason });
    }
  }
  for (const [index, { source }] of profile.signals.entries()) {
    if (source.kind !== 'mqtt' || source.broker === undefined) continue;
    if (source.broker.password !== undefined && source.broker.username === undefined) {
      issues.push({ path: `/signals/${index}/source/broker`, reason });
    }
  }
  return issues;
}

/** A source must belong to a signal of a camera that is there; two of one kind cannot check each other. */
function findSignalIssues(profile: GatewayProfile, scenes: ReadonlyMap<string, SceneFile>): FileIssue[] {
  const issues: FileIssue[] = [];
  const seen = new Set<string>();
  for (const [index, { camera, signal, source }] of profile.signals.entries()) {
    const path = `/signals/${index}`;
    const scene = scenes.get(camera);
    if (!profile.cameras.some(({ name }) => name === camera)) {
      issues.push({ path: `${path}/camera`, reason: `there is no camera "${camera}"` });
    } else if (scene !== undefined && !scene.scene.signals.some(({ name }) => name === signal)) {
      issues.push({
        path: `${path}/signal`,
        reason: `the scene of camera "${camera}" has no signal "${signal}"`,
      });
    }
    const key = `${camera}/${signal}/${source.kind}`;
    if (seen.has(key))
      issues.push({ path, reason: `a second source of kind "${source.kind}" for this signal` });
    seen.add(key);
  }
  return issues;
}

/**
 * The secret that a profile refers to, read when it is needed and never kept in the profile.
 * @throws NgatuError PROFILE_INVALID where the variable is not set
 */
export function resolveSecret(
  reference: { readonly env: string },
  env: NodeJS.ProcessEnv = process.env,
): string {
  const secret = env[reference.env];
  if (secret === undefined || secret === '') {
    throw new NgatuError(
      'PROFILE_INVALID',
      `Cannot find the secret ${reference.env}: the environment variable is not set`,
    );
  }
  return secret;
}
