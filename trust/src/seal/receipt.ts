import { type EvidenceReceipt, NgatuError } from '@ngatu/contract';
import { encodeCanonicalJson } from '../canonical-json.ts';
import { computeManifestSha256, type SealedManifest } from './manifest-seal.ts';
import { isSignedBy, type SealKey, sign } from './seal-key.ts';
import type { SealTrust } from './signer-certificate.ts';

/** The centre's word that this manifest lay before it at `receivedAt` (RFC 3339). @throws NgatuError MESSAGE_INVALID */
export function signReceipt(
  manifest: SealedManifest,
  { receivedAt, key }: { receivedAt: string; key: SealKey },
): EvidenceReceipt {
  const { eventId, site, node, seal } = manifest;
  const { chainId, chainSeq } = seal;
  const manifestSha256 = computeManifestSha256(manifest);
  const { certificate } = key;
  const receipt = {
    schemaVersion: 1,
    manifestSha256,
    eventId,
    site,
    node,
    chainId,
    chainSeq,
    receivedAt,
    certificate,
  } as const;
  return { ...receipt, signature: sign('evidence-receipt', encodeCanonicalJson(receipt), key) };
}

/**
 * Proves that the centre signed this receipt, and for this very manifest.
 * @throws NgatuError SEAL_INVALID, MESSAGE_INVALID and those of `verifyCertificate`
 */
export async function verifyReceipt(
  receipt: EvidenceReceipt,
  manifest: SealedManifest,
  trust: SealTrust,
): Promise<void> {
  const { signature, ...signed } = receipt;
  const what = `the receipt of event ${receipt.eventId}`;
  const receivedAtMs = Date.parse(receipt.receivedAt);
  const { certificate } = await trust.verifySigner(receipt.certificate, {
    signedAtMs: receivedAtMs,
    receivedAtMs,
  });
  if (certificate.holder.kind !== 'centre')
    throw new NgatuError('SEAL_INVALID', `Cannot accept ${what}: its certificate is not that of the centre`);
  const message = encodeCanonicalJson(signed);
  if (
    certificate.ed25519PublicKey === undefined ||
    !isSignedBy(certificate.ed25519PublicKey, 'evidence-receipt', { message, signature })
  )
    throw new NgatuError(
      'SEAL_INVALID',
      `Cannot accept ${what}: the signature is not that of these bytes and this key`,
    );
  const { eventId, site, node, seal } = manifest;
  const names = [receipt.eventId, receipt.site, receipt.node, receipt.chainId, receipt.chainSeq];
  const isForIt = [eventId, site, node, seal.chainId, seal.chainSeq].every(
    (name, index) => name === names[index],
  );
  if (!isForIt || receipt.manifestSha256 !== computeManifestSha256(manifest))
    throw new NgatuError('SEAL_INVALID', `Cannot accept ${what}: it was written for another manifest`);
}
