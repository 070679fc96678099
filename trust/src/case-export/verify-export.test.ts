import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { computeManifestSha256 } from '../seal/manifest-seal.ts';
import {
  AT_MS,
  anEvent,
  CHAIN_ID,
  exportCases,
  openProvince,
  type Province,
  type SealedCase,
  sealCase,
  sealChain,
  toExportedCase,
} from '../testing/sealed-case.ts';
import type { ExportPlan } from './assemble-export.ts';
import type { ExportReport } from './export-report.ts';
import { runMutationCampaign } from './mutation-campaign.ts';
import { verifyExport } from './verify-export.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let province: Province;
let cases: SealedCase[];
let bytes: Uint8Array;

beforeAll(async () => {
  province = await openProvince();
  cases = sealChain(province, 2);
  bytes = await exportCases(province, cases);
});
afterAll(() => province[Symbol.asyncDispose]());

/** Check and code of everything that failed. */
function failuresOf({ checks }: ExportReport): string[] {
  return checks.filter(({ state }) => state === 'failed').map(({ check, code }) => `${check} ${code}`);
}

const verify = (export_: Uint8Array, options = {}) =>
  verifyExport(export_, { caPem: province.caPem, ...options });
const first = () => cases[0] as SealedCase;

describe('verifyExport', () => {
  it('verifies what nobody touched, against the authority that the verifier brought', async () => {
    const report = await verify(bytes);
    expect(failuresOf(report)).toEqual([]);
    expect(report.verdict).toBe('verified');
    expect(report.index?.events.map(({ eventId }) => eventId)).toEqual(
      cases.map(({ event }) => event.eventId),
    );
    // that the clips stay on the node is said, not hidden
    const files = report.checks.filter(({ check }) => check === 'files');
    expect(files.map(({ state, detail }) => [state, detail.en.includes('clip (on-node)')])).toEqual([
      ['warning', true],
      ['warning', true],
    ]);
  });

  it('calls it consistent, not verified, where only the authority inside vouches', async () => {
    expect((await verifyExport(bytes)).verdict).toBe('consistent');
  });

  it('refuses the whole where another authority is trusted', async () => {
    await using other = await openProvince();
    const report = await verifyExport(bytes, { caPem: other.caPem });
    expect(report.verdict).toBe('failed');
    expect(failuresOf(report)).toEqual(
      expect.arrayContaining(['signer CERTIFICATE_FOREIGN', 'seal CERTIFICATE_FOREIGN']),
    );
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['a text', new TextEncoder().encode('no export')],
    ['a picture of zeros', new Uint8Array(70_000)],
    [
      'a trailer alone',
      new TextEncoder().encode(`ngatu case export 1\nsigner: AAAA\nsignature: ${'0'.repeat(128)}`),
    ],
  ])('answers %s with a report', async (_name, hostile) => {
    const report = await verify(hostile);
    expect(report.verdict).toBe('failed');
    expect(failuresOf(report).length).toBeGreaterThan(0);
  });

  it('detects every damage of a seeded campaign', { timeout: 60_000 }, async () => {
    const tallies = await runMutationCampaign(bytes, { caPem: province.caPem, bytes: 100, seed: 20_261_122 });
    expect(tallies.flatMap(({ passed }) => passed)).toEqual([]);
    for (const { kind, tried, detected } of tallies) expect([kind, detected]).toEqual([kind, tried]);
    expect(tallies.every(({ tried }) => tried > 0)).toBe(true);
  });
});

