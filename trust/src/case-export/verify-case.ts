import { Event, EvidenceManifest, EvidenceReceipt, NgatuError } from '@ngatu/contract';
import { computeJsonSha256 } from '../digest.ts';
import { type ChainLink, findChainFaults } from '../seal/chain.ts';
import {
  computeManifestSha256,
  isSealed,
  type SealedManifest,
  type SealVerdict,
  verifyManifestSeal,
} from '../seal/manifest-seal.ts';
import { verifyReceipt } from '../seal/receipt.ts';
import type { SealTrust } from '../seal/signer-certificate.ts';
import { computeLargeSha256Hex } from './export-container.ts';
import { decodeExportJson, EXPORT_PATHS, type ExportIndex } from './export-index.ts';
import { type ExportCheck, type ExportCheckName, toFailure } from './export-report.ts';

interface CaseParts {
  readonly entries: ReadonlyMap<string, Uint8Array>;
  readonly item: ExportIndex['events'][number];
  readonly trust: SealTrust;
  readonly note: (check: ExportCheck) => void;
}

/** A node's clock that is ahead of the centre's by more than this makes the times of a case doubtful, ms. */
const CLOCK_TOLERANCE_MS = 5_000;

/**
 * Checks one case of an export: that event, manifest, receipt and files belong together and are what was signed. Returns the
 * manifest, for its chain, where its seal holds.
 */
export async function verifyCase(parts: CaseParts): Promise<SealedManifest | undefined> {
  const { entries, item, note } = parts;
  const { eventId } = item;
  const pass = (check: ExportCheckName, vi: string, en: string): void =>
    note({ check, state: 'passed', eventId, detail: { vi, en } });
  let manifest: SealedManifest;
  let verdict: SealVerdict;
  let receipt: EvidenceReceipt;
  try {
    manifest = readManifest(parts);
    const path = EXPORT_PATHS.receipt(eventId);
    receipt = decodeExportJson(EvidenceReceipt, path, entries.get(path));
    const receivedAtMs = Date.parse(receipt.receivedAt);
    verdict = await verifyManifestSeal(manifest, { trust: parts.trust, receivedAtMs });
  } catch (error) {
    note(toFailure('seal', error, eventId));
    return undefined;
  }
  const { site, node, seal } = manifest;
  pass(
    'seal',
    `Nút ${site}/${node}, chứng thư số ${verdict.certificate.serialNumber}, mắt xích ${seal.chainSeq}`,
    `Node ${site}/${node}, certificate ${verdict.certificate.serialNumber}, link ${seal.chainSeq}`,
  );
  try {
    await verifyReceipt(receipt, manifest, parts.trust);
    pass(
      'receipt',
      `Trung tâm đã nhận lúc ${receipt.receivedAt}`,
      `The centre had it at ${receipt.receivedAt}`,
    );
  } catch (error) {
    note(toFailure('receipt', error, eventId));
  }
  verifyEvent(parts, manifest);
  note(describeClock(manifest, receipt, verdict));
  await verifyFiles(parts, manifest);
  return manifest;
}

/** @throws NgatuError EXPORT_INVALID, SEAL_MISSING */
function readManifest({ entries, item: { eventId } }: CaseParts): SealedManifest {
  const path = EXPORT_PATHS.manifest(eventId);
  const manifest = decodeExportJson(EvidenceManifest, path, entries.get(path));
  if (manifest.eventId !== eventId)
    throw new NgatuError('EXPORT_INVALID', `Cannot accept ${path}: it is that of event ${manifest.eventId}`);
  if (!isSealed(manifest)) throw new NgatuError('SEAL_MISSING', `Cannot accept ${path}: it carries no seal`);
  return manifest;
}

function verifyEvent({ entries, item: { eventId }, note }: CaseParts, manifest: SealedManifest): void {
  const path = EXPORT_PATHS.event(eventId);
  try {
    const event = decodeExportJson(Event, path, entries.get(path));
    const { facts } = manifest.seal;
    if (computeEventSha256(event) !== facts.eventSha256)
      throw new NgatuError('SEAL_INVALID', `Cannot accept ${path}: it is not the event that the node sealed`);
    note({
      check: 'event',
      state: 'passed',
      eventId,
      detail: {
        vi: `${facts.kind}, quy tắc ${facts.rule}, phần mềm ${facts.softwareVersion}: đúng như nút đã niêm phong`,
        en: `${facts.kind}, rule ${facts.rule}, software ${facts.softwareVersion}: as the node sealed it`,
      },
    });
  } catch (error) {
    note(toFailure('event', error, eventId));
  }
}

/**
 * The digest of an event that its seal names. `detectedAt` is left out: the same decisive moment, found again after a restart, is
 * the same event.
 */
export function computeEventSha256(event: Event): string {
  const { detectedAt: _, ...decisive } = event;
  return computeJsonSha256(decisive);
}

