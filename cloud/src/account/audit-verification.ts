import { X509Certificate } from 'node:crypto';
import { setImmediate as rest } from 'node:timers/promises';
import { errorMessage } from '@ngatu/contract';
import { verifyCertificate } from '@ngatu/trust';
import type Database from 'better-sqlite3';
import { type AnchorLine, type AuditAnchor, isAnchorSignedBy } from './audit-anchor.ts';
import {
  type AuditHead,
  type AuditRow,
  CHAINED_ACTION,
  computeAuditDigest,
  EMPTY_HEAD,
} from './audit-chain.ts';

/**
 * `row-changed`: a row, or its place, is not what its digest was made of. `rows-missing`: numbers are left out. `cut`: the
 * trail ends before a place where it stood once. `rewritten`: it holds another row there. `anchors-missing`: the file that
 * tells where it stood is gone, or begins later than the trail. The others are about lines of the anchor file.
 */
export type AuditFaultKind =
  | 'row-changed'
  | 'rows-missing'
  | 'cut'
  | 'rewritten'
  | 'anchors-missing'
  | 'anchor-unreadable'
  | 'anchor-unsigned'
  | 'anchor-forged';

export interface AuditFault {
  readonly kind: AuditFaultKind;
  /** The row concerned, or the line of the anchor file (from 1). */
  readonly row?: number;
  readonly line?: number;
  readonly detail: string;
}

export interface AuditReport {
  readonly rows: number;
  /** The last row: note it down elsewhere, and compare. */
  readonly head: AuditHead;
  readonly anchors: number;
  readonly signedAnchors: number;
  /** Rows after the last anchor: a cut among them would not be seen. */
  readonly unanchoredRows: number;
  /** The first hundred. Empty where the trail proves itself. */
  readonly faults: readonly AuditFault[];
}

const PAGE_ROWS = 2_000;
const FAULTS_MAX = 100;

class FaultList {
  readonly faults: AuditFault[] = [];

  add(fault: AuditFault): void {
    if (this.faults.length < FAULTS_MAX) this.faults.push(fault);
  }
}

/** Reads the whole trail in pages, so that a server goes on answering; calls `see` with each row that is in its place. */
async function verifyRows(
  database: Database.Database,
  list: FaultList,
  see: (row: AuditRow) => void,
): Promise<{ rows: number; head: AuditHead }> {
  const page = database.prepare<[number, number], AuditRow>(
    'SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?',
  );
  let head = EMPTY_HEAD;
  let rows = 0;
  for (let batch = page.all(0, PAGE_ROWS); batch.length > 0; batch = page.all(head.id, PAGE_ROWS)) {
    for (const row of batch) {
      if (row.id !== head.id + 1)
        list.add({
          kind: 'rows-missing',
          row: row.id,
          detail: `rows ${head.id + 1} to ${row.id - 1} are gone`,
        });
      if (computeAuditDigest(head.digest, row) !== row.digest)
        list.add({ kind: 'row-changed', row: row.id, detail: 'the row is not what its digest was made of' });
      see(row);
      head = { id: row.id, digest: row.digest };
      rows += 1;
    }
    await rest();
  }
  return { rows, head };
}

/** Proves signatures of anchors; each certificate is checked once. */
class AnchorVerifier {
  private readonly certificates = new Map<string, X509Certificate>();
  private readonly verdicts = new Map<string, string | undefined>();

  constructor(private readonly authority: ReturnType<AuditAnchor['readAuthority']>) {}

  /** What is wrong with the signature of a line that has one, or undefined. */
  async findFault(line: AnchorLine): Promise<string | undefined> {
    const name = line.certificateSha256 ?? '';
    try {
      if (line.certificate !== undefined) {
        const certificate = new X509Certificate(Buffer.from(line.certificate, 'base64'));
        this.certificates.set(certificate.fingerprint256.replaceAll(':', '').toLowerCase(), certificate);
      }
      const certificate = this.certificates.get(name);
      if (certificate === undefined) return 'its certificate is not in the file';
      if (!isAnchorSignedBy(line, certificate)) return 'its signature does not hold';
      if (!this.verdicts.has(name)) this.verdicts.set(name, await this.judge(certificate, line));
      return this.verdicts.get(name);
    } catch (error) {
      return errorMessage(error);
    }
  }

