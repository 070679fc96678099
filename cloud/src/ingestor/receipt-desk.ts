import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type EvidenceManifest, errorMessage, NgatuError } from '@ngatu/contract';
import {
  type Identity,
  isSealed,
  loadIdentity,
  type SealKey,
  SealTrust,
  signReceipt,
  toSealKey,
  verifyManifestSeal,
} from '@ngatu/trust';
import type { Logger } from 'pino';
import type { Custody } from '../store/receipt-store.ts';

export interface ReceiptDeskOptions {
  /** Folder of the centre's identity. */
  readonly dir: string;
  readonly logger: Logger;
}

const REASON_MAX_LENGTH = 400;

/**
 * Takes custody of evidence: proves the seal of a manifest, and countersigns it with the centre's key and time. What does not hold
 * is refused with its code. The centre's key, the authority and the revocation list are read again when their files change.
 */
export class ReceiptDesk {
  readonly #options: ReceiptDeskOptions;
  #key: SealKey;
  #trust: SealTrust;
  #stamp: string;

  private constructor(
    options: ReceiptDeskOptions,
    loaded: { key: SealKey; trust: SealTrust; stamp: string },
  ) {
    this.#options = options;
    this.#key = loaded.key;
    this.#trust = loaded.trust;
    this.#stamp = loaded.stamp;
  }

  /** @throws NgatuError IDENTITY_INVALID (says how the centre gets its identity), CERTIFICATE_INVALID, PERMISSION_DENIED */
  static async open(options: ReceiptDeskOptions): Promise<ReceiptDesk> {
    return new ReceiptDesk(options, await load(options.dir));
  }

  /** Judges one manifest that arrived at `receivedAt` (RFC 3339, the centre's clock). Never throws for what a node can send. */
  async receive(manifest: EvidenceManifest, receivedAt: string): Promise<Custody> {
    await this.#refresh();
    try {
      if (!isSealed(manifest)) {
        const reason = `the manifest of event ${manifest.eventId} carries no seal`;
        return { refusal: { code: 'SEAL_MISSING', reason } };
      }
      await verifyManifestSeal(manifest, { trust: this.#trust, receivedAtMs: Date.parse(receivedAt) });
      return { receipt: signReceipt(manifest, { receivedAt, key: this.#key }) };
    } catch (error) {
      const code = error instanceof NgatuError ? error.code : 'SEAL_INVALID';
      // these are faults of the centre's own files: the node's evidence waits until they are mended
      if (code === 'AUTHORITY_INVALID' || code === 'REVOCATION_LIST_INVALID') {
        const message = `Cannot take custody of evidence: ${errorMessage(error)}`;
        throw new NgatuError('STORE_UNAVAILABLE', message, { retryable: true, cause: error });
      }
      return { refusal: { code, reason: errorMessage(error).slice(0, REASON_MAX_LENGTH) } };
    }
  }

  /** A half written file leaves the old ones in use, and is logged; it is tried again with the next manifest. */
  async #refresh(): Promise<void> {
    const stamp = await readStamp(this.#options.dir);
    if (stamp === this.#stamp) return;
    try {
      const { key, trust } = await load(this.#options.dir);
      this.#key = key;
      this.#trust = trust;
      this.#stamp = stamp;
      this.#options.logger.info('identity, authority or revocation list were replaced');
    } catch (error) {
      this.#options.logger.error({ error: errorMessage(error) }, 'the identity of the centre cannot be read');
    }
  }
}

async function load(dir: string): Promise<{ key: SealKey; trust: SealTrust; stamp: string }> {
  const stamp = await readStamp(dir);
  const advice = `make one with "ngatu ca" and put it into ${dir}`;
  let identity: Identity;
  try {
    identity = await loadIdentity(dir);
  } catch (error) {
    if (!(error instanceof NgatuError) || error.code !== 'IDENTITY_INVALID') throw error;
    throw new NgatuError('IDENTITY_INVALID', `Cannot countersign evidence: ${error.message}; ${advice}`, {
      cause: error,
    });
  }
  const { holder, seal, caPem, crlPem } = identity;
  if (holder.kind !== 'centre' || seal === undefined)
    throw new NgatuError(
      'IDENTITY_INVALID',
      `Cannot countersign evidence: ${dir} holds no seal of a centre; ${advice}`,
    );
  return {
    key: toSealKey(seal),
    trust: new SealTrust({ caPem, ...(crlPem === undefined ? {} : { crl: crlPem }) }),
    stamp,
  };
}

async function readStamp(dir: string): Promise<string> {
  const files = ['seal.key', 'seal.crt', 'ca.crt', 'crl.pem'].map((file) => join(dir, file));
  const stamps = await Promise.all(files.map(describeFile));
  return stamps.join(' ');
}

async function describeFile(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    // absent or unreadable: who loads it says why
    return 'absent';
  }
}