function describeClock(
  manifest: SealedManifest,
  receipt: EvidenceReceipt,
  verdict: SealVerdict,
): ExportCheck {
  const { eventId, createdAt, seal } = manifest;
  const { capturedAt, clockErrorMs } = seal.facts;
  const aheadMs = Date.parse(createdAt) - Date.parse(receipt.receivedAt);
  const isAhead = aheadMs > clockErrorMs + CLOCK_TOLERANCE_MS;
  const vi = [
    `Vi phạm ${capturedAt} ± ${clockErrorMs} ms; niêm phong ${createdAt}; trung tâm nhận ${receipt.receivedAt}`,
  ];
  const en = [
    `Captured ${capturedAt} ± ${clockErrorMs} ms; sealed ${createdAt}; received ${receipt.receivedAt}`,
  ];
  if (isAhead) {
    vi.push('Đồng hồ của nút chạy nhanh hơn trung tâm: chỉ thời điểm nhận là chắc chắn');
    en.push("the node's clock was ahead of the centre's: only the time of receipt is certain");
  }
  if (verdict.witnessedLate) {
    vi.push('Chứng thư của nút đã hết hạn trước khi trung tâm nhận: thời điểm niêm phong chỉ do nút khai');
    en.push("the node's certificate had expired before the receipt: only the node says when it sealed");
  }
  const state = isAhead || verdict.witnessedLate ? 'warning' : 'passed';
  return { check: 'clock', state, eventId, detail: { vi: vi.join('. '), en: en.join('; ') } };
}

async function verifyFiles({ entries, item, note }: CaseParts, manifest: SealedManifest): Promise<void> {
  const { eventId } = item;
  const states = new Map(item.files.map((file) => [file.sha256, file]));
  const faults: string[] = [];
  const absent: string[] = [];
  let included = 0;
  for (const { sha256, sizeBytes, role } of manifest.files) {
    const state = states.get(sha256);
    if (state === undefined) faults.push(`${role} is not mentioned`);
    else if (state.state !== 'included') absent.push(`${role} (${state.state})`);
    else {
      const bytes = state.path === undefined ? undefined : entries.get(state.path);
      if (bytes === undefined) faults.push(`${role} is not there`);
      else if (bytes.length !== sizeBytes || (await computeLargeSha256Hex(bytes)) !== sha256)
        faults.push(`${role} is not the file that the node sealed`);
      else included += 1;
    }
  }
  const sealed = new Set(manifest.files.map(({ sha256 }) => sha256));
  if (item.files.some(({ sha256 }) => !sealed.has(sha256)))
    faults.push('there is a file that the node did not seal');
  if (faults.length > 0) {
    const error = new NgatuError(
      'SEAL_INVALID',
      `Cannot accept the files of ${eventId}: ${faults.join('; ')}`,
    );
    return note(toFailure('files', error, eventId));
  }
  const total = manifest.files.length;
  const vi = [`${included} trên ${total} tệp có trong bản xuất, đúng mã SHA-256 đã niêm phong`];
  const en = [`${included} of ${total} files are in this export, with the SHA-256 that was sealed`];
  if (absent.length > 0) {
    vi.push(`không có ở đây: ${absent.join(', ')}; mã của chúng đã được niêm phong`);
    en.push(`not in here: ${absent.join(', ')}; their digests are sealed`);
  }
  if (manifest.missing.length > 0) {
    vi.push(`${manifest.missing.length} tệp không tạo được, lý do ghi trong niêm phong`);
    en.push(`${manifest.missing.length} files could not be made, the reasons are sealed`);
  }
  const state = absent.length > 0 || included === 0 ? 'warning' : 'passed';
  note({ check: 'files', state, eventId, detail: { vi: vi.join('; '), en: en.join('; ') } });
}

/** The links of all cases of one chain against each other. Holes between them are other cases, not faults of this export. */
export function verifyChains(manifests: readonly SealedManifest[], note: CaseParts['note']): void {
  if (manifests.length === 0) return;
  const faults = findChainFaults(manifests.map(toChainLink)).filter(({ kind }) => kind !== 'missing');
  const [fault] = faults;
  if (fault !== undefined) {
    const reason = `Cannot accept chain ${fault.chainId}: link ${fault.seq} is ${fault.kind}`;
    note(toFailure('chain', new NgatuError('CHAIN_CONFLICT', reason)));
    return;
  }
  const places = manifests
    .map(({ seal }) => seal.chainSeq)
    .sort((a, b) => a - b)
    .join(', ');
  note({
    check: 'chain',
    state: 'passed',
    detail: {
      vi: `Các mắt xích ${places} không mâu thuẫn nhau`,
      en: `Links ${places} do not contradict each other`,
    },
  });
}

/** @throws NgatuError MESSAGE_INVALID */
export function toChainLink(manifest: SealedManifest): ChainLink {
  const { site, node, seal } = manifest;
  const { chainId, chainSeq, previousManifestSha256 } = seal;
  const manifestSha256 = computeManifestSha256(manifest);
  return { site, node, chainId, chainSeq, previousManifestSha256, manifestSha256 };
}
