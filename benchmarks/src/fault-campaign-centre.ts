import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCentrePaths, SqliteEventStore } from '@ngatu/cloud';
import type { Event } from '@ngatu/contract';
import { NgatuError } from '@ngatu/contract';
import Database from 'better-sqlite3';
import type {
  CampaignRecord,
  CommittedEvent,
  EvidenceState,
  LedgerInterval,
  OutboxState,
  Place,
} from './fault-campaign-record.ts';

const PAGE = 200;

/** Where an event happened, source pixels. */
export function placeOf({ frame, subject }: Pick<Event, 'frame' | 'subject'>): Place {
  const [x, y] = subject.groundPoint;
  const heightPx = (subject.box[3] - subject.box[1]) * frame.height;
  return { x: x * frame.width, y: y * frame.height, heightPx };
}

/** The event store of a running product, read as another process may. */
export class CentreReader implements Disposable {
  readonly #store: SqliteEventStore;

  constructor(data: string) {
    this.#store = SqliteEventStore.open(buildCentrePaths(join(data, 'cloud')).events);
  }

  listEventIds(): string[] {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = this.#store.listEvents({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      ids.push(...page.items.map(({ eventId }) => eventId));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return ids;
  }

  /** True where the event, its manifest and every announced file are there. */
  isComplete(eventId: string): boolean {
    const files = this.#store.getEvent(eventId)?.evidence?.files;
    return files?.every(({ arrived }) => arrived) ?? false;
  }

  readDelivery(): CampaignRecord['centre'] {
    const [node] = this.#store.listNodes();
    const deadLetters = this.#store.countDeadLetters();
    return { committedThrough: node?.committedThrough ?? 0, missing: node?.missing ?? [], deadLetters };
  }

  /** @param verify tells whether the centre gives out an announced file as it was announced */
  async listCommitted(verify: (sha256: string) => Promise<boolean>): Promise<CommittedEvent[]> {
    const committed: CommittedEvent[] = [];
    for (const eventId of this.listEventIds()) {
      const record = this.#store.getEvent(eventId);
      if (record === undefined) continue;
      const { event, evidence } = record;
      let state: EvidenceState | undefined;
      if (evidence !== undefined) {
        const files: EvidenceState['files'][number][] = [];
        for (const { role, sha256, arrived } of evidence.files) {
          const judged = !arrived ? 'not-arrived' : (await verify(sha256)) ? 'verified' : 'digest-differs';
          files.push({ role, sha256, state: judged });
        }
        state = { files, missing: evidence.missing };
      }
      committed.push({
        ...{ eventId, kind: event.kind, rule: event.rule, session: event.frame.session },
        capturedAtMs: Date.parse(event.capturedAt),
        ...placeOf(event),
        ...(state === undefined ? {} : { evidence: state }),
      });
    }
    return committed;
  }

  [Symbol.dispose](): void {
    this.#store[Symbol.dispose]();
  }
}

/**
 * The ledger of the only camera as it lies in the centre's database. Read as rows: what the API gives out is summed up
 * already, and a mistake in the sums would hide one in the rows.
 */
export function readIntervals(data: string): LedgerInterval[] {
  const database = new Database(buildCentrePaths(join(data, 'cloud')).events, { readonly: true });
  try {
    return database
      .prepare<[], Omit<LedgerInterval, 'reason'> & { reason: string | null }>(
        'SELECT from_ms AS fromMs, to_ms AS toMs, state, reason FROM camera_interval ORDER BY from_ms',
      )
      .all()
      .map(({ reason, ...interval }) => ({ ...interval, ...(reason === null ? {} : { reason }) }));
  } finally {
    database.close();
  }
}

/** The outbox of a node that has stopped: while it runs it holds the file for itself. */
export function readOutbox(data: string): OutboxState {
  const database = new Database(join(data, 'edge', 'outbox.sqlite'), { readonly: true });
  const count = (table: string) =>
    database.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
  try {
    return {
      lastSeq:
        database.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").get()
          ?.seq ?? 0,
      eventIds: database
        .prepare<[], { id: string }>('SELECT event_id AS id FROM recent_event ORDER BY ordinal')
        .all()
        .map(({ id }) => id),
      waiting: database
        .prepare<[], { seq: number; channel: string }>('SELECT seq, channel FROM entry ORDER BY seq')
        .all(),
      rejected: count('rejected'),
      evidenceJobs: count('evidence_job'),
      uploads: count('upload'),
    };
  } finally {
    database.close();
  }
}

/**
 * Signs in at the console's API with the first account and returns a function that fetches an evidence file and says
 * whether its bytes have the digest by which it was asked for.
 * @throws NgatuError CREDENTIALS_INVALID
 */
export async function openEvidenceCheck(
  url: string,
  data: string,
  signal: AbortSignal,
): Promise<(sha256: string) => Promise<boolean>> {
  const secret = readFileSync(join(data, 'cloud', 'first-sign-in.txt'), 'utf8');
  const find = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(secret)?.[1];
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ username: find('username'), password: find('password') }),
    signal,
  });
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0];
  if (!answer.ok || cookie === undefined) {
    throw new NgatuError('CREDENTIALS_INVALID', `Cannot sign in at ${url}: it answered ${answer.status}`);
  }
  return async (sha256) => {
    const file = await fetch(`${url}/api/v1/evidence/${sha256}`, { headers: { cookie }, signal });
    if (!file.ok || file.body === null) return false;
    const hash = createHash('sha256');
    for await (const chunk of file.body) hash.update(chunk);
    return hash.digest('hex') === sha256;
  };
}
