import { createHash } from 'node:crypto';
import type { Event, EvidenceManifest, Telemetry } from '@ngatu/contract';

export const SITE = 'q1';
export const NODE = 'gw-1';
export const CAMERA = 'cam-1';

/** The id that stands for `key`. */
export function anEventId(key: number | string): string {
  return `ev-${createHash('sha256').update(String(key)).digest('hex').slice(0, 32)}`;
}

export function aTime(offsetMs: number): string {
  return new Date(Date.UTC(2025, 2, 1) + offsetMs).toISOString();
}

/** An event of its own for every `key`. */
export function anEvent(key: number, change: Partial<Event> = {}): Event {
  return {
    schemaVersion: 1,
    eventId: anEventId(key),
    kind: 'RED_LIGHT',
    site: SITE,
    node: NODE,
    camera: CAMERA,
    rule: 'red-light-north',
    capturedAt: aTime(key * 1_000),
    detectedAt: aTime(key * 1_000 + 120),
    clockErrorMs: 20,
    frame: { session: 'session-1', index: key * 25, mediaTimeMs: key * 1_000, width: 1920, height: 1080 },
    model: { name: 'yolox-nano', sha256: 'a'.repeat(64) },
    sceneSha256: 'b'.repeat(64),
    subject: {
      trackId: key + 1,
      label: 'motorbike',
      confidence: 0.9,
      box: [0.1, 0.2, 0.3, 0.4],
      groundPoint: [0.2, 0.4],
      occupants: [{ box: [0.1, 0.2, 0.2, 0.3], confidence: 0.8 }],
    },
    signal: { state: 'red', sinceMs: 1_800, confidence: 0.97 },
    alternatives: ['STOP_LINE'],
    measures: { crossedAfterRedMs: 1_800 },
    explanation: { vi: 'Xe vượt vạch dừng khi đèn đỏ.', en: 'The vehicle crossed the stop line on red.' },
    ...change,
  };
}

export function aTelemetry(key: number, change: Partial<Telemetry> = {}): Telemetry {
  return {
    schemaVersion: 1,
    site: SITE,
    node: NODE,
    camera: CAMERA,
    intervals: [
      {
        from: aTime(key * 10_000),
        to: aTime((key + 1) * 10_000),
        state: 'analysed',
        framesDecoded: 250,
        framesAnalysed: 125,
        framesDropped: 0,
      },
    ],
    measurements: [{ at: aTime(key * 10_000), metric: 'lineCount', value: 3, tags: { direction: 'in' } }],
    ...change,
  };
}

export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The manifest of the event `key` with one still of this content. */
export function aManifest(
  key: number,
  still: Uint8Array,
  change: Partial<EvidenceManifest> = {},
): EvidenceManifest {
  return {
    schemaVersion: 1,
    eventId: anEventId(key),
    site: SITE,
    node: NODE,
    camera: CAMERA,
    createdAt: aTime(key * 1_000 + 6_000),
    files: [
      {
        role: 'still-at',
        sha256: sha256Of(still),
        sizeBytes: still.length,
        mediaType: 'image/jpeg',
        capturedAt: aTime(key * 1_000),
        width: 1920,
        height: 1080,
      },
    ],
    missing: [{ role: 'clip', reason: 'the ring did not hold that time' }],
    ...change,
  };
}
