import { type Static, Type } from '@sinclair/typebox';
import { EventId, Sha256, Slug, Timestamp } from './id.ts';

export const EVIDENCE_ROLES = ['still-before', 'still-at', 'still-after', 'clip'] as const;
export type EvidenceRole = (typeof EVIDENCE_ROLES)[number];

export const EvidenceFile = Type.Object(
  {
    role: Type.Union(EVIDENCE_ROLES.map((role) => Type.Literal(role))),
    sha256: Sha256,
    sizeBytes: Type.Integer({ minimum: 1 }),
    mediaType: Type.Union([Type.Literal('image/jpeg'), Type.Literal('video/mp4')]),
    /** Instant of a still, or of the clip's first picture. */
    capturedAt: Timestamp,
    codec: Type.Optional(Type.Union([Type.Literal('h264'), Type.Literal('hevc')])),
    durationMs: Type.Optional(Type.Number({ minimum: 0 })),
    eventOffsetMs: Type.Optional(
      Type.Number({
        minimum: 0,
        description: 'Where the decisive moment lies in the clip, ms from its first picture.',
      }),
    ),
    width: Type.Integer({ minimum: 1 }),
    height: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type EvidenceFile = Static<typeof EvidenceFile>;

/**
 * What belongs to an event as evidence. Payload of the `evidence` channel (in an envelope); sent when the files lie on
 * the node's disk. `missing` names what could not be made and why, so that absence is a statement too.
 */
export const EvidenceManifest = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    eventId: EventId,
    site: Slug,
    node: Slug,
    camera: Slug,
    createdAt: Timestamp,
    files: Type.Array(EvidenceFile, { maxItems: 16 }),
    missing: Type.Array(
      Type.Object(
        {
          role: Type.Union(EVIDENCE_ROLES.map((role) => Type.Literal(role))),
          reason: Type.String({ maxLength: 300 }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 16 },
    ),
  },
  { additionalProperties: false, $id: 'EvidenceManifest' },
);
export type EvidenceManifest = Static<typeof EvidenceManifest>;

/** Path of the upload of one evidence file, below the ingestor's upload address. */
export function buildEvidencePath(sha256: string): string {
  return `/v1/evidence/${sha256}`;
}

/** The largest evidence file that an ingestor takes, bytes. */
export const EVIDENCE_MAX_BYTES = 64 * 1024 * 1024;
