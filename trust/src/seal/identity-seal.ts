import { type CertifiedKey, exportPrivateKey } from '../authority/identity-folder.ts';
import { readSealKey, type SealKey } from './seal-key.ts';

/** The seal of a loaded identity. The caller keeps the key in memory as long as it seals. @throws NgatuError CERTIFICATE_INVALID */
export function toSealKey({ privateKey, certificatePem }: CertifiedKey): SealKey {
  return readSealKey({ keyPem: exportPrivateKey(privateKey), certificatePem });
}
