import { setTimeout as wait } from 'node:timers/promises';
import { type DeviceTls, errorMessage, NgatuError, toUrl } from '@ngatu/contract';
import { describeTlsError, openDeviceTls } from '@ngatu/trust';
import { connectAsync, type IClientOptions } from 'mqtt';
import { type MatrixForm, readMatrix } from './temperature-matrix.ts';
import type { ThermalFrame } from './thermal-frame.ts';

/** One response or message may not be larger, bytes. */
const MAX_MATRIX_BYTES = 32 * 1024 * 1024;
const MAX_DELAY_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;

interface FeedOptions {
  /** Told of each picture that failed; the feed gets over it by itself. */
  readonly onError: (error: NgatuError) => void;
  /** Reads what came; here where absent. */
  readonly read?: (bytes: Uint8Array, form: MatrixForm) => ThermalFrame | Promise<ThermalFrame>;
}

export interface HttpFeedOptions extends FeedOptions {
  /** Answers with a `TemperatureMatrix` as JSON, or with a text matrix. */
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Polls a thermal camera over HTTP until `signal`, after a failed poll with a growing delay. A picture that was delivered before is left out. */
export async function* pollMatrices(
  options: HttpFeedOptions,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  let failures = 0;
  let lastMs: number | undefined;
  while (!signal.aborted) {
    try {
      const frame = await fetchMatrix(options, signal);
      failures = 0;
      const isOld = frame.capturedAtMs !== undefined && frame.capturedAtMs === lastMs;
      lastMs = frame.capturedAtMs;
      if (!isOld) yield frame;
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      options.onError(toFeedError(error, options.url));
    }
    const delayMs = Math.min(MAX_DELAY_MS, options.intervalMs * 2 ** Math.min(failures, 10));
    await wait(delayMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/**
 * Asks once.
 * @throws NgatuError THERMAL_INVALID, THERMAL_UNAVAILABLE
 */
async function fetchMatrix(options: HttpFeedOptions, signal: AbortSignal): Promise<ThermalFrame> {
  // not AbortSignal.any with a timeout: Node 20 may collect the timeout before it fires
  const limit = new AbortController();
  const stop = (): void => limit.abort(signal.reason);
  const timer = setTimeout(
    () => limit.abort(new Error(`no answer within ${options.timeoutMs} ms`)),
    options.timeoutMs,
  );
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { bytes, form } = await readAnswer(options, limit.signal);
    return await (options.read ?? readMatrix)(bytes, form);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function readAnswer(
  options: HttpFeedOptions,
  signal: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly form: MatrixForm }> {
  const response = await fetch(options.url, { signal, redirect: 'error' });
  if (!response.ok) {
    await response.body?.cancel();
    throw new NgatuError(
      'THERMAL_UNAVAILABLE',
      `Cannot read ${hostOf(options.url)}: it answered ${response.status}`,
      { retryable: true },
    );
  }
  const bytes = await takeBytes(response);
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { bytes, form: isJson ? 'json' : 'text' };
}

async function takeBytes(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_MATRIX_BYTES)
      throw new NgatuError(
        'THERMAL_INVALID',
        `Cannot read a matrix of temperatures: more than ${MAX_MATRIX_BYTES} bytes came`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The address without user, password and query. */
function hostOf(url: string): string {
  return toUrl(url)?.host ?? 'the thermal camera';
}

function toFeedError(error: unknown, url: string): NgatuError {
  if (error instanceof NgatuError) return error;
  const refusal = describeTlsError(error, `read ${hostOf(url)}`);
  if (refusal !== undefined) return refusal;
  return new NgatuError('THERMAL_UNAVAILABLE', `Cannot read ${hostOf(url)}: ${errorMessage(error)}`, {
    retryable: true,
    cause: error,
  });
}

export interface MqttFeedOptions extends FeedOptions {
  readonly url: string;
  readonly topic: string;
  readonly credentials?: Pick<IClientOptions, 'username' | 'password'>;
  /** Certificates of an `mqtts://` broker. */
  readonly tls?: DeviceTls;
  /** Told of each picture that gave way to the next one before it was read. */
  readonly onDrop?: () => void;
}

/**
 * Takes the matrices of a topic until `signal`. Only the latest one waits: what nobody took in time is replaced.
 * @throws NgatuError THERMAL_UNAVAILABLE, or of a certificate, where the connection cannot be made or ends
 */
export async function* subscribeMatrices(
  options: MqttFeedOptions,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  const given = {
    ...options.credentials,
    ...(options.tls === undefined ? {} : openDeviceTls(options.tls)),
    protocolVersion: 5,
    // a new connection reads its certificates anew
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
  } satisfies IClientOptions;
  const client = await connectAsync(options.url, given, false).catch((cause: unknown) => {
    throw toFeedError(cause, options.url);
  });
  let latest: Buffer | undefined;
  let wake: (() => void) | undefined;
  const rouse = (): void => wake?.();
  client.on('message', (_, payload) => {
    if (latest !== undefined) options.onDrop?.();
    latest = payload;
    rouse();
  });
  let end: Error | undefined;
  client.on('error', (error) => {
    end = error;
  });
  client.once('close', () => {
    end ??= new Error('connection closed');
    rouse();
  });
  signal.addEventListener('abort', rouse, { once: true });
  try {
    await client.subscribeAsync(options.topic, { qos: 0 }).catch((cause: unknown) => {
      throw toFeedError(end ?? cause, options.url);
    });
    while (!signal.aborted) {
      const payload = latest;
      latest = undefined;
      const frame = payload === undefined ? undefined : await readPayload(payload, options);
      if (signal.aborted) return;
      if (frame !== undefined) yield frame;
      if (end !== undefined) throw toFeedError(end, options.url);
      if (latest === undefined && !signal.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    signal.removeEventListener('abort', rouse);
    await client.endAsync(true);
  }
}

async function readPayload(
  payload: Buffer,
  { read = readMatrix, onError }: FeedOptions,
): Promise<ThermalFrame | undefined> {
  try {
    if (payload.length > MAX_MATRIX_BYTES)
      throw new NgatuError(
        'THERMAL_INVALID',
        `Cannot read a matrix of temperatures: ${payload.length} bytes`,
      );
    return await read(payload, 'json');
  } catch (error) {
    onError(toFeedError(error, ''));
    return undefined;
  }
}
