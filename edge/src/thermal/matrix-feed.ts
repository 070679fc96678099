import { setTimeout as wait } from 'node:timers/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { connectAsync, type IClientOptions } from 'mqtt';
import { type MatrixFormat, readJsonMatrix, readTextMatrix } from './temperature-matrix.ts';
import type { ThermalFrame } from './thermal-frame.ts';

/** One response or message may not be larger, bytes. */
const MAX_MATRIX_BYTES = 32 * 1024 * 1024;
const MAX_DELAY_MS = 30_000;

export interface HttpFeedOptions {
  /** Answers with a `TemperatureMatrix` as JSON, or with a text matrix. */
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly format?: MatrixFormat;
  /** Told of each failed poll; the next one is tried after a growing delay. */
  readonly onError: (error: NgatuError) => void;
}

/** Polls a thermal camera over HTTP until `signal`. A picture that was delivered before is left out. */
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
    return await readAnswer(options, limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function readAnswer(options: HttpFeedOptions, signal: AbortSignal): Promise<ThermalFrame> {
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
  return isJson
    ? readJsonMatrix(new TextDecoder().decode(bytes))
    : readTextMatrix(bytes, options.format).frame;
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
  return URL.canParse(url) ? new URL(url).host : 'the thermal camera';
}

function toFeedError(error: unknown, url: string): NgatuError {
  if (error instanceof NgatuError) return error;
  return new NgatuError('THERMAL_UNAVAILABLE', `Cannot read ${hostOf(url)}: ${errorMessage(error)}`, {
    retryable: true,
    cause: error,
  });
}

export interface MqttFeedOptions {
  readonly url: string;
  readonly topic: string;
  readonly credentials?: Pick<IClientOptions, 'username' | 'password'>;
  readonly onError: (error: NgatuError) => void;
}

/**
 * Takes the matrices of a topic until `signal`. Only the latest one waits: what nobody took in time is replaced. The client
 * reconnects by itself.
 * @throws NgatuError THERMAL_UNAVAILABLE where the first connection fails
 */
export async function* subscribeMatrices(
  options: MqttFeedOptions,
  signal: AbortSignal,
): AsyncGenerator<ThermalFrame> {
  const client = await connectAsync(options.url, { ...options.credentials, protocolVersion: 5 }, false).catch(
    (cause: unknown) => {
      throw toFeedError(cause, options.url);
    },
  );
  let latest: Buffer | undefined;
  let wake: (() => void) | undefined;
  const rouse = (): void => wake?.();
  client.on('message', (_, payload) => {
    latest = payload;
    rouse();
  });
  client.on('error', (error) => options.onError(toFeedError(error, options.url)));
  signal.addEventListener('abort', rouse, { once: true });
  try {
    await client.subscribeAsync(options.topic, { qos: 0 });
    while (!signal.aborted) {
      const payload = latest;
      latest = undefined;
      const frame = payload === undefined ? undefined : readPayload(payload, options.onError);
      if (frame !== undefined) yield frame;
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

function readPayload(payload: Buffer, onError: (error: NgatuError) => void): ThermalFrame | undefined {
  try {
    if (payload.length > MAX_MATRIX_BYTES)
      throw new NgatuError(
        'THERMAL_INVALID',
        `Cannot read a matrix of temperatures: ${payload.length} bytes`,
      );
    return readJsonMatrix(payload.toString('utf8'));
  } catch (error) {
    onError(toFeedError(error, ''));
    return undefined;
  }
}
