import {
  type EvidenceManifest,
  type EvidenceSeal,
  errorMessage,
  NgatuError,
  type SealedFacts,
} from '@ngatu/contract';
import type { CertificateFacts } from '../authority/certificate.ts';
import { encodeCanonicalJson } from '../canonical-json.ts';
import { computeSha256 } from '../digest.ts';
import { isSignedBy, type SealKey, sign } from './seal-key.ts';
import type { SealTrust } from './signer-certificate.ts';

export type SealedManifest = EvidenceManifest & { readonly seal: EvidenceSeal };

/** Where the next manifest goes in the node's chain. */
export type ChainPlace = Pick<EvidenceSeal, 'chainId' | 'chainSeq' | 'previousManifestSha256'>;

/** What a seal proves. */
export interface SealVerdict {
  readonly manifestSha256: string;
  readonly certificate: CertificateFacts;
  /** True where the certificate had expired before the centre saw the manifest: only the node's clock says that it was sealed in time. */
  readonly witnessedLate: boolean;
}

/** Signs what the node found and saw, and binds it to the manifest before. @throws NgatuError MESSAGE_INVALID */
export function sealManifest(
  manifest: Omit<EvidenceManifest, 'seal'>,
  { facts, place, key }: { facts: SealedFacts; place: ChainPlace; key: SealKey },
): SealedManifest {
  const seal = { version: 1, ...place, facts, certificate: key.certificate } as const;
  const signature = sign('evidence-manifest', encodeCanonicalJson({ ...manifest, seal }), key);
  return { ...manifest, seal: { ...seal, signature } };
}

/** The digest that the next manifest of the chain names. @throws NgatuError MESSAGE_INVALID */
export function computeManifestSha256(manifest: SealedManifest): string {
  return computeSha256(encodeSigned(manifest));
}

/** True where the manifest carries a seal; whether it holds is another question. */
export function isSealed(manifest: EvidenceManifest): manifest is SealedManifest {
  return manifest.seal !== undefined;
}

/**
 * Proves that a manifest is exactly what its node signed. `receivedAtMs` is the instant at which the centre had it, by the
 * centre's clock: a key that was revoked before that proves nothing, for who stole it may have set the clock back.
 * @throws NgatuError SEAL_INVALID, MESSAGE_INVALID and those of `verifyCertificate`
 */
export async function verifyManifestSeal(
  manifest: SealedManifest,
  { trust, receivedAtMs }: { readonly trust: SealTrust; readonly receivedAtMs: number },
): Promise<SealVerdict> {
  const { site, node, createdAt, eventId, seal } = manifest;
  const signed = encodeSigned(manifest);
  const { certificate, expiredAtReceipt } = await trust.verifySigner(seal.certificate, {
    signedAtMs: Date.parse(createdAt),
    receivedAtMs,
  });
  const { holder, ed25519PublicKey } = certificate;
  const what = `the manifest of event ${eventId}`;
  if (holder.kind !== 'node' || holder.site !== site || holder.node !== node)
    throw new NgatuError(
      'SEAL_INVALID',
      `Cannot accept ${what}: its certificate is not that of node ${site}/${node}`,
    );
  const { signature } = seal;
  if (
    ed25519PublicKey === undefined ||
    !isSignedBy(ed25519PublicKey, 'evidence-manifest', { message: signed, signature })
  )
    throw new NgatuError(
      'SEAL_INVALID',
      `Cannot accept ${what}: the signature is not that of these bytes and this key`,
    );
  return { manifestSha256: computeSha256(signed), certificate, witnessedLate: expiredAtReceipt };
}

function encodeSigned(manifest: SealedManifest): Uint8Array {
  const { signature: _, ...seal } = manifest.seal;
  return encodeCanonicalJson({ ...manifest, seal });
}

/** The code and words of a refusal, for whoever reports instead of throwing. */
export function describeRefusal(error: unknown): { code: NgatuError['code']; reason: string } {
  if (error instanceof NgatuError) return { code: error.code, reason: error.message };
  return { code: 'INTERNAL', reason: errorMessage(error) };
}
