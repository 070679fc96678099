import { type Static, Type } from '@sinclair/typebox';
import { EventId, Sha256, Slug, Timestamp } from './id.ts';

/** Files that one message asks for at most. */
export const EVIDENCE_REQUEST_MAX = 100;

/** How urgent a wanted original is: the higher goes first. */
export const EVIDENCE_PRIORITIES = { automatic: 10, demanded: 50 } as const;

/**
 * Payload of the `request` topic (centre → node): evidence files that the centre wants and has not got. Asked again until each has
 * arrived or the node has said that it no longer has it; asking twice changes nothing.
 */
export const EvidenceRequest = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    askedAt: Timestamp,
    files: Type.Array(
      Type.Object(
        {
          sha256: Sha256,
          eventId: EventId,
          capturedAt: Timestamp,
          priority: Type.Integer({ minimum: 0, maximum: 100, description: 'The higher goes first.' }),
          erase: Type.Optional(
            Type.Literal(true, {
              description: 'The file is not wanted: its case was deleted, and the node deletes its copy.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: EVIDENCE_REQUEST_MAX },
    ),
  },
  { additionalProperties: false, $id: 'EvidenceRequest' },
);
export type EvidenceRequest = Static<typeof EvidenceRequest>;

/**
 * Why a node has an evidence file no longer: `expired` its retention ended, `erased` it was deleted by order, `lost` it is not on
 * the disk although it should be, `damaged` its bytes have another digest, `refused` the centre refused it before.
 */
export const EVIDENCE_GONE_REASONS = ['expired', 'erased', 'lost', 'damaged', 'refused'] as const;
export type EvidenceGoneReason = (typeof EVIDENCE_GONE_REASONS)[number];

/** Body of a node's answer that it no longer has a file, POSTed to `buildEvidenceGonePath`. */
export const EvidenceGone = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    site: Slug,
    node: Slug,
    reason: Type.Union(EVIDENCE_GONE_REASONS.map((reason) => Type.Literal(reason))),
    detail: Type.Optional(Type.String({ maxLength: 300 })),
  },
  { additionalProperties: false, $id: 'EvidenceGone' },
);
export type EvidenceGone = Static<typeof EvidenceGone>;

export function buildEvidenceGonePath(sha256: string): string {
  return `/v1/evidence/${sha256}/gone`;
}

/** Where uploads are created (tus 1.0.0), below the ingestor's upload address. */
export const UPLOAD_PATH = '/v1/uploads';

/** Header of the answer to the last bytes of a file: `stored` says that it is at the centre whole and verified. */
export const UPLOAD_STORED_HEADER = 'ngatu-evidence';

/** A stretch of an evidence file that is uploaded by itself, bytes. */
export interface UploadPart {
  readonly sha256: string;
  readonly start: number;
  readonly length: number;
}

/** Every part but a file's last has at least this length, so that a file has few parts, bytes. */
export const UPLOAD_PART_MIN_BYTES = 16 * 1024;

const PART_ID = /^([0-9a-f]{64})-(0|[1-9]\d{0,9})-([1-9]\d{0,9})$/;

/** Last segment of a part's upload address. It names the part whole, so that neither side must remember addresses. */
export function buildUploadPartId({ sha256, start, length }: UploadPart): string {
  return `${sha256}-${start}-${length}`;
}

/** Undefined where the text is no such id. */
export function parseUploadPartId(text: string): UploadPart | undefined {
  const [, sha256, start, length] = PART_ID.exec(text) ?? [];
  if (sha256 === undefined || start === undefined || length === undefined) return undefined;
  return { sha256, start: Number(start), length: Number(length) };
}

/** Answer header to HEAD of an evidence file that has not arrived whole: `start+length=received`, separated by commas. */
export const UPLOAD_PARTS_HEADER = 'ngatu-upload-parts';

export type ReceivedPart = Omit<UploadPart, 'sha256'> & { readonly received: number };

export function encodeReceivedParts(parts: readonly ReceivedPart[]): string {
  return parts.map(({ start, length, received }) => `${start}+${length}=${received}`).join(',');
}

/** What cannot be read is left out: it is then sent again. */
export function decodeReceivedParts(text: string): ReceivedPart[] {
  return text.split(',').flatMap((item) => {
    const [, start, length, received] = /^(\d{1,10})\+(\d{1,10})=(\d{1,10})$/.exec(item) ?? [];
    if (start === undefined || length === undefined || received === undefined) return [];
    return [{ start: Number(start), length: Number(length), received: Number(received) }];
  });
}
