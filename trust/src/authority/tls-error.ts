import { type ErrorCode, errorMessage, NgatuError } from '@ngatu/contract';

type Explanation = readonly [code: ErrorCode, reason: string];

/** What the other side said before it hung up: TLS alerts as OpenSSL names them (RFC 8446 section 6.2). */
const ALERTS: Readonly<Record<string, Explanation>> = {
  CERTIFICATE_REVOKED: ['CERTIFICATE_REVOKED', 'the other side says that our certificate was revoked'],
  CERTIFICATE_EXPIRED: [
    'CERTIFICATE_EXPIRED',
    'the other side says that our certificate is not valid at this time',
  ],
  UNKNOWN_CA: [
    'CERTIFICATE_FOREIGN',
    'the other side does not know the authority that issued our certificate',
  ],
  CERTIFICATE_REQUIRED: ['CERTIFICATE_MISSING', 'the other side asks for a certificate'],
  HANDSHAKE_FAILURE: ['CERTIFICATE_MISSING', 'the other side asks for a certificate that we have not shown'],
  BAD_CERTIFICATE: ['CERTIFICATE_INVALID', 'the other side cannot use our certificate'],
  UNSUPPORTED_CERTIFICATE: [
    'CERTIFICATE_INVALID',
    'the other side says that our certificate is for another use',
  ],
  CERTIFICATE_UNKNOWN: ['CERTIFICATE_INVALID', 'the other side cannot use our certificate'],
};

/** What our own look at the other side's certificate found: codes of Node and of X509_verify_cert. */
const FINDINGS: Readonly<Record<string, Explanation>> = {
  CERT_HAS_EXPIRED: ['CERTIFICATE_EXPIRED', 'the certificate of the other side has expired'],
  CERT_NOT_YET_VALID: [
    'CERTIFICATE_EXPIRED',
    'the certificate of the other side is not valid yet: is the clock right?',
  ],
  CERT_REVOKED: ['CERTIFICATE_REVOKED', 'the certificate of the other side was revoked'],
  INVALID_PURPOSE: ['CERTIFICATE_INVALID', 'the certificate of the other side is for another use'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'CERTIFICATE_INVALID',
    'the certificate of the other side is of another host than the one that was called',
  ],
  ...Object.fromEntries(
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'CERT_SIGNATURE_FAILURE',
      // Of our own authority there is a list.
      'UNABLE_TO_GET_CRL',
    ].map((code): [string, Explanation] => [
      code,
      ['CERTIFICATE_FOREIGN', 'another authority than ours issued the certificate of the other side'],
    ]),
  ),
  ...Object.fromEntries(
    ['CRL_SIGNATURE_FAILURE', 'CRL_HAS_EXPIRED', 'CRL_NOT_YET_VALID'].map((code): [string, Explanation] => [
      code,
      ['REVOCATION_LIST_INVALID', 'our revocation list is not of this authority, or not of this time'],
    ]),
  ),
};

/**
 * Says in our words why a connection failed, where it failed for a certificate: retryable, because certificates are rotated, clocks
 * set and lists renewed while the caller keeps trying. Undefined for every other failure.
 */
export function describeTlsError(error: unknown, action: string): NgatuError | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const alert = /^ERR_SSL_.*ALERT_(?:NUMBER_)?([A-Z_]+)$/.exec(code)?.[1];
  const found = (alert === undefined ? undefined : ALERTS[alert]) ?? FINDINGS[code];
  if (found === undefined) return undefined;
  const [ours, reason] = found;
  return new NgatuError(ours, `Cannot ${action}: ${reason} (${errorMessage(error).slice(0, 200)})`, {
    retryable: true,
    cause: error,
  });
}
