import type { NodeState } from '@ngatu/contract';
import type Database from 'better-sqlite3';
import type { ConflictKind, NodeConflict } from './delivery-store.ts';

/** Starts of a node that are remembered: a statement of one of them that comes back late is old, or somebody else's. */
const BOOTS_KEPT = 1_000;

interface ConflictRow extends Omit<NodeConflict, 'certificates'> {
  readonly certificates: string | null;
}

interface Sighting {
  readonly site: string;
  readonly node: string;
  readonly kind: ConflictKind;
  readonly one: string;
  readonly other: string;
  readonly at: string;
  readonly certificates?: readonly string[];
}

/** What the nodes say of themselves, and who else says it. To be used inside a transaction of the caller where it writes. */
export class NodeRegister {
  readonly #state: Database.Statement<[string, string], { state: string }>;
  readonly #setState: Database.Statement<[string, string, string]>;
  readonly #states: Database.Statement<[], { site: string; node: string; state: string }>;
  readonly #isKnownBoot: Database.Statement<[string, string, string], { known: number }>;
  readonly #addBoot: Database.Statement<[string, string, string, string, string]>;
  readonly #pruneBoots: Database.Statement<[string, string, string, string, number]>;
  readonly #noteConflict: Database.Statement<(string | null)[]>;
  readonly #conflicts: Database.Statement<[string, string], ConflictRow>;
  readonly #countRecent: Database.Statement<[string], { total: number }>;

  constructor(database: Database.Database) {
    this.#state = database.prepare('SELECT state FROM node WHERE site = ? AND node = ?');
    this.#setState = database.prepare(
      'INSERT INTO node (site, node, state) VALUES (?, ?, ?) ON CONFLICT (site, node) DO UPDATE SET state = excluded.state',
    );
    this.#states = database.prepare('SELECT site, node, state FROM node ORDER BY site, node');
    this.#isKnownBoot = database.prepare(
      'SELECT 1 AS known FROM node_boot WHERE site = ? AND node = ? AND boot_id = ?',
    );
    this.#addBoot = database.prepare(
      `INSERT OR IGNORE INTO node_boot (site, node, boot_id, ordinal)
         SELECT ?, ?, ?, coalesce(max(ordinal), 0) + 1 FROM node_boot WHERE site = ? AND node = ?`,
    );
    this.#pruneBoots = database.prepare(
      `DELETE FROM node_boot WHERE site = ? AND node = ? AND ordinal <=
         (SELECT max(ordinal) FROM node_boot WHERE site = ? AND node = ?) - ?`,
    );
    this.#noteConflict = database.prepare(
      `INSERT INTO node_conflict (site, node, kind, one, other, certificates, first_at, last_at, sightings)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
         ON CONFLICT (site, node, kind, one, other) DO UPDATE SET last_at = excluded.last_at, sightings = sightings + 1,
           certificates = coalesce(excluded.certificates, certificates)`,
    );
    this.#conflicts = database.prepare(
      `SELECT kind, one, other, certificates, first_at AS firstAt, last_at AS lastAt, sightings FROM node_conflict
         WHERE site = ? AND node = ? ORDER BY last_at DESC LIMIT 20`,
    );
    this.#countRecent = database.prepare('SELECT count(*) AS total FROM node_conflict WHERE last_at >= ?');
  }

  /**
   * Takes a statement, unless it is older than what is known: a will that the broker published late, a repetition. A start that comes back
   * after another one has spoken, with news, is a second machine under this name.
   */
  take(site: string, node: string, state: NodeState, at: string): void {
    const known = this.read(site, node);
    if (known !== undefined && this.#isStale(site, node, state, known)) return;
    const isOther = known !== undefined && known.bootId !== state.bootId;
    if (isOther && state.state === 'online' && this.#knowsBoot(site, node, state.bootId)) {
      const certificates = [known.certificateSha256, state.certificateSha256].filter(
        (one) => one !== undefined,
      );
      this.noteConflict({
        ...{ site, node, kind: 'two-agents', one: known.bootId, other: state.bootId, at },
        ...(new Set(certificates).size > 1 ? { certificates } : {}),
      });
    }
    this.#addBoot.run(site, node, state.bootId, site, node);
    this.#pruneBoots.run(site, node, site, node, BOOTS_KEPT);
    this.#setState.run(site, node, JSON.stringify(state));
  }

  read(site: string, node: string): NodeState | undefined {
    const row = this.#state.get(site, node);
    return row === undefined ? undefined : (JSON.parse(row.state) as NodeState);
  }

  list(): { site: string; node: string; state: NodeState }[] {
    return this.#states
      .all()
      .map(({ site, node, state }) => ({ site, node, state: JSON.parse(state) as NodeState }));
  }

  noteConflict({ site, node, kind, one, other, at, certificates }: Sighting): void {
    // The pair has no order: seen from either side it is one conflict.
    const [first, second] = one < other ? [one, other] : [other, one];
    const list = certificates === undefined ? null : JSON.stringify(certificates);
    this.#noteConflict.run(site, node, kind, first, second, list, at, at);
  }

  listConflicts(site: string, node: string): NodeConflict[] {
    return this.#conflicts.all(site, node).map(({ certificates, ...conflict }) => ({
      ...conflict,
      ...(certificates === null ? {} : { certificates: JSON.parse(certificates) as string[] }),
    }));
  }

  countConflictsSince(at: string): number {
    return this.#countRecent.get(at)?.total ?? 0;
  }

  #isStale(site: string, node: string, state: NodeState, known: NodeState): boolean {
    if (state.bootId !== known.bootId) {
      // A will of an earlier start says nothing of the one that runs now.
      if (state.state === 'offline' && known.state === 'online') return true;
      return state.at < known.at && this.#knowsBoot(site, node, state.bootId);
    }
    if (state.state === 'online') return state.at < known.at;
    // A will bears the time of its connection; that of an earlier connection came late, or was played again.
    return (state.connectedAt ?? state.at) < (known.connectedAt ?? '');
  }

  #knowsBoot(site: string, node: string, bootId: string): boolean {
    return this.#isKnownBoot.get(site, node, bootId) !== undefined;
  }
}
