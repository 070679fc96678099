import type { JsonPlace } from '@ngatu/contract';
import type { Sample } from './sensor-sample.ts';

/** A number as devices write it; no hexadecimal, no blanks inside. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/;
/** A time below this is in seconds: in milliseconds it would lie in 1973. */
const LEAST_MS = 1e11;

/** A payload that was read as far as it goes without knowing what is looked for. */
export interface Payload {
  readonly text: string;
  /** Undefined where it is not JSON. */
  readonly json: unknown;
}

/** Reads what a device sent or answered; undefined where it is not UTF-8. Never throws. */
export function decodePayload(bytes: Uint8Array): Payload | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
  try {
    return { text, json: JSON.parse(text) as unknown };
  } catch {
    return { text, json: undefined };
  }
}

/** The value at `place`, or why there is none. Never throws. */
export function findSample(payload: Payload | undefined, place: JsonPlace): Sample {
  if (payload === undefined) return { fault: 'garbled', reason: 'the payload is not UTF-8' };
  if (payload.json === undefined && (place.pointer !== undefined || place.time !== undefined))
    return { fault: 'garbled', reason: 'the payload is not JSON' };
  const found = place.pointer === undefined ? payload.json : readPointer(payload.json, place.pointer);
  const value = found === undefined && place.pointer === undefined ? payload.text.trim() : found;
  const raw = toNumber(value);
  const where = place.pointer ?? 'the payload';
  if (raw === undefined) {
    if (value === null || (typeof value === 'string' && /^(nan|null|n\/a|-+)$/i.test(value)))
      return { fault: 'device', reason: `${where} says that there is no value` };
    return { fault: 'garbled', reason: `${where} is ${found === undefined ? 'not there' : 'no number'}` };
  }
  if (place.time === undefined) return { raw };
  const deviceAtMs = toInstant(readPointer(payload.json, place.time));
  if (deviceAtMs === undefined) return { fault: 'garbled', reason: `${place.time} is no time` };
  return { raw, deviceAtMs };
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value.trim()) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function toInstant(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Date.parse(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  return typeof value === 'number' && Math.abs(number) < LEAST_MS ? number * 1000 : number;
}

/** RFC 6901; undefined where nothing is there. */
function readPointer(value: unknown, pointer: string): unknown {
  let place = value;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return undefined;
    place = (place as Record<string, unknown>)[name];
  }
  return place;
}
