import type { EvidenceReceipt } from '@ngatu/contract';
import { type ChainLink, findLinkFault, isSealed, type SealedManifest, toChainLink } from '@ngatu/trust';
import type Database from 'better-sqlite3';
import type { CommitOutcome } from './event-store.ts';
import type { ChainGap, ChainRecord, ReceiptStore, SealRecord } from './receipt-store.ts';

type Refusal = Extract<CommitOutcome, { outcome: 'rejected' }>;

interface ChainRow {
  readonly site: string;
  readonly node: string;
  readonly chainId: string;
  readonly firstReceivedAt: string;
  readonly links: number;
  readonly lastSeq: number;
}

const GAPS_LISTED = 100;
const CHAINS_LISTED = 1_000;

const LINK = `chain_id AS chainId, chain_seq AS chainSeq, site, node, manifest_sha256 AS manifestSha256,
  previous_sha256 AS previousManifestSha256`;
const CHAIN = `SELECT site, node, chain_id AS chainId, min(received_at) AS firstReceivedAt, count(*) AS links,
  max(chain_seq) AS lastSeq FROM evidence_link`;

/** Sealed manifests in SQLite. `admit` belongs inside the transaction that writes the manifest. */
export class SqliteReceiptStore implements ReceiptStore {
  readonly #link: Database.Statement<[string, number], ChainLink>;
  readonly #anyLink: Database.Statement<[string], ChainLink>;
  readonly #insert: Database.Statement<(string | number | null)[]>;
  readonly #byEvent: Database.Statement<[string], { receipt: string; body: string; chainId: string }>;
  readonly #chain: Database.Statement<[string], ChainRow>;
  readonly #chains: Database.Statement<[string | null, string | null], ChainRow>;
  readonly #gaps: Database.Statement<[string, number], ChainGap>;

  constructor(database: Database.Database) {
    this.#link = database.prepare(`SELECT ${LINK} FROM evidence_link WHERE chain_id = ? AND chain_seq = ?`);
    this.#anyLink = database.prepare(`SELECT ${LINK} FROM evidence_link WHERE chain_id = ? LIMIT 1`);
    this.#insert = database.prepare(
      `INSERT INTO evidence_link (chain_id, chain_seq, site, node, event_id, manifest_sha256, previous_sha256, received_at, receipt)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#byEvent = database.prepare(
      `SELECT receipt, body, chain_id AS chainId FROM evidence_link JOIN evidence USING (event_id) WHERE event_id = ?`,
    );
    this.#chain = database.prepare(`${CHAIN} WHERE chain_id = ? GROUP BY chain_id`);
    this.#chains = database.prepare(
      `${CHAIN} WHERE ? IS NULL OR site IN (SELECT value FROM json_each(?)) GROUP BY chain_id
         ORDER BY firstReceivedAt DESC LIMIT ${CHAINS_LISTED}`,
    );
    this.#gaps = database.prepare(
      `SELECT before + 1 AS "from", chain_seq - 1 AS "to" FROM (
         SELECT chain_seq, lag(chain_seq, 1, 0) OVER (ORDER BY chain_seq) AS before FROM evidence_link WHERE chain_id = ?
       ) WHERE chain_seq > before + 1 ORDER BY chain_seq LIMIT ?`,
    );
  }

  /** Takes a manifest into its chain, or says why it cannot stand there. */
  admit(manifest: SealedManifest, receipt: EvidenceReceipt): Refusal | undefined {
    const link = toChainLink(manifest);
    const { chainId, chainSeq, site, node, manifestSha256, previousManifestSha256 } = link;
    const fault = this.#findFault(link);
    if (fault !== undefined)
      return {
        outcome: 'rejected',
        code: 'CHAIN_CONFLICT',
        reason: `link ${chainSeq} of chain ${chainId} is ${fault}`,
      };
    const { eventId, receivedAt } = receipt;
    const names = [chainId, chainSeq, site, node, eventId, manifestSha256, previousManifestSha256];
    this.#insert.run(...names, receivedAt, JSON.stringify(receipt));
    return undefined;
  }

  /**
   * Keeps the place of a manifest whose event has evidence already: a node that lost the end of its outbox seals a case again. What
   * it seals after that refers to it, and its chain must not look as if something had been taken out.
   */
  admitRepetition(manifest: SealedManifest, receivedAt: string): void {
    const link = toChainLink(manifest);
    if (this.#findFault(link) !== undefined) return;
    const { chainId, chainSeq, site, node, manifestSha256, previousManifestSha256 } = link;
    const names = [chainId, chainSeq, site, node, `repetition:${manifestSha256}`, manifestSha256];
    this.#insert.run(...names, previousManifestSha256, receivedAt, '{}');
  }

  #findFault(link: ChainLink): ReturnType<typeof findLinkFault> {
    const { chainId, chainSeq } = link;
    return findLinkFault(link, {
      ...present('same', this.#link.get(chainId, chainSeq)),
      ...present('before', this.#link.get(chainId, chainSeq - 1)),
      ...present('after', this.#link.get(chainId, chainSeq + 1)),
      ...present('any', this.#anyLink.get(chainId)),
    });
  }

  find(eventId: string): SealRecord | undefined {
    const row = this.#byEvent.get(eventId);
    const chain = row && this.#chain.get(row.chainId);
    if (row === undefined || chain === undefined) return undefined;
    const manifest = JSON.parse(row.body);
    if (!isSealed(manifest)) return undefined;
    return { manifest, receipt: JSON.parse(row.receipt), chain: this.#describe(chain) };
  }

  listChains(sites?: readonly string[]): ChainRecord[] {
    const filter = sites === undefined ? null : JSON.stringify(sites);
    return this.#chains.all(filter, filter).map((row) => this.#describe(row));
  }

  #describe(row: ChainRow): ChainRecord {
    const isWhole = row.links === row.lastSeq;
    return { ...row, gaps: isWhole ? [] : this.#gaps.all(row.chainId, GAPS_LISTED) };
  }
}

function present<K extends string>(name: K, link: ChainLink | undefined): Partial<Record<K, ChainLink>> {
  return link === undefined ? {} : ({ [name]: link } as Partial<Record<K, ChainLink>>);
}
