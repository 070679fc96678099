import { exportPrivateKey, loadIdentity } from './identity-folder.ts';

/** What `tls.connect`, `https.request`, `tls.createServer` and the MQTT client take for one side of mutual TLS. */
export interface TlsCredentials {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  readonly crl?: string;
  readonly minVersion: 'TLSv1.2';
}

/**
 * Reads the identity in `dir` for a connection. It is read for each new connection, so that a rotated certificate or a new
 * revocation list counts from the next one on.
 * @throws NgatuError IDENTITY_INVALID, CERTIFICATE_INVALID, PERMISSION_DENIED
 */
export function loadTlsCredentials(dir: string): TlsCredentials {
  const { tls, caPem, crlPem } = loadIdentity(dir);
  return {
    key: exportPrivateKey(tls.privateKey),
    cert: tls.certificatePem,
    ca: caPem,
    ...(crlPem === undefined ? {} : { crl: crlPem }),
    minVersion: 'TLSv1.2',
  };
}