describe('who holds the key of the centre', () => {
  /** An export that the centre signs properly over changed contents. */
  const forge = (changes: Partial<ExportPlan>) => exportCases(province, cases, changes);

  it.each<[string, string, () => Partial<ExportPlan>]>([
    [
      'changes the event',
      'event SEAL_INVALID',
      () => {
        const { event, ...rest } = toExportedCase(first());
        return { cases: [{ ...rest, event: { ...event, kind: 'SPEED' } }] };
      },
    ],
    [
      'changes the manifest',
      'seal SEAL_INVALID',
      () => {
        const { manifest, ...rest } = toExportedCase(first());
        return { cases: [{ ...rest, manifest: { ...manifest, camera: 'junction-south' } }] };
      },
    ],
    [
      'changes a sealed fact',
      'seal SEAL_INVALID',
      () => {
        const { manifest, ...rest } = toExportedCase(first());
        const facts = { ...manifest.seal.facts, clockErrorMs: 1 };
        return { cases: [{ ...rest, manifest: { ...manifest, seal: { ...manifest.seal, facts } } }] };
      },
    ],
    [
      'changes a picture',
      'files SEAL_INVALID',
      () => {
        const { files, ...rest } = toExportedCase(first());
        const changed = files.map((file) => ({
          ...file,
          load: async () => {
            const picture = (await file.load()).slice();
            picture[100] = (picture[100] ?? 0) ^ 1;
            return picture;
          },
        }));
        return { cases: [{ ...rest, files: changed }] };
      },
    ],
    [
      'adds a picture',
      'files SEAL_INVALID',
      () => {
        const [one, two] = cases.map(toExportedCase);
        if (one === undefined || two === undefined) return {};
        return { cases: [{ ...one, files: [...one.files, ...two.files] }] };
      },
    ],
    [
      'leaves a picture out in silence',
      'files SEAL_INVALID',
      () => {
        const { files, ...rest } = toExportedCase(first());
        return { cases: [{ ...rest, files: files.slice(1) }] };
      },
    ],
    [
      'exchanges the receipts of two cases',
      'receipt SEAL_INVALID',
      () => {
        const [one, two] = cases.map(toExportedCase);
        if (one === undefined || two === undefined) return {};
        return { cases: [{ ...one, receipt: two.receipt }] };
      },
    ],
    [
      'dates a receipt back',
      'receipt SEAL_INVALID',
      () => {
        const { receipt, ...rest } = toExportedCase(first());
        return { cases: [{ ...rest, receipt: { ...receipt, receivedAt: first().event.capturedAt } }] };
      },
    ],
  ])('%s, and is found out', async (_name, expected, change) => {
    const report = await verify(await forge(change()));
    expect(report.verdict).toBe('failed');
    expect(failuresOf(report)).toContain(expected);
    // the file itself is properly signed: what fails is what the node sealed
    expect(report.checks).toContainEqual(expect.objectContaining({ check: 'signature', state: 'passed' }));
  });

  it('inserts a case of its own into the chain, and is found out', async () => {
    const foreign = { ...province, node: province.otherNode };
    const place = {
      chainId: CHAIN_ID,
      chainSeq: 3,
      previousManifestSha256: computeManifestSha256(first().manifest),
    };
    const inserted = sealCase(foreign, anEvent(3), place);
    const report = await verify(await forge({ cases: [...cases, inserted].map(toExportedCase) }));
    expect(failuresOf(report)).toContain('seal SEAL_INVALID');
  });

  it('takes a node that seals two cases at one place, and is found out', async () => {
    const place = {
      chainId: CHAIN_ID,
      chainSeq: 2,
      previousManifestSha256: computeManifestSha256(first().manifest),
    };
    const forked = sealCase(province, anEvent(9), place);
    const report = await verify(await forge({ cases: [...cases, forked].map(toExportedCase) }));
    expect(failuresOf(report)).toContain('chain CHAIN_CONFLICT');
  });
});

describe('years later', () => {
  it('judges a certificate at the time of the seal, and says where only the node vouches for that time', async () => {
    const place = { chainId: CHAIN_ID, chainSeq: 1, previousManifestSha256: null };
    const expiresAfterMs = 700 * DAY_MS;
    const inTime = sealCase(province, anEvent(1), place);
    const late = sealCase(province, anEvent(1), place, { receivedAtMs: AT_MS + expiresAfterMs + DAY_MS });
    const after = sealCase(province, anEvent(1), place, { createdAtMs: AT_MS + expiresAfterMs + DAY_MS });
    const clockOf = async (sealed: SealedCase) => {
      const exportedAt = new Date(AT_MS + 2 * DAY_MS).toISOString();
      const report = await verify(await exportCases(province, [sealed], { exportedAt }));
      return report.checks.find(({ check }) => check === 'clock')?.state ?? failuresOf(report).join();
    };
    expect(await clockOf(inTime)).toBe('passed');
    expect(await clockOf(after)).toContain('seal CERTIFICATE_EXPIRED');
    // the receipt of that day needs a certificate of the centre that is valid then: it has expired as well
    expect(await clockOf(late)).not.toBe('passed');
  });

  it('keeps what the centre had before a key was stolen, and refuses what came after', async () => {
    await using own = await openProvince();
    const revokedAtMs = AT_MS + 2 * HOUR_MS;
    const place = { chainId: CHAIN_ID, chainSeq: 1, previousManifestSha256: null };
    const before = sealCase(own, anEvent(1), place, { receivedAtMs: revokedAtMs - 1_000 });
    // sealed with a clock that was set back, and received after the revocation
    const dated = sealCase(own, anEvent(1), place, { receivedAtMs: revokedAtMs + 1_000 });
    await own.revokeNode(revokedAtMs);
    const crl = own.readCrl();
    const sealOf = async (sealed: SealedCase) => {
      const report = await verifyExport(await exportCases(own, [sealed], { crl }), { caPem: own.caPem });
      return failuresOf(report);
    };
    expect(await sealOf(before)).toEqual([]);
    expect(await sealOf(dated)).toEqual(['seal CERTIFICATE_REVOKED']);
    // an export of before the revocation, judged with the list of today
    const old = await exportCases(own, [dated]);
    expect((await verifyExport(old, { caPem: own.caPem })).verdict).toBe('verified');
    expect(failuresOf(await verifyExport(old, { caPem: own.caPem, crl }))).toEqual([
      'seal CERTIFICATE_REVOKED',
    ]);
  });

  it('says where the clock of a node ran ahead', async () => {
    const place = { chainId: CHAIN_ID, chainSeq: 1, previousManifestSha256: null };
    const ahead = sealCase(province, anEvent(1), place, {
      createdAtMs: AT_MS + HOUR_MS,
      receivedAtMs: AT_MS + 60_000,
    });
    const report = await verify(await exportCases(province, [ahead]));
    expect(report.checks).toContainEqual(expect.objectContaining({ check: 'clock', state: 'warning' }));
    expect(report.verdict).toBe('verified');
  });
});
