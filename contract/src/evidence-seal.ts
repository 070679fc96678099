import { type Static, Type } from '@sinclair/typebox';
import { EventKind } from './event.ts';
import { EventId, Sha256, Slug, Timestamp } from './id.ts';

const closed = { additionalProperties: false } as const;

/** A certificate, DER in base64. */
export const SealCertificate = Type.String({
  pattern: '^[A-Za-z0-9+/]{4,5460}={0,2}$',
  description: 'X.509 certificate, DER in base64.',
});

/** An Ed25519 signature (RFC 8032). */
export const SealSignature = Type.String({
  pattern: '^[0-9a-f]{128}$',
  description: 'Ed25519 signature, 128 lower-case hexadecimal digits.',
});

const ChainId = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'UUID of the chain. A node whose disk was replaced begins a new one.',
});

const ChainSeq = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Place in the chain, from 1, without holes.',
});

/** What the node did to find the event: everything that a judge would have to know to do it again. */
export const SealedFacts = Type.Object(
  {
    eventSha256: Type.Unsafe<string>({
      ...Sha256,
      description: 'Of the event as it was announced: RFC 8785 JSON without `detectedAt`.',
    }),
    kind: EventKind,
    rule: Slug,
    capturedAt: Timestamp,
    clockErrorMs: Type.Number({
      minimum: 0,
      description: 'Bound on |capturedAt − true time| at the decisive moment, ms.',
    }),
    sceneSha256: Type.Unsafe<string>({ ...Sha256, description: 'Of the scene file.' }),
    parametersSha256: Type.Unsafe<string>({
      ...Sha256,
      description: 'Of the whole scene as the node ran it, with every default filled in: RFC 8785 JSON.',
    }),
    parameters: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
      description: 'The rule as the node ran it, with every default filled in.',
    }),
    calibrationSha256: Type.Optional(
      Type.Unsafe<string>({
        ...Sha256,
        description: 'Of the calibration in the scene: RFC 8785 JSON. Absent where the scene has none.',
      }),
    ),
    models: Type.Array(Type.Object({ name: Slug, sha256: Sha256 }, closed), { minItems: 1, maxItems: 8 }),
    softwareVersion: Type.String({ minLength: 1, maxLength: 64 }),
  },
  closed,
);
export type SealedFacts = Static<typeof SealedFacts>;

/**
 * The seal of an evidence manifest: the node's signature over everything else in the manifest (RFC 8785 JSON without
 * `seal.signature`), and the link to the manifest that the node sealed before.
 */
export const EvidenceSeal = Type.Object(
  {
    version: Type.Literal(1),
    chainId: ChainId,
    chainSeq: ChainSeq,
    previousManifestSha256: Type.Union([Sha256, Type.Null()], {
      description: 'Digest of the manifest before it in the chain; null at the beginning, and only there.',
    }),
    facts: SealedFacts,
    certificate: SealCertificate,
    signature: SealSignature,
  },
  closed,
);
export type EvidenceSeal = Static<typeof EvidenceSeal>;

/**
 * What the ingestor witnessed: that this manifest lay before it at this instant of its own clock. Signed with the centre's key
 * over everything else in it (RFC 8785 JSON without `signature`).
 */
export const EvidenceReceipt = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    manifestSha256: Type.Unsafe<string>({
      ...Sha256,
      description: 'Of the manifest without `seal.signature`: RFC 8785 JSON.',
    }),
    eventId: EventId,
    site: Slug,
    node: Slug,
    chainId: ChainId,
    chainSeq: ChainSeq,
    receivedAt: Timestamp,
    certificate: SealCertificate,
    signature: SealSignature,
  },
  { ...closed, $id: 'EvidenceReceipt' },
);
export type EvidenceReceipt = Static<typeof EvidenceReceipt>;
