import type { TSchema } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { Ack, ENVELOPES, EnvelopeHead } from './envelope.ts';
import type { Event } from './event.ts';
import type { EvidenceManifest } from './evidence.ts';
import { findSchemaIssues } from './schema.ts';
import type { ScreeningReport } from './screening-report.ts';
import { NodeState, type Telemetry } from './telemetry.ts';
import { NUMBERED_CHANNELS } from './topic.ts';

const AT = '2025-07-01T00:00:00.000Z';
const SHA = 'a'.repeat(64);
const EVENT_ID = `ev-${'0'.repeat(32)}`;
const HEAD = {
  schemaVersion: 1,
  outboxId: '00000000-0000-4000-8000-000000000000',
  seq: 1,
  publishedAt: AT,
} as const;

const EVENT: Event = {
  schemaVersion: 1,
  eventId: EVENT_ID,
  kind: 'RED_LIGHT',
  site: 'hanoi',
  node: 'gate-1',
  camera: 'east',
  rule: 'red-light',
  capturedAt: AT,
  clockErrorMs: 0,
  frame: { session: 's1', index: 0, mediaTimeMs: 0, width: 640, height: 480 },
  model: { name: 'yolox-nano', sha256: SHA },
  sceneSha256: SHA,
  subject: {
    trackId: 1,
    label: 'car',
    confidence: 1,
    box: [0, 0, 1, 1],
    groundPoint: [0.5, 1],
    occupants: [],
  },
  alternatives: [],
  measures: { sinceRedMs: 900 },
  explanation: { vi: 'a', en: 'b' },
};
const MANIFEST: EvidenceManifest = {
  schemaVersion: 1,
  eventId: EVENT_ID,
  site: 'hanoi',
  node: 'gate-1',
  camera: 'east',
  createdAt: AT,
  files: [],
  missing: [{ role: 'clip', reason: 'The ring did not reach back.' }],
};
const TELEMETRY: Telemetry = {
  schemaVersion: 1,
  site: 'hanoi',
  node: 'gate-1',
  intervals: [
    {
      from: AT,
      to: AT,
      state: 'blind',
      reason: 'camera-stalled',
      framesDecoded: 0,
      framesAnalysed: 0,
      framesDropped: 0,
    },
  ],
  measurements: [{ at: AT, metric: 'analysedFps', value: 12.5, tags: { label: 'car' } }],
};
const SCREENING: ScreeningReport = {
  schemaVersion: 1,
  site: 'nga-tu-so',
  node: 'gate-1',
  gate: 'hall-1',
  results: [],
  selfChecks: [],
};
const BODIES = { event: EVENT, evidence: MANIFEST, telemetry: TELEMETRY, screening: SCREENING };

const pathsOf = (schema: TSchema, value: unknown): string[] =>
  findSchemaIssues(schema, value).map(({ path }) => path);

describe('envelopes', () => {
  it.each(NUMBERED_CHANNELS)('of %s take their own body and no other', (channel) => {
    expect(pathsOf(ENVELOPES[channel], { ...HEAD, body: BODIES[channel] })).toEqual([]);
    for (const other of NUMBERED_CHANNELS) {
      if (other !== channel)
        expect(pathsOf(ENVELOPES[channel], { ...HEAD, body: BODIES[other] })).not.toEqual([]);
    }
  });

  it.each([
    ['schemaVersion', 2],
    ['outboxId', 'gate-1'],
    ['seq', 0],
    ['seq', 1.5],
    ['publishedAt', '2025-07-01 00:00:00'],
    ['publishedAt', '2025-07-01T00:00:00Z'],
    ['publishedAt', '2025-07-01T07:00:00.000+07:00'],
  ])('refuse %s = %j, with its path', (field, value) => {
    expect(pathsOf(ENVELOPES.event, { ...HEAD, body: EVENT, [field]: value })).toEqual([`/${field}`]);
    expect(pathsOf(EnvelopeHead, { ...HEAD, [field]: value })).toEqual([`/${field}`]);
  });

  it('are answered by their head where the body is refused', () => {
    const broken = { ...HEAD, body: { nonsense: true } };
    expect(pathsOf(ENVELOPES.event, broken)).not.toEqual([]);
    expect(pathsOf(EnvelopeHead, broken)).toEqual([]);
  });

  it.each([
    ['/body/subject/box/2', { subject: { ...EVENT.subject, box: [0, 0, 1.01, 1] } }],
    ['/body/subject/box', { subject: { ...EVENT.subject, box: [0, 0, 1] } }],
    ['/body/eventId', { eventId: 'ev-1' }],
    ['/body/kind', { kind: 'PARKING' }],
    ['/body/model/sha256', { model: { name: 'm', sha256: 'ABC' } }],
    ['/body/clockErrorMs', { clockErrorMs: Number.POSITIVE_INFINITY }],
    ['/body/plate', { plate: '30A-123.45' }],
    ['/body/explanation/en', { explanation: { vi: '', en: 'x'.repeat(601) } }],
  ])('refuse an event with a bad %s', (path, change) => {
    expect(pathsOf(ENVELOPES.event, { ...HEAD, body: { ...EVENT, ...change } })[0]).toBe(path);
  });
});

describe('Ack', () => {
  it('lists what was committed and what was refused with a known code', () => {
    const ack = { schemaVersion: 1, outboxId: HEAD.outboxId, committed: [1, 2], rejected: [] };
    const rejected = [{ seq: 3, code: 'MESSAGE_INVALID', reason: 'no' }];
    expect(pathsOf(Ack, { ...ack, rejected })).toEqual([]);
    expect(pathsOf(Ack, { ...ack, rejected: [{ ...rejected[0], code: 'WHATEVER' }] })[0]).toBe(
      '/rejected/0/code',
    );
    expect(pathsOf(Ack, { ...ack, committed: [0] })).toEqual(['/committed/0']);
  });
});

describe('NodeState', () => {
  it('is online or offline, nothing else', () => {
    const state = {
      schemaVersion: 1,
      state: 'online',
      bootId: 'b',
      at: AT,
      version: '0.1.0',
      cameras: ['east'],
    };
    expect(pathsOf(NodeState, state)).toEqual([]);
    expect(pathsOf(NodeState, { ...state, state: 'asleep' })[0]).toBe('/state');
  });

  it('names the networks of the node, each with its use, and with why it does not serve', () => {
    const state = {
      ...{ schemaVersion: 1, state: 'online', bootId: 'b', at: AT, version: '0.1.0', cameras: [] },
    };
    const network = { use: 'plate-reader', name: 'reader' };
    const refused = { name: 'reader', code: 'MODEL_INVALID', message: 'why', at: AT };
    const served = { ...network, sha256: 'a'.repeat(64), since: AT };
    const pathsWith = (one: object) => pathsOf(NodeState, { ...state, networks: [one] });
    for (const sound of [network, served, { ...served, refused }, { ...network, refused }])
      expect(pathsWith(sound)).toEqual([]);
    expect(pathsWith({ ...network, use: 'weather' })[0]).toBe('/networks/0/use');
    expect(pathsWith({ use: 'lamp' })[0]).toBe('/networks/0/name');
    expect(pathsWith({ ...network, score: 1 })[0]).toBe('/networks/0/score');
    const many = Array.from({ length: 33 }, () => network);
    expect(pathsOf(NodeState, { ...state, networks: many })[0]).toBe('/networks');
  });
});
