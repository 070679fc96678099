import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { dirname, join } from 'node:path';
import { buildEvidencePath, EVIDENCE_MAX_BYTES, type EvidenceManifest } from '@ngatu/contract';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqliteEventStore } from '../cloud/src/store/sqlite-event-store.ts';
import type { Outbox } from '../edge/src/outbox/outbox.ts';
import { runEvidenceUpload } from '../edge/src/uplink/evidence-upload.ts';
import { DeliveryRig, NODE_TOKEN } from './delivery/delivery-rig.ts';
import { until } from './delivery/loopback-broker.ts';
import { aManifest, anEvent, anEventId, sha256Of } from './delivery/message-builder.ts';

let rig: DeliveryRig;
let outbox: Outbox;
let store: SqliteEventStore;
let key = 0;

beforeAll(async () => {
  rig = await DeliveryRig.open();
  await rig.startIngestor();
  await rig.untilConnected();
  outbox = rig.openOutbox();
  rig.startUplink(outbox);
  store = rig.openEvents();
});
afterAll(() => rig.close());

/** Appends an event with a manifest of `content` and waits until the centre has committed both. */
async function announce(
  content: Buffer,
  change: Partial<EvidenceManifest> = {},
): Promise<{ eventId: string; sha256: string }> {
  key++;
  const body = aManifest(key, content, change);
  outbox.append([
    { channel: 'event', body: anEvent(key) },
    { channel: 'evidence', body },
  ]);
  await until('the manifest is committed', () => outbox.pending().entries === 0);
  return { eventId: anEventId(key), sha256: sha256Of(content) };
}

interface Answer {
  readonly status: number;
  readonly code?: string;
}

async function put(sha256: string, body: Buffer, token = NODE_TOKEN): Promise<Answer> {
  const response = await fetch(rig.ingestorUrl + buildEvidencePath(sha256), {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(body),
  });
  const answer = (await response.json()) as { code?: string };
  return answer.code === undefined
    ? { status: response.status }
    : { status: response.status, code: answer.code };
}

async function head(sha256: string): Promise<number> {
  const headers = { authorization: `Bearer ${NODE_TOKEN}` };
  return (await fetch(rig.ingestorUrl + buildEvidencePath(sha256), { method: 'HEAD', headers })).status;
}

const hasArrived = (eventId: string) => store.getEvent(eventId)?.evidence?.files[0]?.arrived;
const storedFile = (sha256: string) => join(rig.dataDir, 'evidence', sha256.slice(0, 2), sha256);
const partials = () => readdirSync(join(rig.dataDir, 'evidence', 'partial'));

it('takes an announced file once and marks its arrival', async () => {
  const content = randomBytes(100_000);
  const { eventId, sha256 } = await announce(content);
  expect(hasArrived(eventId)).toBe(false);
  expect(await head(sha256)).toBe(404);
  expect(await put(sha256, content)).toEqual({ status: 201 });
  expect(hasArrived(eventId)).toBe(true);
  expect(await head(sha256)).toBe(200);
  expect(await put(sha256, content)).toEqual({ status: 200 });
});

it('refuses files that nobody announced, strangers, and paths that are no digest', async () => {
  const content = randomBytes(100);
  expect(await put(sha256Of(content), content)).toEqual({ status: 409, code: 'EVIDENCE_UNKNOWN' });
  const { sha256 } = await announce(content);
  expect(await put(sha256, content, 'wrong')).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
  expect(await put('..%2f..%2fetc%2fpasswd', content)).toEqual({ status: 400, code: 'REQUEST_INVALID' });
  expect(existsSync(storedFile(sha256))).toBe(false);
});

it('keeps nothing of bytes with another digest', async () => {
  const { eventId, sha256 } = await announce(randomBytes(100));
  expect(await put(sha256, randomBytes(100))).toEqual({ status: 422, code: 'EVIDENCE_DIGEST_MISMATCH' });
  expect([hasArrived(eventId), existsSync(storedFile(sha256)), partials()]).toEqual([false, false, []]);
});

interface ZeroUpload {
  readonly sizeBytes: number;
  /** Whether the length is named before the bytes come. */
  readonly named: boolean;
  /** Then the sender stands still. */
  readonly stopAfterBytes?: number;
}

