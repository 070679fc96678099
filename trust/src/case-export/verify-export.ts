import { NgatuError } from '@ngatu/contract';
import { readCertificate } from '../authority/certificate.ts';
import { toCertificatePem } from '../seal/seal-key.ts';
import { type SealAnchors, SealTrust } from '../seal/signer-certificate.ts';
import {
  computeLargeSha256Hex,
  type ExportContainer,
  isContainerSignedBy,
  readExportContainer,
  readExportEntries,
} from './export-container.ts';
import { decodeExportJson, EXPORT_PATHS, ExportIndex } from './export-index.ts';
import {
  type ExportCheck,
  type ExportCheckName,
  type ExportReport,
  judgeChecks,
  toFailure,
} from './export-report.ts';
import { verifyCase, verifyChains } from './verify-case.ts';

export interface VerifyExportOptions {
  /** The authority that the verifier trusts, PEM. Without it the one inside is used, and the verdict is `consistent` at best. */
  readonly caPem?: string;
  /** Newer revocation lists than the one inside, PEM. */
  readonly crl?: string;
  /** Ends where the signature over the file does not hold: the verdict is known then, and the rest would only tell where. */
  readonly isBrief?: boolean;
}

type Entries = ReadonlyMap<string, Uint8Array>;
type Note = (check: ExportCheck) => void;

/**
 * Checks everything that a case export claims, from its bytes alone: no network, no database, no clock. Never throws for
 * anything that a file can hold; what is wrong stands in the report. Works in Node and in a browser.
 */
export async function verifyExport(
  bytes: Uint8Array,
  options: VerifyExportOptions = {},
): Promise<ExportReport> {
  const checks: ExportCheck[] = [];
  const note: Note = (check) => checks.push(check);
  const isAnchored = options.caPem !== undefined;
  const container = attempt(note, 'format', () => readExportContainer(bytes));
  if (container !== undefined) await verifySignature(container, note);
  const isKnown = options.isBrief === true && checks.some(({ state }) => state === 'failed');
  const index = container && !isKnown ? await verifyInside(bytes, { container, options, note }) : undefined;
  const sha256 = await computeLargeSha256Hex(bytes);
  const report = { verdict: judgeChecks(checks, isAnchored), sizeBytes: bytes.length, sha256, checks };
  return index === undefined ? { ...report, verdict: 'failed' } : { ...report, index };
}

interface EntryParts {
  readonly entries: Entries;
  readonly container: ExportContainer;
  readonly options: VerifyExportOptions;
  readonly note: Note;
}

/** The contents of a container, as far as they can be read. */
async function verifyInside(
  bytes: Uint8Array,
  parts: Omit<EntryParts, 'entries'>,
): Promise<ExportIndex | undefined> {
  const entries = attempt(parts.note, 'format', () => readExportEntries(bytes, parts.container));
  return entries && verifyEntries({ ...parts, entries });
}

async function verifyEntries({
  entries,
  container,
  options,
  note,
}: EntryParts): Promise<ExportIndex | undefined> {
  note({
    check: 'format',
    state: 'passed',
    detail: {
      vi: `Tệp ZIP gồm ${entries.size} mục, không có byte nào ngoài danh mục`,
      en: `ZIP archive of ${entries.size} entries, no byte outside of them`,
    },
  });
  const index = attempt(note, 'contents', () =>
    decodeExportJson(ExportIndex, EXPORT_PATHS.index, entries.get(EXPORT_PATHS.index)),
  );
  if (index === undefined) return undefined;
  await verifyContents(entries, index, note);
  const anchors = attempt(note, 'authority', () => chooseAnchors(entries, options));
  if (anchors === undefined) return index;
  await describeAuthority(anchors.caPem, options.caPem !== undefined, note);
  const trust = new SealTrust(anchors);
  await verifySigner({ container, index, trust, note });
  const manifests = [];
  for (const item of index.events) {
    const manifest = await verifyCase({ entries, item, trust, note });
    if (manifest !== undefined) manifests.push(manifest);
  }
  verifyChains(manifests, note);
  return index;
}

function attempt<T>(note: Note, check: ExportCheckName, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    note(toFailure(check, error));
    return undefined;
  }
}

/** @throws NgatuError EXPORT_INVALID */
function chooseAnchors(entries: Entries, { caPem, crl }: VerifyExportOptions): SealAnchors {
  const inside = entries.get(EXPORT_PATHS.authority);
  const anchor = caPem ?? (inside === undefined ? undefined : decodeText(inside));
  if (anchor === undefined)
    throw new NgatuError('EXPORT_INVALID', 'Cannot trust anybody: there is no authority in it');
  const own = entries.get(EXPORT_PATHS.revocations);
  const lists = [crl, own === undefined ? undefined : decodeText(own)].filter((list) => list !== undefined);
  return { caPem: anchor, ...(lists.length === 0 ? {} : { crl: lists.join('\n') }) };
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 4 * 1024 * 1024));
}

