import { createHash } from 'node:crypto';
import { NgatuError } from '@ngatu/contract';
import {
  assembleExport,
  type ExportedCase,
  type ExportedFile,
  type Identity,
  loadIdentity,
  splitPem,
  toSealKey,
} from '@ngatu/trust';
import type { EvidenceStore } from '../store/evidence-store.ts';
import { renderCaseSheet } from './case-sheet.ts';
import { renderCitizenSheet } from './citizen-sheet.ts';
import { type CaseDossier, type DossierSources, gatherCase } from './exported-case.ts';

export interface CaseExportRequest {
  readonly eventIds: readonly string[];
  readonly exportedBy: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly exportedAt: string;
  readonly softwareVersion?: string;
}

/** Cases of one export at most. */
export const EXPORT_MAX_CASES = 20;

/**
 * Gathers the cases and returns the bytes of their signed archive, piece by piece. What cannot be exported is refused before the
 * first byte.
 * @param identityDir folder of the centre's identity
 * @throws NgatuError NOT_FOUND, SEAL_MISSING, IDENTITY_INVALID, EXPORT_INVALID
 */
export async function openCaseExport(
  sources: DossierSources,
  { identityDir, ...request }: CaseExportRequest & { readonly identityDir?: string },
): Promise<AsyncGenerator<Uint8Array>> {
  const { eventIds, exportedAt, exportedBy, reason, softwareVersion } = request;
  const unique = [...new Set(eventIds)];
  if (unique.length === 0 || unique.length > EXPORT_MAX_CASES)
    throw new NgatuError(
      'EXPORT_INVALID',
      `Cannot export ${unique.length} cases at once: 1 to ${EXPORT_MAX_CASES}`,
    );
  const dossiers: CaseDossier[] = [];
  for (const eventId of unique) dossiers.push(await gatherCase(sources, eventId));
  if (identityDir === undefined)
    throw new NgatuError('IDENTITY_INVALID', 'Cannot sign an export: no identity of the centre was given');
  const identity = await loadIdentity(identityDir);
  const key = toSealKey(requireSeal(identity));
  const version = softwareVersion === undefined ? {} : { softwareVersion };
  const head = { exportedAt, exportedBy, reason, ...version };
  const authorityFingerprint = await describeAuthority(identity.caPem);
  const sheets = {
    full: renderCaseSheet(dossiers, { ...head, authorityFingerprint }),
    citizen: renderCitizenSheet(dossiers, head),
  };
  const cases = dossiers.map((dossier) => toExportedCase(dossier, sources.evidence));
  const { caPem, crlPem } = identity;
  const plan = { ...head, cases, sheets, caPem, ...(crlPem === undefined ? {} : { crl: crlPem }) };
  return assembleExport(plan, { key, hash: createHash('sha256') });
}

function requireSeal({ dir, holder, seal }: Identity): NonNullable<Identity['seal']> {
  if (holder.kind === 'centre' && seal !== undefined) return seal;
  throw new NgatuError('IDENTITY_INVALID', `Cannot sign an export: ${dir} holds no seal of a centre`);
}

function toExportedCase(
  { record, seal, plate, readings, files }: CaseDossier,
  evidence: DossierSources['evidence'],
): ExportedCase {
  const { event, ingestedAt, reviews } = record;
  const review = {
    schemaVersion: 1,
    ingestedAt,
    reviews,
    plateJudgements: plate.judgements,
    readings: readings.map(({ kind, law }) => ({ kind, ...law })),
    chain: seal.chain,
  };
  return {
    event,
    manifest: seal.manifest,
    receipt: seal.receipt,
    review: JSON.parse(JSON.stringify(review)),
    files: files.map(({ file, state, picture }): ExportedFile => {
      const { sha256, mediaType } = file;
      return { sha256, mediaType, state, load: async () => picture ?? (await readWhole(evidence, sha256)) };
    }),
  };
}

async function readWhole(evidence: Pick<EvidenceStore, 'open'>, sha256: string): Promise<Uint8Array> {
  const handle = await evidence.open(sha256);
  if (handle === undefined)
    throw new NgatuError('NOT_FOUND', `Cannot export file ${sha256}: it was removed meanwhile`, {
      retryable: true,
    });
  const bytes = new Uint8Array(handle.sizeBytes);
  let at = 0;
  for await (const chunk of handle.read() as AsyncIterable<Buffer>) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** SHA-256 of the authority's certificate, in pairs as `openssl x509 -fingerprint` prints it. */
async function describeAuthority(caPem: string): Promise<string> {
  const [block = ''] = splitPem(caPem, 'CERTIFICATE');
  const der = Buffer.from(block.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64');
  const digest = createHash('sha256').update(der).digest('hex').toUpperCase();
  return (digest.match(/../g) ?? []).join(':');
}