/** Sends zeros; the answer is the status, or that the connection broke. */
function sendZeros(
  sha256: string,
  upload: ZeroUpload,
): { answer: Promise<number | 'broken'>; breakOff: () => void } {
  const { sizeBytes, named, stopAfterBytes = Number.POSITIVE_INFINITY } = upload;
  const sending = request(rig.ingestorUrl + buildEvidencePath(sha256), {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${NODE_TOKEN}`,
      'content-type': 'application/octet-stream',
      ...(named ? { 'content-length': sizeBytes } : {}),
    },
  });
  const answer = new Promise<number | 'broken'>((resolve) => {
    sending.once('response', (response: IncomingMessage) => resolve(response.statusCode ?? 0));
    sending.once('error', () => resolve('broken'));
  });
  const chunk = Buffer.alloc(1024 * 1024);
  let sent = 0;
  const send = (): void => {
    if (sending.destroyed || sent >= stopAfterBytes) return;
    if (sent >= sizeBytes) {
      sending.end();
      return;
    }
    const part = chunk.subarray(0, Math.min(chunk.length, sizeBytes - sent));
    sent += part.length;
    sending.write(part, send);
  };
  send();
  return { answer, breakOff: () => sending.destroy() };
}

it.each([
  ['that says so', true],
  ['that does not say so', false],
])('keeps nothing of a file that is too large (%s)', async (_name, named) => {
  const { sha256 } = await announce(randomBytes(50));
  const answer = await sendZeros(sha256, { sizeBytes: EVIDENCE_MAX_BYTES + 1, named }).answer;
  // A sender that is still busy may see its connection end before it reads the answer.
  expect([413, 'broken']).toContain(answer);
  await until('nothing is left', () => partials().length === 0);
  expect(existsSync(storedFile(sha256))).toBe(false);
});

it('keeps nothing of an upload that breaks off, and takes it whole afterwards', async () => {
  const content = randomBytes(3 * 1024 * 1024);
  const { sha256 } = await announce(content);
  const broken = sendZeros(sha256, { sizeBytes: content.length, named: true, stopAfterBytes: 1024 * 1024 });
  await until('it has begun', () => partials().length === 1);
  broken.breakOff();
  expect(await broken.answer).toBe('broken');
  await until('nothing is left', () => partials().length === 0);
  expect(existsSync(storedFile(sha256))).toBe(false);
  expect(await put(sha256, content)).toEqual({ status: 201 });
});

it('goes by itself from the node, waits for its manifest, and leaves the queue only when it has arrived', async () => {
  const dead = randomBytes(20_000);
  const gone = randomBytes(20);
  const content = randomBytes(2_000_000);
  const paths = [dead, gone, content].map((bytes) => join(rig.folder, `${sha256Of(bytes)}.bin`));
  for (const [index, bytes] of [dead, gone, content].entries()) writeFileSync(paths[index] ?? '', bytes);
  rmSync(paths[1] ?? '');
  const upload = (bytes: Buffer, index: number) => {
    return { sha256: sha256Of(bytes), path: paths[index] ?? '', sizeBytes: bytes.length };
  };
  const stop = new AbortController();
  const running = runEvidenceUpload(
    {
      queue: outbox,
      url: rig.ingestorUrl,
      token: NODE_TOKEN,
      logger: pino({ level: 'silent' }),
      clock: { monotonicMs: () => performance.now() },
      random: Math.random,
    },
    stop.signal,
  );
  // The first waits for its manifest and must not hold up the others.
  outbox.append([], { uploads: [upload(dead, 0), upload(gone, 1), upload(content, 2)] });
  const { eventId } = await announce(content);
  await until('the announced file has arrived', () => hasArrived(eventId) === true);
  await until('only the unannounced one waits', () => outbox.pending().uploadsPending === 1);
  expect(outbox.pending().uploadsRefused).toBe(1);
  expect(outbox.listUploads(9).map(({ sha256 }) => sha256)).toEqual([sha256Of(dead)]);
  const late = await announce(dead);
  await until('the late one has arrived', () => hasArrived(late.eventId) === true);
  await until('none waits', () => outbox.pending().uploadsPending === 0);
  stop.abort();
  await running;
});

it('survives a kill of the ingestor in the middle of an upload', async () => {
  const content = randomBytes(8 * 1024 * 1024);
  const { eventId, sha256 } = await announce(content);
  const half = sendZeros(sha256, {
    sizeBytes: content.length,
    named: true,
    stopAfterBytes: 6 * 1024 * 1024,
  });
  await until('it has begun', () => partials().length === 1);
  await rig.endIngestor('SIGKILL');
  expect(await half.answer).toBe('broken');
  await rig.startIngestor();
  expect(partials()).toEqual([]);
  expect(await put(sha256, content)).toEqual({ status: 201 });
  expect(hasArrived(eventId)).toBe(true);
});

it('writes down the arrival of a file that a killed ingestor had only stored', async () => {
  const content = randomBytes(1_000);
  const { eventId, sha256 } = await announce(content);
  mkdirSync(dirname(storedFile(sha256)), { recursive: true });
  writeFileSync(storedFile(sha256), content);
  expect(hasArrived(eventId)).toBe(false);
  expect(await head(sha256)).toBe(200);
  expect(hasArrived(eventId)).toBe(true);
});
