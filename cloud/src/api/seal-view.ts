import type { SealRecord } from '../store/receipt-store.ts';
import type { SealStatus } from './seal-schema.ts';

/** What is proved of a case's evidence, for who looks at the case. */
export function describeSeal({ manifest, receipt, chain }: SealRecord): SealStatus {
  return {
    sealedAt: manifest.createdAt,
    receivedAt: receipt.receivedAt,
    manifestSha256: receipt.manifestSha256,
    chainId: receipt.chainId,
    chainSeq: receipt.chainSeq,
    links: chain.links,
    lastSeq: chain.lastSeq,
    missing: chain.lastSeq - chain.links,
  };
}
