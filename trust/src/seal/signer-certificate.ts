import { NgatuError } from '@ngatu/contract';
import type { CertificateFacts } from '../authority/certificate.ts';
import { Authorities, RevocationLists, verifyCertificate } from '../authority/verify-certificate.ts';
import { toCertificatePem } from './seal-key.ts';

/** Whom a verifier trusts, and what it knows of stolen keys. */
export interface SealAnchors {
  /** The province's authority, or several, PEM. */
  readonly caPem: string;
  /** Revocation lists, PEM. */
  readonly crl?: string;
}

export interface SignerVerdict {
  readonly certificate: CertificateFacts;
  /** True where the certificate had expired before the centre had what it signed. */
  readonly expiredAtReceipt: boolean;
}

/** The last instant that a date can be: who is not revoked by then is not revoked. */
const EVER_MS = 8_640_000_000_000_000;
/** Certificates of nodes that are remembered; the province has some hundreds of nodes. */
const KNOWN_MAX = 4_096;

/**
 * Proves certificates of signers against one set of anchors. A certificate is judged at two instants: it must have been valid when
 * its holder says that it signed, and not revoked when the centre had what was signed (who stole a key may set a clock back, but
 * not the centre's). What is proved once about a certificate that nobody revoked is remembered.
 */
export class SealTrust {
  readonly anchors: SealAnchors;
  readonly #authorities: Authorities;
  readonly #lists: RevocationLists | undefined;
  readonly #known = new Map<string, CertificateFacts>();

  constructor(anchors: SealAnchors) {
    this.anchors = anchors;
    this.#authorities = new Authorities(anchors.caPem);
    this.#lists = anchors.crl === undefined ? undefined : new RevocationLists(anchors.crl);
  }

  /** @param certificate DER in base64 @throws NgatuError those of `verifyCertificate` */
  async verifySigner(
    certificate: string,
    { signedAtMs, receivedAtMs }: { readonly signedAtMs: number; readonly receivedAtMs: number },
  ): Promise<SignerVerdict> {
    const facts =
      this.#findKnown(certificate, signedAtMs) ?? (await this.#verify(certificate, signedAtMs, receivedAtMs));
    return { certificate: facts, expiredAtReceipt: receivedAtMs > facts.notAfterMs };
  }

  #findKnown(certificate: string, signedAtMs: number): CertificateFacts | undefined {
    const facts = this.#known.get(certificate);
    if (facts === undefined || signedAtMs < facts.notBeforeMs || signedAtMs > facts.notAfterMs)
      return undefined;
    return facts;
  }

  async #verify(certificate: string, signedAtMs: number, receivedAtMs: number): Promise<CertificateFacts> {
    const [ca, crl] = [this.#authorities, this.#lists];
    const pem = toCertificatePem(certificate);
    const options = { signedAtMs, use: 'seal', ...(crl === undefined ? {} : { crl }) } as const;
    try {
      const facts = await verifyCertificate(pem, ca, { ...options, atMs: EVER_MS });
      if (this.#known.size >= KNOWN_MAX) this.#known.clear();
      this.#known.set(certificate, facts);
      return facts;
    } catch (error) {
      if (!(error instanceof NgatuError) || error.code !== 'CERTIFICATE_REVOKED') throw error;
      return verifyCertificate(pem, ca, { ...options, atMs: receivedAtMs });
    }
  }
}
