import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type {
  CameraInterval,
  Event,
  EvidenceFile,
  EvidenceManifest,
  PlateFinding,
  Readiness,
} from '@ngatu/contract';
import { pino } from 'pino';
import { openAccess } from '../account/access.ts';
import { openAccountDatabase } from '../account/account-database.ts';
import { AuditAnchor } from '../account/audit-anchor.ts';
import { verifyAuditTrail } from '../account/audit-verification.ts';
import type { Argon2Cost } from '../account/password.ts';
import type { Role } from '../account/role.ts';
import { FolderEvidenceStore } from '../store/folder-evidence-store.ts';
import { RemoteSeriesStore } from '../store/remote-series-store.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';
import type { ApiDeps } from './api-app.ts';

/** Builders and a whole centre in a temporary folder, for tests. */

/** The cheapest that argon2 takes: a test of something else need not wait for it. */
export const TEST_PASSWORD_COST: Argon2Cost = { memoryCost: 8, timeCost: 1, parallelism: 1 };

export const TEST_SITE = { site: 'hanoi', node: 'gate-1' } as const;
const OUTBOX_ID = '6f1c2f5e-6a57-4b61-9b40-3e0d6f9d2a11';
const DIGEST = 'a'.repeat(64);

/** The id of the nth test event. */
export function eventIdOf(number: number): string {
  return `ev-${number.toString(16).padStart(32, '0')}`;
}

/** A red light case; `number` makes its id. */
export function anEvent(number: number, changes: Partial<Event> = {}): Event {
  return {
    schemaVersion: 1,
    eventId: eventIdOf(number),
    kind: 'RED_LIGHT',
    ...TEST_SITE,
    camera: 'junction-north',
    rule: 'red-light-north',
    capturedAt: new Date(Date.UTC(2025, 10, 22, 3, 0, number)).toISOString(),
    clockErrorMs: 40,
    frame: { session: 'session-1', index: 250 + number, mediaTimeMs: 10_000, width: 1280, height: 720 },
    model: { name: 'yolox-nano', sha256: DIGEST },
    sceneSha256: 'b'.repeat(64),
    subject: {
      trackId: 7,
      label: 'motorbike',
      confidence: 0.83,
      box: [0.42, 0.4, 0.55, 0.72],
      groundPoint: [0.485, 0.72],
      occupants: [{ box: [0.44, 0.36, 0.53, 0.6], confidence: 0.7 }],
    },
    signal: { state: 'red', sinceMs: 4_200, confidence: 0.97 },
    alternatives: ['STOP_LINE'],
    measures: {
      crossedAtMediaMs: 10_000,
      redBeforeCrossingMs: 4_200,
      rearBeyondLinePx: 31.5,
      rearErrorPx: 6.2,
    },
    explanation: {
      vi: 'Xe máy đi qua vạch dừng khi đèn đã đỏ được 4,2 giây và đi tiếp vào giao lộ.',
      en: 'The motorbike crossed the stop line 4.2 s after the light turned red and went on into the junction.',
    },
    ...changes,
  };
}

/** The evidence file that `bytes` make. */
export function anEvidenceFile(bytes: Uint8Array, changes: Partial<EvidenceFile> = {}): EvidenceFile {
  return {
    role: 'still-at',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.byteLength,
    mediaType: 'image/jpeg',
    capturedAt: '2025-11-22T03:00:00.000Z',
    width: 1280,
    height: 720,
    ...changes,
  };
}

/** Drawn, nobody's. */
export const PLATE = '99Z99999';

/** What a node says that it read of `PLATE`. */
export function aPlateFinding(changes: Partial<PlateFinding> = {}): PlateFinding {
  const characters = [...PLATE].map((character, index) => ({
    character,
    confidence: 0.99,
    alternatives: index === 0 ? [{ character: '8', confidence: 0.01 }] : [],
  }));
  return {
    ...{ state: 'read', text: PLATE, shown: '99Z-999.99', confidence: 0.98, characters },
    alternatives: [{ text: '89Z99999', confidence: 0.01 }],
    ...{ format: 'test-format', frames: 8, looks: 5, models: [{ name: 'test-reader', sha256: DIGEST }] },
    seen: { capturedAt: '2025-11-22T03:00:00.000Z', box: [0.46, 0.6, 0.51, 0.65] },
    ...changes,
  };
}

