import type { ErrorCode, EvidenceReceipt } from '@ngatu/contract';
import type { SealedManifest } from '@ngatu/trust';

/** How the ingestor judged a manifest when it arrived: countersigned, or refused for good. */
export type Custody =
  | { readonly receipt: EvidenceReceipt }
  | { readonly refusal: { readonly code: ErrorCode; readonly reason: string } };

/** Numbers of a chain that are not here although later ones are, both ends included. */
export interface ChainGap {
  readonly from: number;
  readonly to: number;
}

/** What the centre has of one chain of one node. */
export interface ChainRecord {
  readonly site: string;
  readonly node: string;
  readonly chainId: string;
  readonly firstReceivedAt: string;
  /** How many links are here, and the highest place among them. */
  readonly links: number;
  readonly lastSeq: number;
  /** Lowest first, at most 100. */
  readonly gaps: readonly ChainGap[];
}

/** A sealed manifest as it arrived, with what the centre wrote about it. */
export interface SealRecord {
  readonly manifest: SealedManifest;
  readonly receipt: EvidenceReceipt;
  readonly chain: ChainRecord;
}

/** The ledger of sealed manifests. It is filled by `EventStore.commit`, in one transaction with the manifest. */
export interface ReceiptStore {
  /** Undefined where no sealed manifest of the event is here. */
  find(eventId: string): SealRecord | undefined;
  /** Newest chain first; with `sites` only theirs. */
  listChains(sites?: readonly string[]): ChainRecord[];
}
