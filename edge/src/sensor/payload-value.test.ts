import { describe, expect, it } from 'vitest';
import { decodePayload, findSample } from './payload-value.ts';

const sampleOf = (text: string | Uint8Array, place: { pointer?: string; time?: string } = {}) =>
  findSample(decodePayload(typeof text === 'string' ? new TextEncoder().encode(text) : text), {
    kind: 'json',
    ...place,
  });

describe('a payload', () => {
  it.each([
    ['23.5', {}, 23.5],
    [' -4e2\n', {}, -400],
    ['true', {}, 1],
    ['{"a":{"b/c":[1,{"v":"7.25"}]}}', { pointer: '/a/b~1c/1/v' }, 7.25],
    ['{"open":false}', { pointer: '/open' }, 0],
    ['"12"', {}, 12],
  ])('%s is a number', (text, place, raw) => {
    expect(sampleOf(text, place)).toEqual({ raw });
  });

  it.each([
    ['null', {}, 'device'],
    ['NaN', {}, 'device'],
    ['{"v":null}', { pointer: '/v' }, 'device'],
    ['{"v":"--"}', { pointer: '/v' }, 'device'],
    ['', {}, 'garbled'],
    ['12 mm', {}, 'garbled'],
    ['0x10', {}, 'garbled'],
    ['1e999', {}, 'garbled'],
    ['{"v":1', { pointer: '/v' }, 'garbled'],
    ['{"w":1}', { pointer: '/v' }, 'garbled'],
    ['{"v":1}', { pointer: '/constructor' }, 'garbled'],
    ['{"v":{}}', { pointer: '/v' }, 'garbled'],
    ['{"v":1,"at":"soon"}', { pointer: '/v', time: '/at' }, 'garbled'],
  ])('%j is none: %j', (text, place, fault) => {
    expect(sampleOf(text, place)).toMatchObject({ fault });
  });

  it('that is not UTF-8 is garbled', () => {
    expect(sampleOf(new Uint8Array([0x31, 0xff]))).toMatchObject({ fault: 'garbled' });
  });

  it('carries its own time in words, seconds or milliseconds', () => {
    const deviceAtMs = Date.UTC(2026, 0, 5, 8);
    for (const at of ['"2026-01-05T08:00:00Z"', String(deviceAtMs), String(deviceAtMs / 1000)])
      expect(sampleOf(`{"v":1,"at":${at}}`, { pointer: '/v', time: '/at' })).toEqual({ raw: 1, deviceAtMs });
  });
});