/** Stores in a temporary folder with the ways in which the ingestor fills them. */
export interface TestCentre extends AsyncDisposable {
  readonly dataDir: string;
  readonly deps: ApiDeps;
  readonly events: SqliteEventStore;
  /** The clock of the API; set it to move time. */
  readonly clock: { nowMs: number };
  commitEvent(event: Event): void;
  commitManifest(
    event: Event,
    files: readonly EvidenceFile[],
    rest?: Partial<Pick<EvidenceManifest, 'missing' | 'plate'>>,
  ): void;
  commitIntervals(camera: string, intervals: readonly CameraInterval[]): void;
  commitReadiness(camera: string, readiness: Readiness): void;
  storeFile(bytes: Uint8Array): Promise<string>;
  /** An account with one role; it sees everything where no areas are named. */
  addAccount(username: string, role: Role, passwordHash: string, areas?: readonly string[]): void;
}

/** Numbers messages and commits them as the ingestor does. */
class TestOutbox {
  private seq = 0;

  constructor(
    private readonly events: SqliteEventStore,
    private readonly clock: { nowMs: number },
  ) {}

  commit(message: Parameters<SqliteEventStore['commit']>[0][number]['message']): void {
    this.seq += 1;
    const item = { ...TEST_SITE, outboxId: OUTBOX_ID, seq: this.seq, message };
    const [outcome] = this.events.commit([item], new Date(this.clock.nowMs).toISOString());
    if (outcome?.outcome !== 'committed') throw new Error(`not committed: ${JSON.stringify(outcome)}`);
  }
}

export async function openTestCentre(
  options: { dataDir?: string; nowMs?: number } = {},
): Promise<TestCentre> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'ngatu-api-')));
  const clock = { nowMs: options.nowMs ?? Date.UTC(2025, 10, 22, 4, 0, 0) };
  const now = () => clock.nowMs;
  const events = SqliteEventStore.open(join(dataDir, 'events.sqlite'));
  const evidence = await FolderEvidenceStore.open(join(dataDir, 'evidence'));
  // Nobody listens on port 1: a test of the series brings its own store.
  const series = new RemoteSeriesStore('http://127.0.0.1:1', 'token');
  const database = openAccountDatabase(join(dataDir, 'accounts.sqlite'));
  const access = openAccess(database, now);
  const anchor = new AuditAnchor(dataDir);
  const outbox = new TestOutbox(events, clock);
  const deps: ApiDeps = {
    events,
    evidence,
    series,
    ...access,
    verifyAudit: () => verifyAuditTrail(database, anchor),
    passwordCost: TEST_PASSWORD_COST,
    logger: pino({ level: 'silent' }),
    now,
  };
  return {
    dataDir,
    deps,
    events,
    clock,
    commitEvent: (event) => outbox.commit({ channel: 'event', body: event }),
    commitManifest: (event, files, rest = {}) => {
      const { eventId, site, node, camera, capturedAt: createdAt } = event;
      const head = { schemaVersion: 1, eventId, site, node, camera, createdAt } as const;
      outbox.commit({ channel: 'evidence', body: { ...head, files: [...files], missing: [], ...rest } });
    },
    commitIntervals: (camera, intervals) => {
      const head = { schemaVersion: 1, ...TEST_SITE, camera } as const;
      outbox.commit({ channel: 'telemetry', body: { ...head, intervals: [...intervals], measurements: [] } });
    },
    commitReadiness: (camera, readiness) => {
      const head = { schemaVersion: 1, ...TEST_SITE, camera } as const;
      outbox.commit({ channel: 'telemetry', body: { ...head, intervals: [], measurements: [], readiness } });
    },
    storeFile: async (bytes) => {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      await evidence.put(sha256, Readable.from([Buffer.from(bytes)]));
      events.markEvidenceArrived(sha256, new Date(clock.nowMs).toISOString());
      return sha256;
    },
    addAccount: (username, role, passwordHash, areas) => {
      access.accounts.createAccount({ username, roles: [role], areas: areas ?? 'all', passwordHash });
    },
    [Symbol.asyncDispose]: async () => {
      events[Symbol.dispose]();
      database.close();
      await series.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
