import { createHash } from 'node:crypto';
import type { NgatuError } from '@ngatu/contract';
import { loadTlsCredentials, type TlsCredentials } from '@ngatu/trust';

/** The node's side of a connection with mutual TLS. */
export interface TlsIdentity {
  readonly credentials: TlsCredentials;
  /**
   * Derived from the private key: a client id that ends in it cannot be guessed, and so not be taken over, by whoever has the
   * certificate of another node; the node itself comes back under the same one and so ends its own half-open connection.
   */
  readonly secretSuffix: string;
}

/**
 * Reads the folder of the identity as it is now: a connection that is opened after a rotation uses the new certificate.
 * @throws NgatuError for which `isIdentityFailure` holds
 */
export function openTlsIdentity(dir: string): TlsIdentity {
  const credentials = loadTlsCredentials(dir);
  const hash = createHash('sha256').update(`ngatu mqtt client id\n${credentials.key}`);
  return { credentials, secretSuffix: hash.digest('hex').slice(0, 24) };
}

/** True where a certificate or the folder of the identity is not good now; an operator mends it while the agent runs on. */
export function isIdentityFailure({ code }: NgatuError): boolean {
  return code.startsWith('CERTIFICATE_') || code === 'IDENTITY_INVALID' || code === 'REVOCATION_LIST_INVALID';
}
