import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EvidenceManifest, EvidenceReceipt, findSchemaIssues, type UntrustedParser } from '@ngatu/contract';
import { readCertificate } from '../authority/certificate.ts';
import { parseHolderUri } from '../authority/certificate-holder.ts';
import { readNodeCertificate } from '../authority/node-certificate.ts';
import { loadTlsCredentials } from '../authority/tls-credentials.ts';
import { Authorities, RevocationLists, verifyCertificate } from '../authority/verify-certificate.ts';
import { verifyExport } from '../case-export/verify-export.ts';
import { isSealed, verifyManifestSeal } from '../seal/manifest-seal.ts';
import { verifyReceipt } from '../seal/receipt.ts';
import { readSealKey, toCertificatePem } from '../seal/seal-key.ts';
import { SealTrust } from '../seal/signer-certificate.ts';
import { AT_MS, exportCases, openProvince, sealChain } from '../testing/sealed-case.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);
const decode = (input: Uint8Array): string => Buffer.from(input).toString('utf8');

const exportParser: UntrustedParser = {
  name: 'case-export',
  covers: [
    'trust/src/case-export/verify-export.ts#verifyExport',
    'trust/src/case-export/export-container.ts#readExportContainer',
    'trust/src/case-export/export-container.ts#readExportEntries',
    'trust/src/case-export/export-index.ts#decodeExportJson',
    'trust/src/case-export/stored-zip.ts#readStoredZip',
    'trust/src/case-export/verify-case.ts#verifyCase',
    'trust/src/case-export/verify-case.ts#verifyChains',
  ],
  source: 'who hands over an export of a case',
  form: 'binary',
  pace: 'process',
  open: async () => {
    const province = await openProvince();
    const { caPem } = province;
    const samples = [await exportCases(province, sealChain(province, 1))];
    return {
      samples,
      parse: async (input) => {
        const { verdict } = await verifyExport(input, { caPem });
        return verdict === 'failed' ? 'FAILED' : undefined;
      },
      close: async () => province[Symbol.asyncDispose](),
    };
  },
};

const sealParser: UntrustedParser = {
  name: 'evidence-seal',
  covers: ['trust/src/seal/manifest-seal.ts#verifyManifestSeal', 'trust/src/seal/receipt.ts#verifyReceipt'],
  source: 'a node, or who has its key; the centre, or who speaks in its name',
  form: 'json',
  pace: 'process',
  open: async () => {
    const province = await openProvince();
    const anchors = { caPem: province.caPem, crl: province.readCrl() };
    const samples = sealChain(province, 2).map(({ manifest, receipt }) =>
      encode(JSON.stringify({ manifest, receipt })),
    );
    return {
      samples,
      parse: async (input) => {
        let value: unknown;
        try {
          value = JSON.parse(decode(input));
        } catch (error) {
          if (error instanceof SyntaxError) return 'NOT_JSON';
          throw error;
        }
        const { manifest, receipt } = (value ?? {}) as { manifest?: unknown; receipt?: unknown };
        if (findSchemaIssues(EvidenceManifest, manifest, 1).length > 0) return 'MANIFEST';
        if (findSchemaIssues(EvidenceReceipt, receipt, 1).length > 0) return 'RECEIPT';
        const sealed = manifest as EvidenceManifest;
        if (!isSealed(sealed)) return 'UNSEALED';
        const trust = new SealTrust(anchors);
        await verifyManifestSeal(sealed, { trust, receivedAtMs: AT_MS + 120_000 });
        await verifyReceipt(receipt as EvidenceReceipt, sealed, trust);
        return undefined;
      },
      close: async () => province[Symbol.asyncDispose](),
    };
  },
};

const certificateParser: UntrustedParser = {
  name: 'certificate',
  covers: [
    'trust/src/authority/certificate.ts#readCertificate',
    'trust/src/authority/certificate.ts#parseCertificate',
    'trust/src/authority/certificate.ts#splitPem',
    'trust/src/authority/node-certificate.ts#readNodeCertificate',
    'trust/src/authority/certificate-holder.ts#parseHolderUri',
    'trust/src/authority/verify-certificate.ts#verifyCertificate',
  ],
  source: 'whoever opens a connection, or signs',
  form: 'text',
  pace: 'process',
  open: async () => {
    const province = await openProvince();
    const { caPem } = province;
    const crl = province.readCrl();
    const pem = toCertificatePem(province.node.certificate);
    // read as a process does that verifies many; what is asked of them with each input stays
    const [ca, lists] = [new Authorities(caPem), new RevocationLists(crl)];
    return {
      samples: [encode(pem), encode(toCertificatePem(province.centre.certificate))],
      // the authority and its list come from files, which may be torn as well
      variations: [encode(caPem), encode(crl)],
      parse: async (input) => {
        const text = decode(input);
        parseHolderUri(text);
        const refusals = await Promise.allSettled([
          readCertificate(text),
          verifyCertificate(text, ca, { atMs: AT_MS, crl: lists }),
          verifyCertificate(pem, text, { atMs: AT_MS, crl: lists }),
          verifyCertificate(pem, ca, { atMs: AT_MS, crl: text }),
        ]);
        // each by itself: what the first refuses must not hide what the last one throws
        for (const refusal of refusals) {
          const { name } = (refusal.status === 'rejected' ? refusal.reason : {}) as { name?: string };
          if (refusal.status === 'rejected' && name !== 'NgatuError') throw refusal.reason;
        }
        readNodeCertificate(text);
        return undefined;
      },
      close: async () => province[Symbol.asyncDispose](),
    };
  },
};

const identityParser: UntrustedParser = {
  name: 'identity-folder',
  covers: [
    'trust/src/authority/identity-folder.ts#loadIdentity',
    'trust/src/authority/tls-credentials.ts#loadTlsCredentials',
    'trust/src/seal/seal-key.ts#readSealKey',
  ],
  source: 'the machine’s own disk, torn or changed',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    const province = await openProvince();
    const certificatePem = toCertificatePem(province.node.certificate);
    const dir = join(folder, 'identity');
    mkdirSync(dir);
    return {
      samples: [],
      variations: [encode(`${province.caPem}\n${certificatePem}`), encode(province.readCrl())],
      parse: (input) => {
        for (const name of ['ca.crt', 'tls.key', 'tls.crt', 'seal.key', 'seal.crt', 'crl.pem']) {
          writeFileSync(join(dir, name), input);
          chmodSync(join(dir, name), 0o600);
        }
        const text = decode(input);
        const attempts = [
          () => loadTlsCredentials(dir),
          () => readSealKey({ keyPem: text, certificatePem: text }),
        ];
        const refusals = attempts.flatMap((attempt): unknown[] => {
          try {
            attempt();
            return [];
          } catch (error) {
            return [error];
          }
        });
        const [first] = refusals;
        const foreign = refusals.find((error) => !(error instanceof Error && error.name === 'NgatuError'));
        if (foreign !== undefined) throw foreign;
        if (first !== undefined) throw first;
        return undefined;
      },
      close: async () => province[Symbol.asyncDispose](),
    };
  },
};

/** Parsers of seals, certificates and exports that meet untrusted input. */
export const TRUST_PARSERS: readonly UntrustedParser[] = [
  exportParser,
  sealParser,
  certificateParser,
  identityParser,
];
