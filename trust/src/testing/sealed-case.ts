import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event, EvidenceManifest, EvidenceReceipt, SealedFacts } from '@ngatu/contract';
import { type Authority, createAuthority, loadRevocationList, revoke } from '../authority/authority.ts';
import { loadIdentity } from '../authority/identity-folder.ts';
import { issueCentreIdentity, issueNodeIdentity } from '../authority/issue-identity.ts';
import { assembleExport, type ExportedCase, type ExportPlan } from '../case-export/assemble-export.ts';
import { computeEventSha256 } from '../case-export/verify-case.ts';
import { computeSha256 } from '../digest.ts';
import { toSealKey } from '../seal/identity-seal.ts';
import {
  type ChainPlace,
  computeManifestSha256,
  type SealedManifest,
  sealManifest,
} from '../seal/manifest-seal.ts';
import { signReceipt } from '../seal/receipt.ts';
import type { SealKey } from '../seal/seal-key.ts';

/** A province with one authority, two nodes and a centre, and cases that they seal. For tests. */

export const SITE = 'hanoi';
export const NODE = 'gate-1';
export const AT_MS = Date.UTC(2025, 10, 22, 3, 0, 0);
export const CHAIN_ID = '11111111-2222-4333-8444-555555555555';
const DAY_MS = 86_400_000;

export interface Province extends AsyncDisposable {
  readonly authority: Authority;
  readonly caPem: string;
  readonly node: SealKey;
  readonly otherNode: SealKey;
  readonly centre: SealKey;
  readCrl(): string;
  /** Revokes every certificate of the node as of now on the authority's clock. */
  revokeNode(atMs: number): Promise<void>;
}

