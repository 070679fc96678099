import { type Static, Type } from '@sinclair/typebox';
import { EvidenceSeal } from './evidence-seal.ts';
import { EventId, Sha256, Slug, Timestamp } from './id.ts';
import { PlateFinding } from './plate.ts';

/**
 * What a file shows. `clip` is the camera's own packets, untouched, and the only original. Everything else is derived from
 * it: the stills (whole picture before, at and after the decisive moment), the subject's crop and the preview are blurred. `plate-frame`
 * is the picture on which the subject's plate was read best, blurred as they are, and `plate-crop` that plate alone.
 */
export const EVIDENCE_ROLES = [
  'still-before',
  'still-at',
  'still-after',
  'subject-crop',
  'plate-crop',
  'plate-frame',
  'preview',
  'clip',
] as const;
export type EvidenceRole = (typeof EVIDENCE_ROLES)[number];

/** Whether a file of this role is the camera's own packets, which open by role with a reason only. */
export function isOriginalRole(role: EvidenceRole): role is 'clip' {
  return role === 'clip';
}

/**
 * How a file was derived. `recipe` is a line for people and machines: name and version of the recipe, then `key=value`
 * pairs (which detectors by name and digest, which fallback), such as `blur/1 scope=parts faces=yunet-n-640@25a606a1`.
 */
export const EvidenceDerivation = Type.Object(
  {
    recipe: Type.String({ minLength: 1, maxLength: 500 }),
    sources: Type.Array(Sha256, {
      maxItems: 8,
      description: 'Digests of the originals that it was made from; empty where no original could be kept.',
    }),
  },
  { additionalProperties: false },
);
export type EvidenceDerivation = Static<typeof EvidenceDerivation>;

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
    /** Absent: the camera's own packets, an original. */
    derivation: Type.Optional(EvidenceDerivation),
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
    plate: Type.Optional(PlateFinding),
    seal: Type.Optional(EvidenceSeal),
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
