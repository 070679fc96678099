import { describe, expect, it } from 'vitest';
import { buildChannelFilter, buildTopic, CHANNELS, NUMBERED_CHANNELS, parseTopic } from './topic.ts';

const SEED = Number(process.env['NGATU_SEED'] || 20_250_701);
const RUNS = 500;

/** Lehmer's generator (Park & Miller, 1988), uniform in (0, 1). */
function createRandom(seed: number): () => number {
  let state = (Math.abs(seed) % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function drawText(random: () => number, alphabet: string, maxLength: number): string {
  const length = 1 + Math.floor(random() * maxLength);
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)] ?? '').join('');
}

const drawSlug = (random: () => number): string =>
  Array.from({ length: 1 + Math.floor(random() * 3) }, () => drawText(random, 'abz059', 6)).join('-');

function forAll(property: (random: () => number) => void): void {
  for (let run = 0; run < RUNS; run++) {
    try {
      property(createRandom(SEED + run));
    } catch (cause) {
      throw new Error(`Property failed; repeat with NGATU_SEED=${SEED + run}: ${String(cause)}`, { cause });
    }
  }
}

describe('topics', () => {
  it('stand below one versioned prefix', () => {
    expect(buildTopic({ site: 'hanoi', node: 'gate-1', channel: 'event' })).toBe(
      'ngatu/v1/hanoi/gate-1/event',
    );
    expect(buildChannelFilter('ack')).toBe('ngatu/v1/+/+/ack');
  });

  it('come back as they were built', () => {
    forAll((random) => {
      const channel = CHANNELS[Math.floor(random() * CHANNELS.length)] ?? 'event';
      const parts = { site: drawSlug(random), node: drawSlug(random), channel };
      expect(parseTopic(buildTopic(parts))).toEqual(parts);
    });
  });

  it('are built again from what was parsed, or are none of ngatu', () => {
    let parsed = 0;
    forAll((random) => {
      const segments = [
        'ngatu',
        'v1',
        'v2',
        'event',
        'ack',
        'hanoi',
        'gate-1',
        '',
        '+',
        '#',
        'A',
        'a--b',
        '-a',
      ];
      const draw = () => segments[Math.floor(random() * segments.length)] ?? '';
      const head = random() < 0.8 ? ['ngatu', 'v1'] : [draw(), draw()];
      const tail = random() < 0.6 ? ['event'] : [draw(), ...(random() < 0.3 ? [draw()] : [])];
      const topic = [...head, draw(), draw(), ...tail].join('/');
      const parts = parseTopic(topic);
      if (parts === undefined) return;
      parsed += 1;
      expect(buildTopic(parts)).toBe(topic);
    });
    expect(parsed).toBeGreaterThan(0);
  });

  it.each([
    '',
    'ngatu/v1/hanoi/gate-1',
    'ngatu/v1/hanoi/gate-1/event/more',
    'ngatu/v1/hanoi/gate-1/events',
    'ngatu/v2/hanoi/gate-1/event',
    'other/v1/hanoi/gate-1/event',
    '/ngatu/v1/hanoi/gate-1/event',
    'ngatu/v1//gate-1/event',
    'ngatu/v1/+/gate-1/event',
    'ngatu/v1/hanoi/#',
    'ngatu/v1/Hanoi/gate-1/event',
    'ngatu/v1/hanoi/gate-1/event\n',
    'ngatu/v1/hanoi\n/gate-1/event',
    'ngatu/v1/../gate-1/event',
    'ngatu/v1/hanoi/gate-1/constructor',
  ])('%j is none of ngatu', (topic) => {
    expect(parseTopic(topic)).toBeUndefined();
  });

  it('number the channels that the outbox acknowledges, not its answers', () => {
    for (const channel of NUMBERED_CHANNELS) expect(CHANNELS).toContain(channel);
    expect(NUMBERED_CHANNELS).not.toContain('ack');
    expect(NUMBERED_CHANNELS).not.toContain('state');
  });
});