export async function openProvince(options: { readonly validDays?: number } = {}): Promise<Province> {
  const folder = await mkdtemp(join(tmpdir(), 'ngatu-seal-'));
  const clock = { at: AT_MS - 30 * DAY_MS };
  const authority = await createAuthority(join(folder, 'ca'), {
    name: 'Test province',
    clock: { nowMs: () => clock.at },
  });
  const nodeKey = async (node: string): Promise<SealKey> => {
    const dir = join(folder, node);
    await issueNodeIdentity(authority, { site: SITE, node, dir, ...options });
    return readKey(dir);
  };
  const centreDir = join(folder, 'centre');
  const node = await nodeKey(NODE);
  const otherNode = await nodeKey('gate-2');
  await issueCentreIdentity(authority, { hosts: ['localhost'], dir: centreDir });
  return {
    authority,
    caPem: authority.caPem,
    node,
    otherNode,
    centre: await readKey(centreDir),
    readCrl: () => loadRevocationList(authority.dir),
    revokeNode: async (atMs) => {
      clock.at = atMs;
      await revoke(authority, { holder: { kind: 'node', site: SITE, node: NODE } });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function readKey(dir: string): Promise<SealKey> {
  const { seal } = await loadIdentity(dir);
  if (seal === undefined) throw new Error(`${dir} has no seal`);
  return toSealKey(seal);
}

export function anEvent(number: number, changes: Partial<Event> = {}): Event {
  return {
    schemaVersion: 1,
    eventId: `ev-${number.toString(16).padStart(32, '0')}`,
    kind: 'RED_LIGHT',
    site: SITE,
    node: NODE,
    camera: 'junction-north',
    rule: 'red-light-north',
    capturedAt: new Date(AT_MS + number * 1_000).toISOString(),
    detectedAt: new Date(AT_MS + number * 1_000 + 90).toISOString(),
    clockErrorMs: 40,
    frame: { session: 'session-1', index: 250, mediaTimeMs: 10_000.125, width: 1280, height: 720 },
    model: { name: 'yolox-nano', sha256: 'a'.repeat(64) },
    sceneSha256: 'b'.repeat(64),
    subject: {
      trackId: 7,
      label: 'motorbike',
      confidence: 0.83,
      box: [0.42, 0.4, 0.55, 0.72],
      groundPoint: [0.485, 0.72],
      occupants: [],
    },
    signal: { state: 'red', sinceMs: 4_200, confidence: 0.97 },
    alternatives: ['STOP_LINE'],
    measures: { redBeforeCrossingMs: 4_200 },
    explanation: { vi: 'Xe máy đi qua vạch dừng khi đèn đỏ.', en: 'The motorbike crossed the line on red.' },
    ...changes,
  };
}

export function someFacts(event: Event): SealedFacts {
  const { kind, rule, capturedAt, clockErrorMs, sceneSha256, model } = event;
  return {
    eventSha256: computeEventSha256(event),
    ...{ kind, rule, capturedAt, clockErrorMs, sceneSha256 },
    parametersSha256: 'c'.repeat(64),
    parameters: { name: rule, kind, graceMs: 300, labels: ['motorbike', 'car'] },
    models: [model],
    softwareVersion: '0.1.0',
  };
}

/** Bytes that stand for a picture of this event. */
export function somePicture(event: Event, role: string, sizeBytes = 4_000): Uint8Array {
  const seed = computeSha256(new TextEncoder().encode(`${event.eventId} ${role}`));
  return Uint8Array.from(
    { length: sizeBytes },
    (_, index) => (seed.charCodeAt(index % 64) * 31 + index * 7) & 0xff,
  );
}

const ROLES = ['still-at', 'clip'] as const;

export interface SealedCase {
  readonly event: Event;
  readonly manifest: SealedManifest;
  readonly receipt: EvidenceReceipt;
  readonly pictures: ReadonlyMap<string, Uint8Array>;
}

/** Seals a case as a node does, ten seconds after it, and countersigns it as the centre does, a minute after that. */
export function sealCase(
  province: Pick<Province, 'node' | 'centre'>,
  event: Event,
  place: ChainPlace,
  times: { readonly createdAtMs?: number; readonly receivedAtMs?: number } = {},
): SealedCase {
  const capturedAtMs = Date.parse(event.capturedAt);
  const { createdAtMs = capturedAtMs + 10_000 } = times;
  const { receivedAtMs = createdAtMs + 60_000 } = times;
  const pictures = new Map<string, Uint8Array>();
  const files = ROLES.map((role): EvidenceManifest['files'][number] => {
    const bytes = somePicture(event, role);
    const sha256 = computeSha256(bytes);
    pictures.set(sha256, bytes);
    const mediaType = role === 'clip' ? 'video/mp4' : 'image/jpeg';
    const size = { width: 1280, height: 720, sizeBytes: bytes.length };
    return { role, sha256, mediaType, capturedAt: event.capturedAt, ...size };
  });
  const { eventId, site, node, camera } = event;
  const createdAt = new Date(createdAtMs).toISOString();
  const manifest = sealManifest(
    { schemaVersion: 1, eventId, site, node, camera, createdAt, files, missing: [] },
    { facts: someFacts(event), place, key: province.node },
  );
  const receivedAt = new Date(receivedAtMs).toISOString();
  return { event, manifest, pictures, receipt: signReceipt(manifest, { receivedAt, key: province.centre }) };
}

/** A chain of `count` cases. */
export function sealChain(province: Pick<Province, 'node' | 'centre'>, count: number): SealedCase[] {
  const cases: SealedCase[] = [];
  for (let number = 1; number <= count; number++) {
    const before = cases.at(-1);
    const previousManifestSha256 = before === undefined ? null : computeManifestSha256(before.manifest);
    const place = { chainId: CHAIN_ID, chainSeq: number, previousManifestSha256 };
    cases.push(sealCase(province, anEvent(number), place));
  }
  return cases;
}

/** The export of these cases, clips left out. */
export async function exportCases(
  province: Pick<Province, 'centre' | 'caPem'>,
  cases: readonly SealedCase[],
  changes: Partial<ExportPlan> = {},
): Promise<Uint8Array> {
  const plan: ExportPlan = {
    exportedAt: new Date(AT_MS + DAY_MS).toISOString(),
    exportedBy: 'supervisor-1',
    reason: 'Appeal of the road user',
    softwareVersion: '0.1.0',
    cases: cases.map(toExportedCase),
    sheets: { full: '<!doctype html><title>Hồ sơ</title>', citizen: '<!doctype html><title>Bản sao</title>' },
    caPem: province.caPem,
    ...changes,
  };
  const parts: Uint8Array[] = [];
  for await (const part of assembleExport(plan, { key: province.centre })) parts.push(part.slice());
  return new Uint8Array(Buffer.concat(parts));
}

export function toExportedCase({ event, manifest, receipt, pictures }: SealedCase): ExportedCase {
  const files = manifest.files.map(({ sha256, mediaType, role }) => ({
    sha256,
    mediaType,
    state: role === 'clip' ? ('on-node' as const) : ('included' as const),
    load: async () => pictures.get(sha256) ?? new Uint8Array(),
  }));
  return { event, manifest, receipt, review: { reviews: [] }, files };
}
