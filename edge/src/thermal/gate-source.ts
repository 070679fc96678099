import { open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { errorMessage, type FeverGateProfile, NgatuError, type ThermalMapping } from '@ngatu/contract';
import { isFlirFile, streamFlirFile } from './flir-file.ts';
import {
  type HttpFeedOptions,
  type MqttFeedOptions,
  pollMatrices,
  subscribeMatrices,
} from './matrix-feed.ts';
import type { MeasuringConditions } from './radiometry.ts';
import type { RawMapping } from './raw-mapping.ts';
import type { ThermalFrame } from './thermal-frame.ts';
import { readThermalVideo } from './thermal-video.ts';

type ProfileInput = FeverGateProfile['input'];
type RecordingInput = Extract<ProfileInput, { kind: 'recording' }>;
type MqttInput = Extract<ProfileInput, { kind: 'mqtt' }>;

/** Of apparent temperatures: what lies between skin and lens is the gate's to correct. */
const APPARENT: MeasuringConditions = {
  ...{ emissivity: 1, distanceM: 0, reflectedC: 20, atmosphereC: 20, relativeHumidity: 0.4 },
  ...{ windowC: 20, windowTransmission: 1 },
};
/** Between pictures of which nothing says when they were taken: nine a second. */
const UNTIMED_FRAME_MS = 1_000 / 9;
/** A FLIR recording is read as a whole: some minutes of a camera. */
const FLIR_BYTES_MAX = 268_435_456;

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

function buildMapping(mapping: ThermalMapping): RawMapping {
  if (mapping.kind === 'linear') return mapping;
  const { kind, ...planck } = mapping;
  return { kind, planck, conditions: APPARENT };
}

/** Pictures at the pace at which they were taken. */
async function* playRecording(
  recording: RecordingInput,
  stallTimeoutMs: number,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  const beganMs = performance.now();
  const pauseUntil = async (mediaTimeMs: number): Promise<void> => {
    const aheadMs = mediaTimeMs - (performance.now() - beganMs);
    if (aheadMs > 0) await wait(aheadMs, undefined, { signal }).catch(() => undefined);
  };
  let atMs = 0;
  for await (const frame of await openRecording(recording, stallTimeoutMs, signal)) {
    atMs = frame.mediaTimeMs ?? atMs + UNTIMED_FRAME_MS;
    await pauseUntil(atMs);
    if (signal.aborted) return;
    yield frame;
  }
  // a file of one picture would begin anew without rest
  await pauseUntil(atMs + UNTIMED_FRAME_MS);
}

async function openRecording(
  { path, mapping }: RecordingInput,
  stallTimeoutMs: number,
  signal: AbortSignal,
): Promise<AsyncGenerator<ThermalFrame>> {
  const flir = await readFlirBytes(path);
  if (flir !== undefined) return streamFlirFile(flir, APPARENT, signal);
  if (mapping === undefined)
    throw new NgatuError('PROFILE_INVALID', `Cannot play ${path}: a 16-bit video needs input.mapping`);
  return readThermalVideo(
    { input: { kind: 'file', path }, mapping: buildMapping(mapping), stallTimeoutMs },
    signal,
  );
}

/** The file where it is one of FLIR's; undefined where it is another. @throws NgatuError THERMAL_INVALID where it cannot be read */
async function readFlirBytes(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path).catch((cause: unknown) => {
    throw new NgatuError('THERMAL_INVALID', `Cannot play ${path}: ${errorMessage(cause)}`, { cause });
  });
  try {
    const head = new Uint8Array(4);
    await file.read(head, 0, head.length, 0);
    if (!isFlirFile(head)) return undefined;
    const { size } = await file.stat();
    if (size > FLIR_BYTES_MAX)
      throw new NgatuError('THERMAL_INVALID', `Cannot play ${path}: ${size} bytes are too many`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