  private async judge(certificate: X509Certificate, { at }: AnchorLine): Promise<string | undefined> {
    if (this.authority === undefined) return 'the centre has no authority (identity/ca.crt) to check it with';
    const { caPem, crlPem } = this.authority;
    const facts = await verifyCertificate(certificate.toString(), caPem, {
      ...{ atMs: Date.parse(at), use: 'seal' },
      ...(crlPem === undefined ? {} : { crl: crlPem }),
    });
    return facts.holder.kind === 'centre' ? undefined : 'its certificate is not the centre’s';
  }
}

interface AnchorVerdict {
  readonly byRow: Map<number, AnchorLine[]>;
  /** The row that the first line names; undefined where there is none, or none that can be read. */
  readonly first: number | undefined;
  /** Whether the first line is that of a trail that began. */
  isFromBeginning: boolean;
  readonly highest: number;
  readonly lines: number;
  readonly signed: number;
}

/** Reads the anchor file; gives by row number what the anchors say of it. */
async function verifyAnchors(anchor: AuditAnchor, list: FaultList): Promise<AnchorVerdict> {
  const verifier = new AnchorVerifier(anchor.readAuthority());
  const byRow = new Map<number, AnchorLine[]>();
  let signed = 0;
  let highest = -1;
  const rows = anchor.read();
  for (const [index, row] of rows.entries()) {
    const line = index + 1;
    if ('fault' in row) {
      list.add({ kind: 'anchor-unreadable', line, detail: row.fault });
      continue;
    }
    const { id } = row.anchor;
    if (id <= highest)
      list.add({ kind: 'cut', line, detail: `the trail stood at row ${highest} once, and at ${id} later` });
    highest = Math.max(highest, id);
    byRow.set(id, [...(byRow.get(id) ?? []), row.anchor]);
    if (row.anchor.signature === undefined) {
      if (signed > 0)
        list.add({ kind: 'anchor-unsigned', line, detail: 'lines before it are signed, this one is not' });
      continue;
    }
    signed += 1;
    const detail = await verifier.findFault(row.anchor);
    if (detail !== undefined) list.add({ kind: 'anchor-forged', line, detail });
  }
  const [head] = rows;
  const first = head !== undefined && 'anchor' in head ? head.anchor.id : undefined;
  return {
    byRow,
    first,
    isFromBeginning: first === 0,
    highest: Math.max(0, highest),
    lines: rows.length,
    signed,
  };
}

/**
 * Proves the audit trail: every row by its digest and the row before, and the whole by the anchor file. What happened after the
 * last anchor (10 s at most while the centre runs) is proved by nothing but the chain.
 */
export async function verifyAuditTrail(
  database: Database.Database,
  anchor: AuditAnchor,
): Promise<AuditReport> {
  const list = new FaultList();
  const anchors = await verifyAnchors(anchor, list);
  const { rows, head } = await verifyRows(database, list, ({ id, digest, at, action }) => {
    if (action === CHAINED_ACTION && anchors.first === id) anchors.isFromBeginning = true;
    for (const known of anchors.byRow.get(id) ?? []) {
      if (known.digest === digest) continue;
      const detail = `an anchor of ${known.at} names another row than this of ${at}`;
      list.add({ kind: 'rewritten', row: id, detail });
    }
  });
  const last = anchors.highest;
  if (last > head.id) {
    const detail = `the trail stood at row ${last} once and ends at ${head.id}: rows were cut off, or an older copy was put in its place`;
    list.add({ kind: 'cut', row: last, detail });
  }
  if (!anchors.isFromBeginning)
    list.add({ kind: 'anchors-missing', detail: `${anchor.path} does not begin where the trail began` });
  return {
    ...{ rows, head },
    anchors: anchors.lines,
    signedAnchors: anchors.signed,
    unanchoredRows: Math.max(0, head.id - last),
    faults: list.faults,
  };
}
