import { EVENT_KINDS, Event, findSchemaIssues } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { RuleMatch } from '../rules/rule.ts';
import { aFrameMark, anObservation, aScene, SESSION_START_MS } from '../testing/builder.ts';
import { forAll } from '../testing/seeded-random.ts';
import { buildEvent, type EventOrigin } from './event-builder.ts';

const FRAME = aFrameMark({ index: 42, mediaTimeMs: 3360.123456 });

function aMatch(parts: Partial<RuleMatch> = {}): RuleMatch {
  return {
    rule: 'red-light',
    kind: 'RED_LIGHT',
    trackId: 7,
    label: 'motorbike',
    observation: anObservation({ frame: FRAME, box: [64, 96, 128, 240], confidence: 0.87654 }),
    signal: { state: 'red', sinceMs: 1234.567, confidence: 0.98765 },
    alternatives: ['STOP_LINE'],
    measures: { crossedAtMediaMs: 3341 },
    explanation: { vi: 'Xe máy vượt đèn đỏ.', en: 'Motorbike passed on red.' },
    ...parts,
  };
}

function anOrigin(parts: Partial<EventOrigin> = {}): EventOrigin {
  return {
    site: 'hanoi',
    node: 'gate-1',
    camera: 'crossroads',
    session: 'replay',
    sourceWidth: 640,
    sourceHeight: 480,
    clockErrorMs: 12.4,
    model: { name: 'yolox-nano', sha256: 'a'.repeat(64) },
    scene: aScene(),
    sceneSha256: 'b'.repeat(64),
    ...parts,
  };
}

const idOf = (match: RuleMatch, origin: EventOrigin = anOrigin()): string =>
  buildEvent(match, origin).eventId;

