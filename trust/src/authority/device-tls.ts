import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type DeviceTls, errorMessage, NgatuError } from '@ngatu/contract';

/** What the MQTT client takes for a broker of devices. */
export interface DeviceTlsCredentials {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly minVersion: 'TLSv1.2';
}

/** Rights of anybody but the owner to read, write or run. */
const OTHERS = 0o077;

/**
 * Reads the files of a connection to a broker of devices as they are now.
 * @throws NgatuError IDENTITY_INVALID (retryable: an operator mends it while the agent runs on) where a file cannot be read, a key is open
 *   to others, or key and certificate do not fit together; CERTIFICATE_INVALID where a file holds no certificate
 */
export function openDeviceTls({ caFile, certFile, keyFile }: DeviceTls): DeviceTlsCredentials {
  const credentials: DeviceTlsCredentials = {
    ...(caFile === undefined ? {} : { ca: takeCertificate(caFile).text }),
    minVersion: 'TLSv1.2',
  };
  if (certFile === undefined || keyFile === undefined) return credentials;
  const { text: cert, certificate } = takeCertificate(certFile);
  const key = takeText(keyFile);
  if ((statSync(keyFile).mode & OTHERS) !== 0) throw refuse(keyFile, 'it is open to others: chmod 600');
  if (!isKeyOf(key, certificate, keyFile)) throw refuse(keyFile, `it is not the key of ${certFile}`);
  return { ...credentials, cert, key };
}

function refuse(file: string, why: string, cause?: unknown): NgatuError {
  const given = cause === undefined ? {} : { cause };
  return new NgatuError('IDENTITY_INVALID', `Cannot use "${file}": ${why}`, { retryable: true, ...given });
}

function takeText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw refuse(file, errorMessage(cause), cause);
  }
}

function takeCertificate(file: string): { readonly text: string; readonly certificate: X509Certificate } {
  const text = takeText(file);
  try {
    return { text, certificate: new X509Certificate(text) };
  } catch (cause) {
    throw new NgatuError('CERTIFICATE_INVALID', `Cannot use "${file}": it holds no certificate`, {
      retryable: true,
      cause,
    });
  }
}

/** The message of a parser is not passed on: it may hold what the file holds. */
function isKeyOf(key: string, certificate: X509Certificate, file: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw refuse(file, 'it holds no private key that can be used');
  }
}