/** Whether the bytes are those that the certificate at their end signed; whose certificate that is comes later. */
async function verifySignature(container: ExportContainer, note: Note): Promise<void> {
  try {
    const { ed25519PublicKey } = await readCertificate(toCertificatePem(container.certificate));
    if (ed25519PublicKey === undefined || !(await isContainerSignedBy(container, ed25519PublicKey)))
      throw new NgatuError(
        'SEAL_INVALID',
        'Cannot accept the file: at least one byte is not as it was signed',
      );
    note({
      check: 'signature',
      state: 'passed',
      detail: { vi: 'Ed25519, phủ mọi byte của tệp', en: 'Ed25519, over every byte of the file' },
    });
  } catch (error) {
    note(toFailure('signature', error));
  }
}

/** Whether who signed the file is the centre, and was when it did. */
async function verifySigner({
  container,
  index,
  trust,
  note,
}: Pick<EntryParts, 'container' | 'note'> & { index: ExportIndex; trust: SealTrust }): Promise<void> {
  try {
    const atMs = Date.parse(index.exportedAt);
    const times = { signedAtMs: atMs, receivedAtMs: atMs };
    const { certificate } = await trust.verifySigner(container.certificate, times);
    if (certificate.holder.kind !== 'centre')
      throw new NgatuError(
        'SEAL_INVALID',
        'Cannot accept the signer: the certificate is not that of the centre',
      );
    const { exportedAt, exportedBy } = index;
    note({
      check: 'signer',
      state: 'passed',
      detail: {
        vi: `Trung tâm, chứng thư số ${certificate.serialNumber}, xuất lúc ${exportedAt} bởi ${exportedBy}`,
        en: `The centre, certificate ${certificate.serialNumber}, exported at ${exportedAt} by ${exportedBy}`,
      },
    });
  } catch (error) {
    note(toFailure('signer', error));
  }
}

/** Every entry is listed with its digest, and every listed entry is there. */
async function verifyContents(entries: Entries, index: ExportIndex, note: Note): Promise<void> {
  const listed = new Map(index.items.map((item) => [item.path, item]));
  const faults: string[] = [];
  for (const path of [EXPORT_PATHS.sheet, EXPORT_PATHS.citizenSheet, EXPORT_PATHS.authority])
    if (!listed.has(path)) faults.push(`${path} is not listed`);
  if (listed.size !== index.items.length) faults.push('an entry is listed twice');
  for (const { path, sha256, sizeBytes } of index.items) {
    const bytes = entries.get(path);
    if (bytes === undefined) faults.push(`${path} is not there`);
    else if (bytes.length !== sizeBytes || (await computeLargeSha256Hex(bytes)) !== sha256)
      faults.push(`${path} was changed`);
  }
  for (const path of entries.keys())
    if (path !== EXPORT_PATHS.index && !listed.has(path)) faults.push(`${path} was added`);
  if (faults.length > 0)
    return note(
      toFailure(
        'contents',
        new NgatuError('EXPORT_INVALID', `Cannot accept the contents: ${faults.slice(0, 10).join('; ')}`),
      ),
    );
  note({
    check: 'contents',
    state: 'passed',
    detail: {
      vi: `${index.items.length} mục, từng mục đúng mã SHA-256 của nó`,
      en: `${index.items.length} entries, each with its SHA-256`,
    },
  });
}

async function describeAuthority(caPem: string, isAnchored: boolean, note: Note): Promise<void> {
  const fingerprint = await computeFingerprint(caPem);
  note(
    isAnchored
      ? {
          check: 'authority',
          state: 'passed',
          detail: {
            vi: `Do người kiểm tra cung cấp, SHA-256 ${fingerprint}`,
            en: `Given by the verifier, SHA-256 ${fingerprint}`,
          },
        }
      : {
          check: 'authority',
          state: 'warning',
          detail: {
            vi: `Lấy từ chính tệp này, SHA-256 ${fingerprint}. Hãy so với dấu vân tay mà tỉnh đã công bố`,
            en: `Taken from this very file, SHA-256 ${fingerprint}. Compare it with the fingerprint that the province published`,
          },
        },
  );
}

/** SHA-256 of the first certificate, in pairs as `openssl x509 -fingerprint` prints it. */
async function computeFingerprint(caPem: string): Promise<string> {
  const body = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END/.exec(caPem)?.[1] ?? '';
  let der: Uint8Array;
  try {
    der = Uint8Array.from(atob(body.replaceAll(/\s/g, '')), (character) => character.charCodeAt(0));
  } catch {
    return 'unreadable';
  }
  const digest = await computeLargeSha256Hex(der);
  return (digest.toUpperCase().match(/../g) ?? []).join(':');
}
