import type { Event, EvidenceReceipt } from '@ngatu/contract';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { encodeCanonicalJson } from '../canonical-json.ts';
import type { SealedManifest } from '../seal/manifest-seal.ts';
import type { SealKey } from '../seal/seal-key.ts';
import { computeLargeSha256Hex, ExportWriter, type Sha256Stream } from './export-container.ts';
import { EXPORT_PATHS, type ExportFileState, type ExportIndex } from './export-index.ts';

/** A file of a manifest, with its bytes where it is `included`. */
export interface ExportedFile {
  readonly sha256: string;
  readonly mediaType: string;
  readonly state: ExportFileState;
  /** Called once, when its turn comes; at `included` only. */
  load(): Promise<Uint8Array>;
}

export interface ExportedCase {
  readonly event: Event;
  readonly manifest: SealedManifest;
  readonly receipt: EvidenceReceipt;
  /** What people and the law say of the case: any JSON. */
  readonly review: unknown;
  readonly files: readonly ExportedFile[];
}

export interface ExportPlan
  extends Pick<ExportIndex, 'exportedAt' | 'exportedBy' | 'reason' | 'softwareVersion'> {
  readonly cases: readonly ExportedCase[];
  /** HTML that needs nothing beside itself. */
  readonly sheets: { readonly full: string; readonly citizen: string };
  readonly caPem: string;
  readonly crl?: string;
}

/**
 * Writes a case export piece by piece; the pieces one after the other are the file. One evidence file at a time is in memory.
 * Where it is cut short, what was written ends in no signature and verifies nowhere.
 * @throws NgatuError EXPORT_INVALID where it grows too large, and what `load` throws
 */
export async function* assembleExport(
  plan: ExportPlan,
  { key, hash }: { readonly key: SealKey; readonly hash?: Sha256Stream },
): AsyncGenerator<Uint8Array> {
  const { exportedAt, exportedBy, reason, softwareVersion, sheets, caPem, crl, cases } = plan;
  const version = softwareVersion === undefined ? {} : { softwareVersion };
  const writer = new ExportWriter({
    atMs: Date.parse(exportedAt),
    key,
    ...(hash === undefined ? {} : { hash }),
  });
  const items: ExportIndex['items'] = [];
  const add = async (path: string, bytes: Uint8Array): Promise<Uint8Array[]> => {
    if (items.some((item) => item.path === path)) return [];
    items.push({ path, sha256: await computeLargeSha256Hex(bytes), sizeBytes: bytes.length });
    return writer.add({ path, bytes });
  };
  yield* await add(EXPORT_PATHS.sheet, utf8ToBytes(sheets.full));
  yield* await add(EXPORT_PATHS.citizenSheet, utf8ToBytes(sheets.citizen));
  for (const { event, manifest, receipt, review } of cases) {
    const { eventId } = event;
    yield* await add(EXPORT_PATHS.event(eventId), encodeCanonicalJson(event));
    yield* await add(EXPORT_PATHS.manifest(eventId), encodeCanonicalJson(manifest));
    yield* await add(EXPORT_PATHS.receipt(eventId), encodeCanonicalJson(receipt));
    yield* await add(EXPORT_PATHS.review(eventId), encodeCanonicalJson(review));
  }
  for (const file of cases.flatMap(({ files }) => files)) {
    if (file.state !== 'included') continue;
    yield* await add(EXPORT_PATHS.file(file.sha256, file.mediaType), await file.load());
  }
  yield* await add(EXPORT_PATHS.authority, utf8ToBytes(caPem));
  if (crl !== undefined) yield* await add(EXPORT_PATHS.revocations, utf8ToBytes(crl));
  const index: ExportIndex = {
    ...{ schemaVersion: 1, kind: 'ngatu-case-export', exportedAt, exportedBy, reason },
    ...version,
    events: cases.map(({ event, files }) => ({ eventId: event.eventId, files: files.map(describeFile) })),
    items,
  };
  yield* writer.add({ path: EXPORT_PATHS.index, bytes: encodeCanonicalJson(index) });
  yield* writer.finish();
}

function describeFile({
  sha256,
  mediaType,
  state,
}: ExportedFile): ExportIndex['events'][number]['files'][number] {
  return state === 'included'
    ? { sha256, state, path: EXPORT_PATHS.file(sha256, mediaType) }
    : { sha256, state };
}
