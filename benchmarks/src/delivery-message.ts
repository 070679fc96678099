import { createHash } from 'node:crypto';
import type { Event, Telemetry } from '@ngatu/contract';

export interface MessageOrigin {
  readonly site: string;
  readonly node: string;
  /** Which camera of the node, from 0. */
  readonly camera: number;
  /** When it happened, ms since 1970. */
  readonly atMs: number;
}

/** Between two reports of a camera, ms: the agent's own. */
export const REPORT_EVERY_MS = 10_000;

/** Of the shape and the size of what a camera of the product finds. */
export function buildLoadEvent(key: string, { site, node, camera, atMs }: MessageOrigin): Event {
  const digest = createHash('sha256').update(key).digest('hex');
  const at = new Date(atMs).toISOString();
  return {
    schemaVersion: 1,
    eventId: `ev-${digest.slice(0, 32)}`,
    kind: 'RED_LIGHT',
    ...{ site, node, camera: `camera-${camera}`, rule: 'red-light-north', capturedAt: at, detectedAt: at },
    clockErrorMs: 20,
    frame: {
      session: digest.slice(0, 16),
      index: atMs % 1_000_000,
      mediaTimeMs: atMs % 86_400_000,
      width: 1920,
      height: 1080,
    },
    model: { name: 'yolox-nano-dynamic', sha256: digest },
    sceneSha256: digest,
    subject: {
      trackId: 1 + (atMs % 10_000),
      label: 'motorbike',
      confidence: 0.87,
      box: [0.4123, 0.4231, 0.6312, 0.6213],
      groundPoint: [0.5217, 0.6213],
      occupants: [{ box: [0.45, 0.42, 0.6, 0.55], confidence: 0.81 }],
    },
    signal: { state: 'red', sinceMs: 3_200, confidence: 0.97 },
    alternatives: ['STOP_LINE'],
    measures: { crossedAfterRedMs: 3_200, footprintErrorM: 0.32, beyondLineM: 1.84, travelledM: 5.2 },
    explanation: {
      vi: 'Xe máy vượt qua vạch dừng 1,84 m (sai số 0,32 m) khi đèn đã đỏ 3,2 giây, và đi tiếp 5,2 m vào giao lộ.',
      en: 'The motorbike passed the stop line by 1.84 m (error 0.32 m) 3.2 s after red began, and went on for 5.2 m.',
    },
  };
}

/** What a camera reports every ten seconds: its ledger, its rates, and counts at three tripwires. */
export function buildLoadTelemetry({ site, node, camera, atMs }: MessageOrigin): Telemetry {
  const at = new Date(atMs).toISOString();
  const line = (tripwire: string, label: string, value: number) => ({
    at,
    metric: 'lineCrossings',
    value,
    tags: { tripwire, direction: 'forward', label },
  });
  return {
    schemaVersion: 1,
    site,
    node,
    camera: `camera-${camera}`,
    intervals: [
      {
        from: at,
        to: new Date(atMs + REPORT_EVERY_MS).toISOString(),
        state: 'analysed',
        framesDecoded: 250,
        framesAnalysed: 125,
        framesDropped: 0,
      },
    ],
    measurements: [
      { at, metric: 'decodedFps', value: 25 },
      { at, metric: 'analysedFps', value: 12.5 },
      { at, metric: 'analysisMsP95', value: 41.2 },
      line('north', 'motorbike', 3),
      line('north', 'car', 1),
      line('south', 'motorbike', 2),
    ],
  };
}
