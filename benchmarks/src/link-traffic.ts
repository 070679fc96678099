import { createHash, randomBytes } from 'node:crypto';
import type { Event, EvidenceFile, EvidenceManifest, EvidenceRole, Scene, Telemetry } from '@ngatu/contract';

/** What one case weighs, bytes of each file by its role. */
export type CaseSizes = Readonly<Partial<Record<EvidenceRole, number>>>;

/** DESIGN: three stills and a plate crop together about 250 kB, a preview about 400 kB; 10 s of original packets at 2 Mbit/s. */
export const DESIGN_SIZES: CaseSizes = {
  'still-before': 75_000,
  'still-at': 75_000,
  'still-after': 75_000,
  'subject-crop': 25_000,
  preview: 400_000,
  clip: 2_500_000,
};

/** What the seal says of the cameras' scene. */
export const LINK_SCENE: Scene = {
  schemaVersion: 1,
  name: 'link',
  picture: { width: 1_920, height: 1_080 },
  analysis: { maxWidth: 960, maxFps: 12.5 },
  view: { depressionDeg: 25 },
  zones: [],
  tripwires: [],
  signals: [],
  rules: [{ kind: 'LINE_COUNT', name: 'red-light-north', tripwire: 'line', labels: ['car'] }],
};

export interface LinkNode {
  readonly site: string;
  readonly node: string;
}

/** A file of a case with its bytes, which no link can make smaller: they are random. */
export interface CaseFile {
  readonly file: EvidenceFile;
  readonly content: Buffer;
}

export interface LinkCase {
  readonly event: Event;
  readonly files: readonly CaseFile[];
  readonly manifest: EvidenceManifest;
}

export function buildLinkCase(
  { site, node }: LinkNode,
  { camera, capturedAtMs, sizes }: { camera: string; capturedAtMs: number; sizes: CaseSizes },
): LinkCase {
  const capturedAt = new Date(capturedAtMs).toISOString();
  const eventId = `ev-${createHash('sha256').update(`${camera} ${capturedAtMs}`).digest('hex').slice(0, 32)}`;
  const files = Object.entries(sizes).map(([role, size]) =>
    buildFile(role as EvidenceRole, size, capturedAt),
  );
  return {
    event: buildEvent({ eventId, site, node, camera, capturedAt }),
    files,
    manifest: {
      schemaVersion: 1,
      ...{ eventId, site, node, camera },
      createdAt: capturedAt,
      files: files.map(({ file }) => file),
      missing: [],
    },
  };
}

function buildFile(role: EvidenceRole, sizeBytes: number, capturedAt: string): CaseFile {
  const content = randomBytes(sizeBytes);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const isVideo = role === 'clip' || role === 'preview';
  const media = isVideo
    ? ({ mediaType: 'video/mp4', codec: 'h264', durationMs: 10_000, eventOffsetMs: 5_000 } as const)
    : ({ mediaType: 'image/jpeg' } as const);
  return { content, file: { role, sha256, sizeBytes, ...media, capturedAt, width: 1_920, height: 1_080 } };
}

function buildEvent(about: {
  eventId: string;
  site: string;
  node: string;
  camera: string;
  capturedAt: string;
}): Event {
  return {
    schemaVersion: 1,
    ...about,
    kind: 'RED_LIGHT',
    rule: 'red-light-north',
    detectedAt: about.capturedAt,
    clockErrorMs: 20,
    frame: { session: 'session-1', index: 1_250, mediaTimeMs: 50_000.123, width: 1_920, height: 1_080 },
    model: { name: 'yolox-nano', sha256: 'a'.repeat(64) },
    sceneSha256: 'b'.repeat(64),
    subject: {
      trackId: 4_711,
      label: 'motorbike',
      confidence: 0.913,
      box: [0.4123, 0.3456, 0.4789, 0.5432],
      groundPoint: [0.4456, 0.5432],
      occupants: [
        { box: [0.42, 0.34, 0.45, 0.45], confidence: 0.812 },
        { box: [0.44, 0.35, 0.47, 0.46], confidence: 0.777 },
      ],
    },
    signal: { state: 'red', sinceMs: 4_200, confidence: 0.981 },
    alternatives: ['STOP_LINE'],
    measures: { crossedAfterRedMs: 4_200, contactErrorPx: 6.2, marginPx: 14.8, speedKmh: 24.1 },
    explanation: {
      vi: 'Xe máy vượt vạch dừng 4,2 giây sau khi đèn chuyển đỏ; điểm tiếp đất đã qua vạch nhiều hơn sai số.',
      en: 'The motorbike crossed the stop line 4.2 seconds after the light turned red; its contact was past the line by more than the error.',
    },
  };
}

/** What a camera says every ten seconds: its accounted time and the traffic that it counted. */
export function buildLinkTelemetry({ site, node }: LinkNode, camera: string, atMs: number): Telemetry {
  const at = new Date(atMs).toISOString();
  const lanes = ['in', 'out', 'left', 'right'];
  return {
    schemaVersion: 1,
    ...{ site, node, camera },
    intervals: [
      {
        from: new Date(atMs - 10_000).toISOString(),
        to: at,
        state: 'analysed',
        framesDecoded: 250,
        framesAnalysed: 125,
        framesDropped: 0,
      },
    ],
    measurements: lanes.flatMap((direction) => [
      { at, metric: 'lineCount', value: 7, tags: { direction } },
      { at, metric: 'meanSpeedKmh', value: 27.4, tags: { direction } },
    ]),
  };
}
