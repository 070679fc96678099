import { errorMessage, type JsonPlace, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import { decodePayload, findSample, type Payload } from './payload-value.ts';
import { waitFor } from './retry-delay.ts';
import type { SampleSink, SensorClock } from './sensor-sample.ts';

/** A quantity in the answer of a device. */
export interface AnsweredReading {
  readonly place: JsonPlace;
  readonly sink: SampleSink;
}

export interface HttpPollOptions {
  readonly url: string;
  readonly token?: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly intervalMs: number;
  readonly readings: readonly AnsweredReading[];
  readonly clock: SensorClock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** A device that fails is asked less and less, but never less often than this unless its interval is longer, ms. */
const LONGEST_INTERVAL_MS = 60_000;
const PATIENT_FAILURES = 3;
const COMPLAIN_EVERY_MS = 60_000;

/** Asks a device over HTTP at each interval until `signal` aborts. One request at a time: a tick that is missed is not made up for. */
export async function runHttpPoll(options: HttpPollOptions, signal: AbortSignal): Promise<void> {
  const { clock, intervalMs, random, logger } = options;
  let failures = 0;
  let complainedAtMs = Number.NEGATIVE_INFINITY;
  // so that devices that were configured together are not asked together
  await waitFor(Math.min(intervalMs, 1_000) * random(), signal);
  while (!signal.aborted) {
    const startedAtMs = clock.monotonicMs();
    try {
      const payload = await fetchPayload(options, signal);
      failures = 0;
      for (const { place, sink } of options.readings) sink.take(findSample(payload, place));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof NgatuError)) throw error;
      failures += 1;
      const fault = FAULT_OF[error.code] ?? 'unreachable';
      for (const { sink } of options.readings) sink.take({ fault, reason: error.message });
      if (startedAtMs - complainedAtMs >= COMPLAIN_EVERY_MS) {
        complainedAtMs = startedAtMs;
        logger.warn({ code: error.code, failures }, error.message);
      }
    }
    const grown = intervalMs * 2 ** Math.min(10, Math.max(0, failures - PATIENT_FAILURES));
    const stepMs = Math.max(intervalMs, Math.min(LONGEST_INTERVAL_MS, grown));
    await waitFor(startedAtMs + stepMs - clock.monotonicMs(), signal);
  }
}

const FAULT_OF: Readonly<Record<string, 'unreachable' | 'exception' | 'garbled'>> = {
  SENSOR_REFUSED: 'exception',
  SENSOR_GARBLED: 'garbled',
};

/**
 * Asks once.
 * @throws NgatuError SENSOR_UNREACHABLE, SENSOR_REFUSED, SENSOR_GARBLED
 */
async function fetchPayload(
  { url, token, timeoutMs, maxBytes }: HttpPollOptions,
  signal: AbortSignal,
): Promise<Payload | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const what = `Cannot read the sensor at ${new URL(url).host}`;
  try {
    const headers = {
      accept: 'application/json, text/plain',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(url, { signal: limit, redirect: 'error', headers });
    if (!response.ok) {
      await response.body?.cancel();
      throw new NgatuError('SENSOR_REFUSED', `${what}: it answered ${response.status}`);
    }
    return decodePayload(await takeBytes(response, maxBytes, what));
  } catch (cause) {
    if (cause instanceof NgatuError) throw cause;
    const why = limit.aborted ? `no whole answer within ${timeoutMs} ms` : describeFetchError(cause);
    throw new NgatuError('SENSOR_UNREACHABLE', `${what}: ${why}`, { retryable: true, cause });
  }
}

async function takeBytes(response: Response, maxBytes: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new NgatuError('SENSOR_GARBLED', `${what}: more than ${maxBytes} bytes came`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `fetch` says that it failed, and hides why. */
function describeFetchError(error: unknown): string {
  const inner = error instanceof Error ? error.cause : undefined;
  return errorMessage(inner ?? error);
}
