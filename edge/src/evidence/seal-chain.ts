import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type EvidenceManifest, NgatuError, type SealedFacts } from '@ngatu/contract';
import {
  type ChainPlace,
  computeManifestSha256,
  loadIdentity,
  type SealedManifest,
  type SealKey,
  sealManifest,
  toSealKey,
} from '@ngatu/trust';
import type { Logger } from 'pino';

export interface EvidenceSealerOptions {
  /** Folder of the node's identity. */
  readonly dir: string;
  readonly site: string;
  readonly node: string;
  readonly logger: Logger;
}

/** Name under which the outbox keeps the head of the chain, in one transaction with the manifest that it is of. */
export const CHAIN_MARK = 'evidence-chain';

const HEAD = /^1 ([0-9a-f-]{36}) ([0-9a-f-]{36}) ([1-9][0-9]{0,15}) ([0-9a-f]{64})$/;

/**
 * Seals the manifests of one node with its key, each bound to the one before. It keeps no state of the chain: the caller brings the
 * head that the outbox holds and stores the new one with the manifest, so that no crash can fork the chain or lose a link.
 */
export class EvidenceSealer {
  readonly #options: EvidenceSealerOptions;
  #key: SealKey;
  #loadedOf: string;

  private constructor(options: EvidenceSealerOptions, key: SealKey, loadedOf: string) {
    this.#options = options;
    this.#key = key;
    this.#loadedOf = loadedOf;
  }

  /** @throws NgatuError IDENTITY_INVALID (says how a node gets its identity), CERTIFICATE_INVALID, PERMISSION_DENIED */
  static async open(options: EvidenceSealerOptions): Promise<EvidenceSealer> {
    const loadedOf = readStamp(options.dir);
    return new EvidenceSealer(options, await loadKey(options), loadedOf);
  }

  /** Takes up a key that was rotated. One that cannot be read leaves the old one in use, and is logged. */
  async refresh(): Promise<void> {
    const stamp = readStamp(this.#options.dir);
    if (stamp === this.#loadedOf) return;
    try {
      this.#key = await loadKey(this.#options);
      this.#loadedOf = stamp;
      this.#options.logger.info('the seal key was replaced');
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      this.#options.logger.error({ code: error.code }, error.message);
    }
  }

  /**
   * Seals the next manifest. `head` is what the outbox holds under `CHAIN_MARK`; the new value belongs into the transaction that
   * appends the manifest. A new chain begins with null where there is none, and where the head is of another outbox: a disk that was
   * replaced, or a copy of this node that must not go on in the same chain.
   */
  seal(
    manifest: Omit<EvidenceManifest, 'seal'>,
    { facts, outboxId, head }: { facts: SealedFacts; outboxId: string; head: string | undefined },
  ): { manifest: SealedManifest; head: string } {
    const place = this.#findPlace(outboxId, head);
    const sealed = sealManifest(manifest, { facts, place, key: this.#key });
    return {
      manifest: sealed,
      head: `1 ${outboxId} ${place.chainId} ${place.chainSeq} ${computeManifestSha256(sealed)}`,
    };
  }

  #findPlace(outboxId: string, head: string | undefined): ChainPlace {
    const [, owner, chainId, chainSeq, manifestSha256] = HEAD.exec(head ?? '') ?? [];
    if (owner === outboxId && chainId !== undefined && manifestSha256 !== undefined)
      return { chainId, chainSeq: Number(chainSeq) + 1, previousManifestSha256: manifestSha256 };
    const begun = { chainId: randomUUID(), chainSeq: 1, previousManifestSha256: null };
    const reason = head === undefined ? 'nothing was sealed here yet' : 'the old one is of another outbox';
    this.#options.logger.warn({ chainId: begun.chainId, reason }, 'a new chain of evidence begins');
    return begun;
  }
}

async function loadKey({ dir, site, node }: EvidenceSealerOptions): Promise<SealKey> {
  const advice = `enrol the node with "ngatu ca" and put what it answers into ${dir}`;
  try {
    const { holder, seal } = await loadIdentity(dir);
    if (holder.kind !== 'node' || holder.site !== site || holder.node !== node)
      throw new NgatuError(
        'IDENTITY_INVALID',
        `Cannot use the identity in ${dir}: it is not that of ${site}/${node}`,
      );
    if (seal === undefined)
      throw new NgatuError('IDENTITY_INVALID', `Cannot use the identity in ${dir}: it has no seal`);
    return toSealKey(seal);
  } catch (error) {
    if (!(error instanceof NgatuError) || error.code !== 'IDENTITY_INVALID') throw error;
    throw new NgatuError('IDENTITY_INVALID', `Cannot seal evidence: ${error.message}; ${advice}`, {
      cause: error,
    });
  }
}

/** Changes when key or certificate are replaced. */
function readStamp(dir: string): string {
  return ['seal.key', 'seal.crt'].map((file) => describeFile(join(dir, file))).join(' ');
}

function describeFile(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  return info === undefined ? 'absent' : `${info.mtimeMs} ${info.size} ${info.ino}`;
}
