import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { errorMessage, NgatuError } from '@ngatu/contract';
import {
  type CertificateFacts,
  loadTlsCredentials,
  type TlsCredentials,
  verifyCertificate,
} from '@ngatu/trust';
import type { Logger } from 'pino';

interface PeerJudgeParts {
  /** Folder of the centre's identity: certificate, key, authority, revocation list. */
  readonly identityDir: string;
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
}

interface Verdict {
  readonly facts: CertificateFacts;
  /** Of the credentials by which it was found. */
  readonly revision: number;
}

const FILES = ['ca.crt', 'crl.pem', 'tls.crt', 'tls.key'] as const;

/**
 * Says who is at the other end of a TLS connection, by the authority and the revocation list as they are now: the folder is looked at
 * again when its files change, and what was found before counts no more.
 */
export class PeerJudge {
  readonly #parts: PeerJudgeParts;
  readonly #verdicts = new WeakMap<TLSSocket, Verdict>();
  #credentials: TlsCredentials;
  #stamp: string;
  #revision = 1;

  private constructor(parts: PeerJudgeParts, credentials: TlsCredentials, stamp: string) {
    this.#parts = parts;
    this.#credentials = credentials;
    this.#stamp = stamp;
  }

  /** @throws NgatuError IDENTITY_INVALID, CERTIFICATE_INVALID, PERMISSION_DENIED */
  static open(parts: PeerJudgeParts): PeerJudge {
    const stamp = readStamp(parts.identityDir);
    return new PeerJudge(parts, loadTlsCredentials(parts.identityDir), stamp);
  }

  get credentials(): TlsCredentials {
    return this.#credentials;
  }

  /** Reads the folder again where it has changed. True where there are new credentials. */
  refresh(): boolean {
    const { identityDir, logger } = this.#parts;
    const stamp = readStamp(identityDir);
    if (stamp === this.#stamp) return false;
    try {
      this.#credentials = loadTlsCredentials(identityDir);
    } catch (error) {
      // Half of a rotation, or a mistake of an operator: what was good before stays in force until the folder is good again.
      if (!(error instanceof NgatuError)) throw error;
      logger.error({ code: error.code }, error.message);
      return false;
    }
    this.#stamp = stamp;
    this.#revision++;
    return true;
  }

  /**
   * The certificate of the peer, proved.
   * @throws NgatuError CERTIFICATE_MISSING, CERTIFICATE_INVALID, CERTIFICATE_FOREIGN, CERTIFICATE_EXPIRED, CERTIFICATE_REVOKED,
   *   REVOCATION_LIST_INVALID
   */
  async identify(socket: TLSSocket): Promise<CertificateFacts> {
    const atMs = this.#parts.clock.nowMs();
    const known = this.#verdicts.get(socket);
    if (known?.revision === this.#revision && atMs <= known.facts.notAfterMs) return known.facts;
    const revision = this.#revision;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined)
      throw new NgatuError('CERTIFICATE_MISSING', 'Cannot tell who calls: no certificate was shown');
    const { ca, crl } = this.#credentials;
    const facts = await verifyCertificate(certificate.toString(), ca, {
      atMs,
      use: 'client',
      ...(crl === undefined ? {} : { crl }),
    });
    this.#verdicts.set(socket, { facts, revision });
    return facts;
  }
}

/** Changes with every file of the folder that counts. */
function readStamp(dir: string): string {
  return FILES.map((name) => {
    try {
      const { mtimeMs, size, ino } = statSync(join(dir, name));
      return `${mtimeMs} ${size} ${ino}`;
    } catch (error) {
      return errorMessage(error);
    }
  }).join(', ');
}