describe('buildEvent', () => {
  it('builds an event that the contract accepts', () => {
    const event = buildEvent(aMatch(), anOrigin());
    expect(findSchemaIssues(Event, event)).toEqual([]);
    expect(event).toMatchObject({
      kind: 'RED_LIGHT',
      site: 'hanoi',
      node: 'gate-1',
      camera: 'crossroads',
      rule: 'red-light',
      capturedAt: new Date(SESSION_START_MS + 3360).toISOString(),
      clockErrorMs: 12,
      frame: { session: 'replay', index: 42, mediaTimeMs: 3360.123, width: 640, height: 480 },
      model: { name: 'yolox-nano', sha256: 'a'.repeat(64) },
      subject: { trackId: 7, confidence: 0.877, box: [0.1, 0.2, 0.2, 0.5], groundPoint: [0.15, 0.5] },
      signal: { state: 'red', sinceMs: 1235, confidence: 0.988 },
      alternatives: ['STOP_LINE'],
      measures: { crossedAtMediaMs: 3341 },
    });
    expect(event).not.toHaveProperty('detectedAt');
  });

  it('leaves the signal out where the rule looked at none', () => {
    const { signal: _, ...match } = aMatch({ kind: 'WRONG_WAY' });
    const event = buildEvent(match, anOrigin());
    expect(event).not.toHaveProperty('signal');
    expect(findSchemaIssues(Event, event)).toEqual([]);
  });

  it('gives one decisive moment one id, whatever the run counted and measured', () => {
    const again = aMatch({
      trackId: 99,
      label: 'bicycle',
      measures: { rearBeyondLinePx: 4 },
      signal: { state: 'red', sinceMs: 9, confidence: 0.1 },
      observation: {
        ...aMatch().observation,
        confidence: 0.1,
        frame: { ...FRAME, index: 7, mediaTimeMs: 99 },
      },
    });
    const restarted = anOrigin({ session: 'session-2', clockErrorMs: 300, sceneSha256: 'c'.repeat(64) });
    expect(idOf(again, restarted)).toBe(idOf(aMatch()));
    // sha256 of site, node, camera, rule, instant, x and y, a line each: ids of another release must stay the same
    expect(idOf(aMatch())).toBe('ev-66b1aa3ad9c52a62f031f806f5c46e0d');
  });

  it('gives another instant, place, rule or camera another id', () => {
    const moved = anObservation({ frame: FRAME, box: [66, 96, 130, 240] });
    const later = anObservation({
      ...aMatch().observation,
      frame: aFrameMark({ index: 43, mediaTimeMs: 3440 }),
    });
    const ids = [
      idOf(aMatch()),
      idOf(aMatch({ observation: moved })),
      idOf(aMatch({ observation: later })),
      idOf(aMatch({ rule: 'red-light-2' })),
      idOf(aMatch(), anOrigin({ camera: 'other' })),
      idOf(aMatch(), anOrigin({ node: 'gate-2' })),
      idOf(aMatch(), anOrigin({ site: 'hue' })),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('does not let two names run into each other in the id', () => {
    const a = idOf(aMatch({ rule: 'b-c' }), anOrigin({ camera: 'a' }));
    const b = idOf(aMatch({ rule: 'c' }), anOrigin({ camera: 'a-b' }));
    expect(a).not.toBe(b);
  });

  it('carries why a match was let pass, under the same id, and nothing where it was not', () => {
    const letPass = { reason: 'officer-directing', explanation: { vi: 'Cho qua', en: 'Let pass' } } as const;
    const event = buildEvent(aMatch({ letPass }), anOrigin());
    expect(event.letPass).toEqual(letPass);
    expect(event.eventId).toBe(idOf(aMatch()));
    expect(findSchemaIssues(Event, event)).toEqual([]);
    expect(buildEvent(aMatch(), anOrigin())).not.toHaveProperty('letPass');
  });

  it('keeps the boxes of the riders', () => {
    const occupants = [
      { box: [70, 96, 120, 200] as const, confidence: 0.91234 },
      { box: [80, 100, 126, 190] as const, confidence: 0.5 },
    ];
    const match = aMatch({
      observation: anObservation({ frame: FRAME, box: [64, 96, 128, 240], occupants }),
    });
    const event = buildEvent(match, anOrigin());
    expect(event.subject.occupants).toEqual([
      { box: [0.1094, 0.2, 0.1875, 0.4167], confidence: 0.912 },
      { box: [0.125, 0.2083, 0.1969, 0.3958], confidence: 0.5 },
    ]);
    expect(findSchemaIssues(Event, event)).toEqual([]);
  });

  it('keeps fractions within 0 and 1 for a box that hangs out of the picture', () => {
    const match = aMatch({ observation: anObservation({ frame: FRAME, box: [-20, -5, 700, 500] }) });
    const { subject } = buildEvent(match, anOrigin());
    expect(subject.box).toEqual([0, 0, 1, 1]);
    expect(subject.groundPoint).toEqual([0.5313, 1]);
  });

  it('satisfies the contract for any box, kind and picture', () => {
    forAll(300, (random) => {
      const [width, height] = [random.integer(32, 4096), random.integer(32, 4096)];
      const drawBox = () => {
        const [x, y] = [random.between(-100, width), random.between(-100, height)];
        return [x, y, x + random.between(0, 500), y + random.between(0, 500)] as const;
      };
      const observation = anObservation({
        frame: aFrameMark({ index: random.integer(0, 1e6), mediaTimeMs: random.between(0, 1e8) }),
        box: drawBox(),
        confidence: random.next(),
        occupants: Array.from({ length: random.integer(0, 4) }, () => ({
          box: drawBox(),
          confidence: random.next(),
        })),
      });
      const kind = EVENT_KINDS[random.integer(0, EVENT_KINDS.length - 1)] ?? 'RED_LIGHT';
      const origin = anOrigin({
        sourceWidth: width,
        sourceHeight: height,
        clockErrorMs: random.between(0, 1000),
      });
      expect(findSchemaIssues(Event, buildEvent(aMatch({ observation, kind }), origin))).toEqual([]);
    });
  });
});
