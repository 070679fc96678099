import { setTimeout as wait } from 'node:timers/promises';
import type { FeverGateProfile, ThermalMapping } from '@ngatu/contract';
import {
  type HttpFeedOptions,
  type MqttFeedOptions,
  pollMatrices,
  subscribeMatrices,
} from './matrix-feed.ts';
import type { RawMapping } from './raw-mapping.ts';
import type { ThermalFrame } from './thermal-frame.ts';
import { readThermalVideo } from './thermal-video.ts';

type ProfileInput = FeverGateProfile['input'];
type MqttInput = Extract<ProfileInput, { kind: 'mqtt' }>;

/** The input of a gate with its secret resolved. */
export type GateInputConfig =
  | Exclude<ProfileInput, MqttInput>
  | (Omit<MqttInput, 'password'> & { readonly password?: string });

export interface GateSourceOptions
  extends Pick<HttpFeedOptions, 'onError' | 'read'>,
    Pick<MqttFeedOptions, 'onDrop'> {
  readonly input: GateInputConfig;
  readonly stallTimeoutMs: number;
}

/**
 * The pictures of a gate's camera until `signal`, or until the camera ends or fails.
 * @throws NgatuError THERMAL_INVALID, THERMAL_UNAVAILABLE, PROFILE_INVALID, SETUP_PACKAGE_MISSING
 */
export function openGateSource(
  { input, stallTimeoutMs, onDrop, ...feed }: GateSourceOptions,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  switch (input.kind) {
    case 'http':
      return pollMatrices({ ...input, ...feed }, signal);
    case 'mqtt': {
      const { url, topic, username, password, tls } = input;
      const credentials = {
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
      };
      const more = {
        ...(onDrop === undefined ? {} : { onDrop }),
        ...(tls === undefined ? {} : { tls }),
      };
      return subscribeMatrices({ url, topic, credentials, ...feed, ...more }, signal);
    }
    case 'v4l2': {
      const mapping = buildMapping(input.mapping);
      return readThermalVideo({ input, mapping, stallTimeoutMs }, signal);
    }
    case 'recording':
      return playRecording(input, stallTimeoutMs, signal);
  }
}

/** Apparent temperatures: what lies between skin and lens is the gate's to correct. */
function buildMapping(mapping: ThermalMapping): RawMapping {
  if (mapping.kind === 'linear') return mapping;
  const { kind, ...planck } = mapping;
  const conditions = {
    ...{ emissivity: 1, distanceM: 0, reflectedC: 20, atmosphereC: 20, relativeHumidity: 0.4 },
    ...{ windowC: 20, windowTransmission: 1 },
  };
  return { kind, planck, conditions };
}

/** Pictures at the pace at which they were taken. */
async function* playRecording(
  { path, mapping }: Extract<ProfileInput, { kind: 'recording' }>,
  stallTimeoutMs: number,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  const beganMs = performance.now();
  const input = { kind: 'file', path } as const;
  for await (const frame of readThermalVideo(
    { input, mapping: buildMapping(mapping), stallTimeoutMs },
    signal,
  )) {
    const aheadMs = (frame.mediaTimeMs ?? 0) - (performance.now() - beganMs);
    if (aheadMs > 0) await wait(aheadMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    yield frame;
  }
}
