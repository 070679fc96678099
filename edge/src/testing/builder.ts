import { parseWithSchema, Scene } from '@ngatu/contract';
import type { Detection } from '../detect/detection.ts';
import type { Box } from '../geometry/box.ts';
import type { FrameMark, Observation } from '../rules/rule.ts';
import type { RoadUser, Track } from '../track/track.ts';

/** Instant of media time 0 in every scripted session: 2025-07-01T00:00:00.000Z. */
export const SESSION_START_MS = Date.UTC(2025, 6, 1);

export function aDetection(parts: Partial<Detection> = {}): Detection {
  return { label: 'motorbike', confidence: 0.8, box: [300, 200, 340, 280], ...parts };
}

export function aRoadUser(parts: Partial<RoadUser> = {}): RoadUser {
  const box = parts.box ?? [300, 200, 340, 280];
  const vehicle = parts.label === 'person' ? {} : { vehicleBox: box };
  return {
    label: 'motorbike',
    confidence: 0.8,
    box,
    occupants: [],
    groundHidden: false,
    ...vehicle,
    ...parts,
  };
}

export function aTrack(parts: Partial<Track> = {}): Track {
  return {
    trackId: 1,
    state: 'confirmed',
    label: 'motorbike',
    confidence: 0.8,
    box: [300, 200, 340, 280],
    groundSeen: true,
    seen: true,
    occupants: [],
    firstSeenMs: 0,
    lastSeenMs: 0,
    ...parts,
  };
}

export function aFrameMark(parts: Partial<FrameMark> = {}): FrameMark {
  const mediaTimeMs = parts.mediaTimeMs ?? 0;
  return { index: 0, mediaTimeMs, capturedAtMs: SESSION_START_MS + mediaTimeMs, ...parts };
}

export function anObservation(parts: Partial<Observation> = {}): Observation {
  const box: Box = [300, 200, 340, 280];
  return { frame: aFrameMark(), box, groundSeen: true, confidence: 0.8, occupants: [], ...parts };
}

/**
 * A parsed scene of 640 × 480 px. The stop line lies level at y = 300 between x = 100 and x = 540 and is passed upwards;
 * the zone `square` is [200, 400] × [100, 250]; the light `main` has three upright lenses.
 */
export function aScene(parts: Readonly<Record<string, unknown>> = {}): Scene {
  const scene = {
    schemaVersion: 1,
    name: 'crossroads',
    picture: { width: 640, height: 480 },
    tripwires: [
      {
        name: 'stop-line',
        points: [
          [100, 300],
          [540, 300],
        ],
        forwardTowards: [320, 100],
      },
    ],
    zones: [
      {
        name: 'square',
        polygon: [
          [200, 100],
          [400, 100],
          [400, 250],
          [200, 250],
        ],
      },
    ],
    signals: [{ name: 'main', box: [600, 100, 620, 160] }],
    rules: [],
    ...parts,
  };
  return parseWithSchema(Scene, scene, { code: 'SCENE_INVALID', what: 'the scene of a test' });
}
