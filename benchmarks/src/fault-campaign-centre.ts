import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildCentrePaths, DuckdbSeriesStore, SqliteEventStore } from '@ngatu/cloud';
import { type Event, errorMessage, type Telemetry } from '@ngatu/contract';
import { SealTrust, verifyManifestSeal, verifyReceipt } from '@ngatu/trust';
import Database from 'better-sqlite3';
import type {
  CentreState,
  CommittedEvent,
  EvidenceState,
  LedgerInterval,
  OutboxState,
  Place,
} from './fault-campaign-record.ts';
import { listFiles } from './fault-file.ts';
import { WITNESS_METRIC } from './fault-node.ts';

/** Where an event happened, source pixels. */
export function placeOf({ frame, subject }: Pick<Event, 'frame' | 'subject'>): Place {
  const [x, y] = subject.groundPoint;
  const heightPx = (subject.box[3] - subject.box[1]) * frame.height;
  return { x: x * frame.width, y: y * frame.height, heightPx };
}

/** Roles that travel to the centre at once; the original stays on the node until somebody asks for it. */
const ORIGINAL_ROLE = 'clip';

/** The databases of a running centre, read as another process may. */
export class CentreReader implements Disposable {
  readonly #store: SqliteEventStore;
  readonly #database: Database.Database;

  constructor(cloud: string) {
    const { events } = buildCentrePaths(cloud);
    this.#store = SqliteEventStore.open(events);
    this.#database = new Database(events, { readonly: true });
  }

  /** Ids of the events of a node. */
  listEventIds(node: string): string[] {
    return this.#database
      .prepare<[string], { id: string }>('SELECT event_id AS id FROM event WHERE node = ? ORDER BY event_id')
      .all(node)
      .map(({ id }) => id);
  }

  /** True where the event is there with its manifest and every file that travels at once; one that was let pass has neither. */
  isComplete(eventId: string): boolean {
    const record = this.#store.getEvent(eventId);
    if (record?.event.letPass !== undefined) return true;
    return record?.evidence?.files.every(({ arrived, role }) => arrived || role === ORIGINAL_ROLE) ?? false;
  }

  readState(node: string): CentreState {
    const found = this.#store.listNodes().find((one) => one.node === node);
    const highest = this.#database
      .prepare<[string], { highest: number | null }>(
        `SELECT max(to_seq) AS highest FROM ledger_span WHERE outbox_id =
           (SELECT outbox_id FROM outbox WHERE node = ? ORDER BY ordinal DESC LIMIT 1)`,
      )
      .get(node)?.highest;
    const { committedThrough = 0, missing = [] } = found ?? {};
    return { committedThrough, highest: highest ?? 0, missing };
  }

  countDeadLetters(): number {
    return this.#store.countDeadLetters();
  }

  /** The ledger of the only camera, as rows: what the API gives out is summed up already, and a mistake in the sums would hide one in the rows. */
  listIntervals(): LedgerInterval[] {
    return this.#database
      .prepare<[], Omit<LedgerInterval, 'reason'> & { reason: string | null }>(
        'SELECT from_ms AS fromMs, to_ms AS toMs, state, reason FROM camera_interval ORDER BY from_ms',
      )
      .all()
      .map(({ reason, ...interval }) => ({ ...interval, ...(reason === null ? {} : { reason }) }));
  }

  /** @param files what lies on the disks of centre and node */
  async listCommitted(
    node: string,
    { files, trust }: { files: EvidenceOnDisk; trust: SealTrust },
  ): Promise<CommittedEvent[]> {
    const committed: CommittedEvent[] = [];
    for (const eventId of this.listEventIds(node)) {
      const record = this.#store.getEvent(eventId);
      if (record === undefined) continue;
      const { event, evidence } = record;
      const sealFault = evidence === undefined ? undefined : await this.#findSealFault(eventId, trust);
      const state: EvidenceState | undefined = evidence && {
        files: evidence.files.map(({ role, sha256 }) => ({ role, sha256, state: files.judge(role, sha256) })),
        missing: evidence.missing,
        ...(sealFault === undefined ? {} : { sealFault }),
      };
      committed.push({
        ...{ eventId, kind: event.kind, rule: event.rule, session: event.frame.session },
        capturedAtMs: Date.parse(event.capturedAt),
        ...placeOf(event),
        ...(state === undefined ? {} : { evidence: state }),
        ...(event.letPass === undefined ? {} : { letPass: true as const }),
      });
    }
    return committed;
  }

  /** Holes in the chains of manifests of a node. */
  listChainGaps(node: string): string[] {
    return this.#store.receipts
      .listChains()
      .filter((chain) => chain.node === node)
      .flatMap(({ chainId, gaps }) => gaps.map(({ from, to }) => `${from}–${to} of chain ${chainId}`));
  }

