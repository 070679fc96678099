import { X509Certificate } from 'node:crypto';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type { CertificateFacts } from './certificate.ts';
import { buildCommonName, parseHolderUri, USE_OIDS } from './certificate-holder.ts';

/**
 * What a certificate of ours says, as `readCertificate`, read by Node itself: for processes that open connections and should not
 * wait for a library.
 * @throws NgatuError CERTIFICATE_INVALID
 */
export function readNodeCertificate(certificate: string | Buffer): CertificateFacts {
  try {
    return describe(new X509Certificate(certificate));
  } catch (error) {
    if (error instanceof NgatuError) throw error;
    throw new NgatuError('CERTIFICATE_INVALID', `Cannot read a certificate: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function describe(certificate: X509Certificate): CertificateFacts {
  const names = (certificate.subjectAltName ?? '').split(', ');
  const valuesOf = (label: string) =>
    names.filter((name) => name.startsWith(label)).map((name) => name.slice(label.length));
  const uris = valuesOf('URI:');
  const [uri] = uris;
  const holder = uri === undefined || uris.length > 1 ? undefined : parseHolderUri(uri);
  if (holder === undefined || certificate.subject !== `CN=${buildCommonName(holder)}`)
    throw new NgatuError(
      'CERTIFICATE_INVALID',
      `Cannot use certificate "${certificate.subject}": it names no node, centre or broker of ngatu`,
    );
  const { publicKey } = certificate;
  const publicKeySpki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return {
    holder,
    uses: (['client', 'server', 'seal'] as const).filter((use) =>
      certificate.keyUsage?.includes(USE_OIDS[use]),
    ),
    hosts: [...valuesOf('DNS:'), ...valuesOf('IP Address:')],
    serialNumber: certificate.serialNumber.toLowerCase(),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    publicKeySpki,
    ...(publicKey.asymmetricKeyType === 'ed25519' ? { ed25519PublicKey: publicKeySpki.slice(-32) } : {}),
  };
}
