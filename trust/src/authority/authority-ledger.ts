import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { errorMessage, findSchemaIssues, NgatuError, Sha256, Timestamp } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import { asFileError, readFileIfThere } from './private-file.ts';

/** Why a certificate ends before its time (RFC 5280 section 5.3.1). */
export const REVOCATION_REASONS = [
  'keyCompromise',
  'superseded',
  'cessationOfOperation',
  'privilegeWithdrawn',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

const SerialNumber = Type.String({ pattern: '^[0-9a-f]{2,40}$' });

const common = {
  schemaVersion: Type.Literal(1),
  at: Timestamp,
  /** SHA-256 of the line before, without its line break; of nothing for the first. */
  previous: Sha256,
  /** Account of the operating system that did it. */
  by: Type.String({ maxLength: 256 }),
};

const LedgerEntry = Type.Union([
  Type.Object(
    { ...common, action: Type.Literal('begun'), name: Type.String(), sha256: Sha256 },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      ...common,
      action: Type.Literal('issued'),
      serialNumber: SerialNumber,
      holder: Type.String({ description: 'URI of the holder.' }),
      kind: Type.Union([Type.Literal('tls'), Type.Literal('seal')]),
      notBefore: Timestamp,
      notAfter: Timestamp,
      sha256: Sha256,
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      ...common,
      action: Type.Literal('revoked'),
      serialNumber: SerialNumber,
      reason: Type.Union(REVOCATION_REASONS.map((reason) => Type.Literal(reason))),
    },
    { additionalProperties: false },
  ),
]);
type LedgerEntry = Static<typeof LedgerEntry>;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An entry without what the ledger adds. */
export type LedgerFact = DistributiveOmit<LedgerEntry, 'schemaVersion' | 'previous' | 'by'>;

export type IssuedEntry = Extract<LedgerEntry, { action: 'issued' }>;
export type RevokedEntry = Extract<LedgerEntry, { action: 'revoked' }>;

/**
 * What an authority has issued and revoked, one line each, appended before it takes effect. Each line names the digest of the one
 * before: a line that was changed or taken out is found when the file is read. It is the authority's only memory.
 */
export class AuthorityLedger {
  readonly #file: string;
  readonly #by: string;
  readonly #entries: LedgerEntry[];
  #lastDigest: string;
  /** Length of what counts, where a power cut left part of a line behind it, bytes. */
  #wholeBytes: number | undefined;

  private constructor(file: string, by: string) {
    this.#file = file;
    this.#by = by;
    this.#entries = [];
    this.#lastDigest = digest('');
  }

  /** @throws NgatuError AUTHORITY_INVALID, PERMISSION_DENIED */
  static open(file: string, by: string): AuthorityLedger {
    const text = readFileIfThere(file) ?? '';
    const ledger = new AuthorityLedger(file, by);
    // What a power cut left of a last line never took effect.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole !== text) ledger.#wholeBytes = Buffer.byteLength(whole);
    for (const [index, line] of whole.split('\n').slice(0, -1).entries()) {
      const entry = decodeEntry(line, `${file}, line ${index + 1}`);
      if (entry.previous !== ledger.#lastDigest) {
        throw new NgatuError(
          'AUTHORITY_INVALID',
          `Cannot trust ${file}: line ${index + 1} does not continue the one before; lines were changed or taken out`,
        );
      }
      ledger.#entries.push(entry);
      ledger.#lastDigest = digest(line);
    }
    return ledger;
  }

  /** Appends on the disk, then in memory. @throws NgatuError PERMISSION_DENIED, DISK_FULL */
  append(fact: LedgerFact): void {
    const entry = {
      schemaVersion: 1,
      previous: this.#lastDigest,
      by: this.#by,
      ...fact,
    } as LedgerEntry;
    const line = JSON.stringify(entry);
    try {
      if (this.#wholeBytes !== undefined) truncateSync(this.#file, this.#wholeBytes);
      this.#wholeBytes = undefined;
      const handle = openSync(this.#file, 'a', 0o600);
      try {
        writeFileSync(handle, `${line}\n`);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
    } catch (error) {
      throw asFileError(error, `write "${this.#file}"`);
    }
    this.#entries.push(entry);
    this.#lastDigest = digest(line);
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** In the order of issue. */
  listIssued(): IssuedEntry[] {
    return this.#entries.filter((entry) => entry.action === 'issued');
  }

  /** In the order of revocation, each certificate once. */
  listRevoked(): RevokedEntry[] {
    return this.#entries.filter((entry) => entry.action === 'revoked');
  }
}

function digest(line: string): string {
  return createHash('sha256').update(line).digest('hex');
}

/** @throws NgatuError AUTHORITY_INVALID */
function decodeEntry(line: string, where: string): LedgerEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new NgatuError('AUTHORITY_INVALID', `Cannot read ${where}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const [issue] = findSchemaIssues(LedgerEntry, value, 1);
  if (issue === undefined) return value as LedgerEntry;
  throw new NgatuError('AUTHORITY_INVALID', `Cannot read ${where}: ${issue.path}: ${issue.reason}`);
}
