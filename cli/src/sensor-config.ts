import type { SensorConfig } from '@ngatu/edge';
import { type ProfileFile, resolveSecret } from '@ngatu/firmware-config';

/**
 * The sensors of a profile with their templates and secrets.
 * @throws NgatuError PROFILE_INVALID where the variable of a secret is not set
 */
export function buildSensors({ profile, sensors }: Pick<ProfileFile, 'profile' | 'sensors'>): SensorConfig[] {
  return profile.sensors.map(({ template: _, source, ...sensor }) => ({
    ...sensor,
    source: buildSource(source),
    readings: sensors.get(sensor.name) ?? [],
  }));
}

function buildSource(source: ProfileFile['profile']['sensors'][number]['source']): SensorConfig['source'] {
  if (source.kind === 'mqtt') {
    const { url, username, password, tls } = source.broker;
    return {
      ...source,
      broker: {
        url,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password: resolveSecret(password) }),
        ...(tls === undefined ? {} : { tls }),
      },
    };
  }
  if (source.kind === 'http') {
    const { token, ...rest } = source;
    return token === undefined ? rest : { ...rest, token: resolveSecret(token) };
  }
  return source;
}