  /** Verified as anybody can who has the authority's certificate: the product's own judgement at arrival is not asked. */
  async #findSealFault(eventId: string, trust: SealTrust): Promise<string | undefined> {
    const sealed = this.#store.receipts.find(eventId);
    if (sealed === undefined) return 'it carries no seal that the centre has received';
    const { manifest, receipt } = sealed;
    try {
      await verifyManifestSeal(manifest, { trust, receivedAtMs: Date.parse(receipt.receivedAt) });
      await verifyReceipt(receipt, manifest, trust);
      return undefined;
    } catch (error) {
      return errorMessage(error);
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
    this.#store[Symbol.dispose]();
  }
}

/** Trusts whom the centre trusts. */
export function openSealTrust(cloud: string): SealTrust {
  return new SealTrust({ caPem: readFileSync(join(cloud, 'identity', 'ca.crt'), 'utf8') });
}

/** Every file that is named by a digest, on the disks of centre and node, with the digest that it has. */
export class EvidenceOnDisk {
  readonly #centre: ReadonlyMap<string, string>;
  readonly #node: ReadonlyMap<string, string>;

  constructor(folders: { cloud: string; edge: string }) {
    this.#centre = hashFiles(buildCentrePaths(folders.cloud).evidence);
    this.#node = hashFiles(join(folders.edge, 'evidence'));
  }

  judge(role: string, sha256: string): EvidenceState['files'][number]['state'] {
    const found = this.#centre.get(sha256) ?? (role === ORIGINAL_ROLE ? this.#node.get(sha256) : undefined);
    if (found === undefined) return 'not-arrived';
    return found === sha256 ? 'verified' : 'digest-differs';
  }
}

function hashFiles(folder: string): Map<string, string> {
  const named = listFiles(folder).filter(({ path }) => /^[0-9a-f]{64}$/.test(basename(path)));
  return new Map(
    named.map(({ path }) => [basename(path), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

/** What each database of a stopped product says of itself where that is not "ok". */
export function checkDatabases(files: readonly string[]): string[] {
  return files.flatMap((file) => {
    const database = new Database(file, { readonly: true });
    try {
      const verdict = database.pragma('integrity_check(1)', { simple: true });
      return verdict === 'ok' ? [] : [`${basename(file)}: ${String(verdict)}`];
    } finally {
      database.close();
    }
  });
}

/** How much the messages of the second node have counted, as the series store of a stopped centre has it. */
export async function sumWitnessCount(cloud: string): Promise<number> {
  const store = await DuckdbSeriesStore.open(buildCentrePaths(cloud).series);
  try {
    const dayMs = 24 * 3_600_000;
    const [from, to] = [-dayMs, dayMs].map((offset) => new Date(Date.now() + offset).toISOString());
    const period = { from: from ?? '', to: to ?? '', stepMs: dayMs };
    const lines = await store.query({ metric: WITNESS_METRIC, ...period, aggregate: 'sum' });
    return lines.flatMap(({ points }) => points).reduce((sum, { value }) => sum + value, 0);
  } finally {
    await store.close();
  }
}

function readWaiting(database: Database.Database): Pick<OutboxState, 'waiting' | 'intervals'> {
  const rows = database
    .prepare<[], { seq: number; channel: string; body: string }>(
      'SELECT seq, channel, body FROM entry ORDER BY seq',
    )
    .all()
    .map(({ body, ...entry }) => ({
      ...entry,
      ...(entry.channel === 'telemetry' ? { telemetry: JSON.parse(body) as Telemetry } : {}),
    }));
  return {
    waiting: rows.map(({ telemetry, ...entry }) => {
      const at = telemetry?.intervals[0]?.from ?? telemetry?.measurements[0]?.at;
      return { ...entry, ...(at === undefined ? {} : { atMs: Date.parse(at) }) };
    }),
    intervals: rows.flatMap(({ telemetry }) =>
      (telemetry?.intervals ?? []).map(({ from, to, state, reason }) => ({
        ...{ fromMs: Date.parse(from), toMs: Date.parse(to), state },
        ...(reason === undefined ? {} : { reason }),
      })),
    ),
  };
}

/** The outbox of a node that has stopped: while it runs it holds the file for itself. */
export function readOutbox(folder: string): OutboxState {
  const database = new Database(join(folder, 'outbox.sqlite'), { readonly: true });
  const count = (from: string) =>
    database.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${from}`).get()?.n ?? 0;
  const hasClass =
    database.prepare(`SELECT 1 FROM pragma_table_info('upload') WHERE name = 'class'`).get() !== undefined;
  try {
    return {
      lastSeq:
        database.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").get()
          ?.seq ?? 0,
      eventIds: database
        .prepare<[], { id: string }>('SELECT event_id AS id FROM recent_event ORDER BY ordinal')
        .all()
        .map(({ id }) => id),
      ...readWaiting(database),
      rejected: count('rejected'),
      evidenceJobs: count('evidence_job'),
      uploads: database
        .prepare<[], { sha256: string }>(
          `SELECT sha256 FROM upload${hasClass ? " WHERE class = 'derived'" : ''}`,
        )
        .all()
        .map(({ sha256 }) => sha256),
    };
  } finally {
    database.close();
  }
}
