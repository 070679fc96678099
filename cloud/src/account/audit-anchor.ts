import { createHash, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { NgatuError, parseWithSchema } from '@ngatu/contract';
import { loadIdentity } from '@ngatu/trust';
import { type Static, Type } from '@sinclair/typebox';
import type Database from 'better-sqlite3';
import { toStoreError } from '../store/sqlite-database.ts';
import { type AuditHead, CHAINED_ACTION, readHead } from './audit-chain.ts';

const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** One line of the anchor file: where the trail stood. The signature is over the line without itself. */
const AnchorLine = Type.Object(
  {
    version: Type.Literal(1),
    at: Type.String(),
    /** 0 before the first row: its digest is empty. */
    id: Type.Integer({ minimum: 0 }),
    digest: Type.Union([Type.Literal(''), Digest]),
    /** SHA-256 of the line before; absent on the first. */
    previous: Type.Optional(Digest),
    /** DER of the certificate of the centre's seal key, base64; only on the first line that it signs. */
    certificate: Type.Optional(Type.String()),
    certificateSha256: Type.Optional(Digest),
    /** Ed25519, base64. */
    signature: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type AnchorLine = Static<typeof AnchorLine>;

/** A signature that was made for another thing never passes for one of an anchor. */
const PURPOSE = 'ngatu audit anchor v1\n';

function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function buildSigned(line: AnchorLine): Buffer {
  const { signature: _, ...signed } = line;
  return Buffer.from(PURPOSE + JSON.stringify(signed));
}

/** Whether `certificatePem` certifies the key that signed the line. */
export function isAnchorSignedBy(line: AnchorLine, certificate: X509Certificate): boolean {
  if (line.signature === undefined) return false;
  return verify(null, buildSigned(line), certificate.publicKey, Buffer.from(line.signature, 'base64'));
}

/** What one whole line says; `fault` where it is not one of ours, or not in its place. */
export type AnchorRow = { readonly anchor: AnchorLine } | { readonly fault: string };

interface AnchorTail {
  /** The last whole line, without its end. */
  readonly lastRow: string | undefined;
  /** Length of the file up to the end of that line. */
  readonly wholeBytes: number;
}

/** Longer than any line: one with a certificate has about 1.5 kB. */
const TAIL_BYTES = 64 * 1024;
const NEWLINE = 10;

/** The row that a line of the anchor file names, where it is one. */
function readNumber(row: string | undefined): number | undefined {
  const id = /"id":(\d{1,15}),/.exec(row ?? '')?.[1];
  return id === undefined ? undefined : Number(id);
}

function parseLine(text: string): AnchorRow {
  try {
    return {
      anchor: parseWithSchema(AnchorLine, JSON.parse(text), { code: 'AUDIT_TAMPERED', what: 'anchor' }),
    };
  } catch (error) {
    return { fault: error instanceof NgatuError ? error.message : 'it is not JSON' };
  }
}

/** A line in its place: it names the one before. */
function parseRow(text: string, previous: string | undefined): AnchorRow {
  const parsed = parseLine(text);
  if ('fault' in parsed) return parsed;
  const expected = previous === undefined ? undefined : sha256Hex(previous);
  if (parsed.anchor.previous === expected) return parsed;
  return { fault: 'the line before it was changed or removed' };
}

interface SealPair {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
}

/**
 * The file beside the database that says where the trail stood, line by line, signed with the centre's seal key once it has
 * one: a trail that was cut or taken back to an older copy contradicts it.
 */
export class AuditAnchor {
  readonly path: string;
  private readonly identityDir: string;
  private knownCertificate: string | undefined;

  /** `dataDir` is that of the centre. */
  constructor(dataDir: string) {
    this.path = join(dataDir, 'audit-anchor.jsonl');
    this.identityDir = join(dataDir, 'identity');
  }

  /** The lines that are whole: a last one without its end is one that a power cut interrupted. */
  read(): AnchorRow[] {
    if (!existsSync(this.path)) return [];
    const rows = readFileSync(this.path, 'utf8').split('\n').slice(0, -1);
    return rows.map((row, index) => parseRow(row, rows[index - 1]));
  }

  /**
   * Writes down where the trail stands now, where it has moved; on disk when it returns. The database's write lock keeps
   * processes apart.
   * @throws NgatuError DISK_FULL, PERMISSION_DENIED, STORE_UNAVAILABLE, IDENTITY_INVALID
   */
  write(database: Database.Database, nowMs: number): AuditHead | undefined {
    try {
      return database
        .transaction(() => {
          const head = readHead(database);
          const tail = this.readTail();
          if (head.id === readNumber(tail.lastRow)) return undefined;
          this.append(head, tail, nowMs);
          return head;
        })
        .immediate();
    } catch (error) {
      throw toStoreError(error, this.path);
    }
  }

  private append(head: AuditHead, { lastRow, wholeBytes }: AnchorTail, nowMs: number): void {
    const line: AnchorLine = {
      version: 1,
      at: new Date(nowMs).toISOString(),
      ...head,
      ...(lastRow === undefined ? {} : { previous: sha256Hex(lastRow) }),
    };
    const sealed = this.seal(line);
    const file = openSync(this.path, 'a', 0o600);
    try {
      // What a power cut left of a line is none.
      ftruncateSync(file, wholeBytes);
      writeSync(file, `${JSON.stringify(sealed)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (sealed.certificate !== undefined) this.knownCertificate = sealed.certificate;
  }

  private readTail(): AnchorTail {
    if (!existsSync(this.path)) return { lastRow: undefined, wholeBytes: 0 };
    const file = openSync(this.path, 'r');
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(file, bytes, 0, bytes.length, size - bytes.length);
      const end = bytes.lastIndexOf(NEWLINE);
      const start = end < 1 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1);
      const lastRow = end < 0 ? undefined : bytes.subarray(start + 1, end).toString('utf8');
      return { lastRow, wholeBytes: size - bytes.length + end + 1 };
    } finally {
      closeSync(file);
    }
  }

  /** The certificate stands in the first line that this process signs with it. */
  private seal(line: AnchorLine): AnchorLine {
    const pair = this.loadPair();
    if (pair === undefined) return line;
    const certificate = pair.certificate.raw.toString('base64');
    const signed: AnchorLine = {
      ...line,
      ...(certificate === this.knownCertificate ? {} : { certificate }),
      certificateSha256: sha256Hex(pair.certificate.raw),
    };
    return { ...signed, signature: sign(null, buildSigned(signed), pair.privateKey).toString('base64') };
  }

  /**
   * Writes the first line for a trail that begins: one without rows, or one that was just brought into the chain. A file that
   * begins later was put in the place of another.
   * @throws NgatuError as `write`
   */
  begin(database: Database.Database, nowMs: number): void {
    if (existsSync(this.path)) return;
    const last = database
      .prepare<[], { action: string }>('SELECT action FROM audit ORDER BY id DESC LIMIT 1')
      .get();
    if (last === undefined || last.action === CHAINED_ACTION) this.write(database, nowMs);
  }

  /** True where the last anchor names a row that the trail does not hold: a sign to verify the whole. */
  isContradicted(database: Database.Database): boolean {
    const { lastRow } = this.readTail();
    if (lastRow === undefined) return false;
    const parsed = parseLine(lastRow);
    if ('fault' in parsed) return true;
    const { id, digest } = parsed.anchor;
    if (id === 0) return false;
    const row = database
      .prepare<[number], { digest: string }>('SELECT digest FROM audit WHERE id = ?')
      .get(id);
    return row?.digest !== digest;
  }

  /** Read at each anchor: the identity may come, or be renewed, while the centre runs. */
  private loadPair(): SealPair | undefined {
    if (!existsSync(join(this.identityDir, 'seal.key'))) return undefined;
    const { seal } = loadIdentity(this.identityDir);
    if (seal === undefined) return undefined;
    return { privateKey: seal.privateKey, certificate: new X509Certificate(seal.certificatePem) };
  }

  /** What anchors are verified against; undefined where the centre has no identity. */
  readAuthority(): { readonly caPem: string; readonly crlPem?: string } | undefined {
    if (!existsSync(join(this.identityDir, 'ca.crt'))) return undefined;
    const crlPath = join(this.identityDir, 'crl.pem');
    return {
      caPem: readFileSync(join(this.identityDir, 'ca.crt'), 'utf8'),
      ...(existsSync(crlPath) ? { crlPem: readFileSync(crlPath, 'utf8') } : {}),
    };
  }
}
