import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { dirname, join } from 'node:path';
import {
  buildEvidencePath,
  buildUploadPartId,
  EVIDENCE_MAX_BYTES,
  type EvidenceManifest,
  UPLOAD_PATH,
} from '@ngatu/contract';
import { pino } from 'pino';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqliteEventStore } from '../cloud/src/store/sqlite-event-store.ts';
import type { Outbox } from '../edge/src/outbox/outbox.ts';
import { EvidenceUpload } from '../edge/src/uplink/evidence-upload.ts';
import { openLinkEmulator } from '../simulators/src/main.ts';
import { DeliveryRig, NODE_TOKEN } from './delivery/delivery-rig.ts';
import { until } from './delivery/loopback-broker.ts';
import { aManifest, anEvent, anEventId, NODE, SITE, sha256Of } from './delivery/message-builder.ts';

let rig: DeliveryRig;
let outbox: Outbox;
let store: SqliteEventStore;
let requests: Pick<EvidenceUpload, 'take'> | undefined;
let key = 0;

beforeAll(async () => {
  rig = await DeliveryRig.open();
  await rig.startIngestor();
  await rig.untilConnected();
  outbox = rig.openOutbox();
  rig.startUplink(outbox, { requests: { take: (payload) => requests?.take(payload) } });
  store = rig.openEvents();
});
afterAll(() => rig.close());

/** Appends an event with a manifest of `content` and waits until the centre has committed both. */
async function announce(
  content: Buffer,
  change: Partial<EvidenceManifest> = {},
): Promise<{ eventId: string; sha256: string }> {
  key++;
  // Of today: what is older than its retention the centre deletes.
  const capturedAt = new Date(Date.now() - 60_000 + key).toISOString();
  const event = anEvent(key, { capturedAt, detectedAt: capturedAt });
  const body = rig.seal.seal({ ...aManifest(key, content, change), createdAt: capturedAt }, event);
  outbox.append([
    { channel: 'event', body: event },
    { channel: 'evidence', body },
  ]);
  await until('the manifest is committed', () => outbox.pending().entries === 0);
  return { eventId: anEventId(key), sha256: sha256Of(content) };
}

const authorization = `Bearer ${NODE_TOKEN}`;
const TUS = { 'tus-resumable': '1.0.0', 'content-type': 'application/offset+octet-stream' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface PartPost {
  readonly sha256: string;
  readonly body: Buffer;
  readonly start?: number;
  readonly length?: number;
  readonly token?: string;
}

/** Creates a part with its bytes in one request. */
async function post({ sha256, body, start = 0, length = body.length, token }: PartPost) {
  const response = await fetch(rig.ingestorUrl + UPLOAD_PATH, {
    method: 'POST',
    headers: {
      ...TUS,
      authorization: token === undefined ? authorization : `Bearer ${token}`,
      'upload-length': String(length),
      'upload-metadata': `sha256 ${base64(sha256)},start ${base64(String(start))}`,
    },
    body: new Uint8Array(body),
  });
  const text = await response.text();
  const code = text.startsWith('{') ? (JSON.parse(text) as { code?: string }).code : undefined;
  return code === undefined ? { status: response.status } : { status: response.status, code };
}

async function head(path: string) {
  const response = await fetch(rig.ingestorUrl + path, {
    method: 'HEAD',
    headers: { authorization, 'tus-resumable': '1.0.0' },
  });
  return { status: response.status, offset: Number(response.headers.get('upload-offset')) };
}

const headFile = async (sha256: string) => (await head(buildEvidencePath(sha256))).status;
const hasArrived = (eventId: string) => store.getEvent(eventId)?.evidence?.files[0]?.arrived;
const storedFile = (sha256: string) => join(rig.dataDir, 'evidence', sha256.slice(0, 2), sha256);
const partsFolder = () => join(rig.dataDir, 'evidence', 'parts');
const partsOf = (sha256: string) => readdirSync(partsFolder()).filter((name) => name.startsWith(sha256));

it('takes an announced file once and marks its arrival', async () => {
  const content = randomBytes(100_000);
  const { eventId, sha256 } = await announce(content);
  expect(hasArrived(eventId)).toBe(false);
  expect(await headFile(sha256)).toBe(404);
  expect(await post({ sha256, body: content })).toEqual({ status: 201 });
  expect([hasArrived(eventId), partsOf(sha256)]).toEqual([true, []]);
  expect(await headFile(sha256)).toBe(200);
  // What the centre has is not taken a second time.
  expect((await post({ sha256, body: content })).status).toBe(410);
});

it('refuses files that nobody announced, strangers, and what is no part of the file', async () => {
  const content = randomBytes(200_000);
  const sha256 = sha256Of(content);
  expect(await post({ sha256, body: content })).toEqual({ status: 409, code: 'EVIDENCE_UNKNOWN' });
  expect(await headFile(sha256)).toBe(409);
  await announce(content);
  expect(await post({ sha256, body: content, token: 'wrong' })).toEqual({
    status: 401,
    code: 'UNAUTHENTICATED',
  });
  const invalid = { status: 400, code: 'REQUEST_INVALID' };
  expect(await post({ sha256, body: content.subarray(0, 1_000) })).toEqual(invalid);
  expect(await post({ sha256, body: content, start: 1 })).toEqual(invalid);
  expect(await post({ sha256: '../../../etc/passwd', body: content })).toEqual(invalid);
  expect((await post({ sha256, body: Buffer.alloc(0), length: EVIDENCE_MAX_BYTES + 1 })).status).toBe(413);
  for (const id of ['..%2f..%2fetc%2fpasswd', `${sha256}-0-..`, `${sha256}%00-0-1`])
    expect((await head(`${UPLOAD_PATH}/${id}`)).status).toBe(404);
  expect(
    (await fetch(`${rig.ingestorUrl}/v1/evidence/..%2fx`, { method: 'HEAD', headers: { authorization } }))
      .status,
  ).toBe(400);
  expect([partsOf(sha256), existsSync(storedFile(sha256))]).toEqual([[], false]);
});

it('keeps nothing of bytes with another digest, nor of more bytes than the part has', async () => {
  const { eventId, sha256 } = await announce(randomBytes(100));
  expect(await post({ sha256, body: randomBytes(100) })).toEqual({
    status: 422,
    code: 'EVIDENCE_DIGEST_MISMATCH',
  });
  expect((await post({ sha256, body: randomBytes(101), length: 100 })).status).toBe(413);
  expect(hasArrived(eventId)).toBe(false);
  expect(existsSync(storedFile(sha256))).toBe(false);
});

/** Begins a part and stands still after some bytes. */
function sendHalf(sha256: string, content: Buffer, stopAfterBytes: number) {
  const sending = request(rig.ingestorUrl + UPLOAD_PATH, {
    method: 'POST',
    headers: {
      ...TUS,
      authorization,
      'content-length': content.length,
      'upload-length': String(content.length),
      'upload-metadata': `sha256 ${base64(sha256)},start ${base64('0')}`,
    },
  });
  const answer = new Promise<number | 'broken'>((resolve) => {
    sending.once('response', (response: IncomingMessage) => resolve(response.statusCode ?? 0));
    sending.once('error', () => resolve('broken'));
  });
  sending.write(content.subarray(0, stopAfterBytes));
  return { answer, breakOff: () => sending.destroy() };
}

async function resume(id: string, content: Buffer, offset: number): Promise<number> {
  const response = await fetch(`${rig.ingestorUrl}${UPLOAD_PATH}/${id}`, {
    method: 'PATCH',
    headers: { ...TUS, authorization, 'upload-offset': String(offset) },
    body: new Uint8Array(content.subarray(offset)),
  });
  return response.status;
}

it('goes on where it was: after a break, and after a kill of the ingestor', async () => {
  const content = randomBytes(3 * 1024 * 1024);
  const { eventId, sha256 } = await announce(content);
  const id = buildUploadPartId({ sha256, start: 0, length: content.length });
  const sizeOnDisk = () => (partsOf(sha256).length === 0 ? 0 : statSync(join(partsFolder(), id)).size);
  const broken = sendHalf(sha256, content, 1024 * 1024);
  await until('it has begun', () => sizeOnDisk() === 1024 * 1024);
  broken.breakOff();
  expect(await broken.answer).toBe('broken');
  expect(await head(`${UPLOAD_PATH}/${id}`)).toEqual({ status: 200, offset: 1024 * 1024 });
  const killed = sendHalf(sha256, content, 2 * 1024 * 1024);
  await until('it has gone on', () => sizeOnDisk() === 2 * 1024 * 1024);
  await rig.endIngestor('SIGKILL');
  expect(await killed.answer).toBe('broken');
  await rig.startIngestor();
  await rig.untilConnected();
  expect(await head(`${UPLOAD_PATH}/${id}`)).toEqual({ status: 200, offset: 2 * 1024 * 1024 });
  expect(await resume(id, content, 1024 * 1024)).toBe(409);
  expect(await resume(id, content, 2 * 1024 * 1024)).toBe(204);
  expect([hasArrived(eventId), partsOf(sha256)]).toEqual([true, []]);
});

it('takes an upload of another tus client, in chunks', async () => {
  const content = randomBytes(1_000_000);
  const { eventId, sha256 } = await announce(content);
  await new Promise<void>((resolve, reject) => {
    new Upload(content, {
      endpoint: rig.ingestorUrl + UPLOAD_PATH,
      headers: { authorization },
      metadata: { sha256, start: '0' },
      chunkSize: 300_000,
      onError: reject,
      onSuccess: () => resolve(),
    }).start();
  });
  expect(hasArrived(eventId)).toBe(true);
});

function writeEvidence(content: Buffer): string {
  const path = join(rig.folder, `${sha256Of(content)}.bin`);
  writeFileSync(path, content);
  return path;
}

/** Runs the node's upload until the returned function is called. */
function startUpload(change: { url?: string; flows?: number } = {}): {
  upload: EvidenceUpload;
  stop: () => Promise<void>;
} {
  const stop = new AbortController();
  const upload = new EvidenceUpload({
    queue: outbox,
    site: SITE,
    node: NODE,
    url: change.url ?? rig.ingestorUrl,
    token: NODE_TOKEN,
    budget: { flows: change.flows ?? 4, originalsAt: [] },
    locate: (sha256) => join(rig.folder, `${sha256}.bin`),
    retentionDays: 30,
    logger: pino({ level: 'silent' }),
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    random: Math.random,
  });
  const running = upload.run(stop.signal);
  requests = upload;
  return {
    upload,
    stop: async () => {
      requests = undefined;
      stop.abort();
      await running;
    },
  };
}

it('goes by itself from the node, waits for its manifest, and leaves the queue only when it has arrived', async () => {
  const dead = randomBytes(20_000);
  const gone = randomBytes(20);
  const content = randomBytes(2_000_000);
  const describe = (bytes: Buffer) => ({
    sha256: sha256Of(bytes),
    path: writeEvidence(bytes),
    sizeBytes: bytes.length,
  });
  const uploads = [dead, gone, content].map(describe);
  rmSync(uploads[1]?.path ?? '');
  const { stop } = startUpload();
  // The first waits for its manifest and must not hold up the others.
  outbox.append([], { uploads });
  const { eventId } = await announce(content);
  await until('the announced file has arrived', () => hasArrived(eventId) === true);
  await until('only the unannounced one waits', () => outbox.pending().uploadsPending === 1);
  expect(outbox.pending().uploadsRefused).toBe(1);
  expect(outbox.listUploads(9).map(({ sha256 }) => sha256)).toEqual([sha256Of(dead)]);
  const late = await announce(dead);
  await until('the late one has arrived', () => hasArrived(late.eventId) === true);
  await until('none waits', () => outbox.pending().uploadsPending === 0);
  await stop();
});

it('sends of a manifest that was refused for another one of its case what the other names, and sets aside the rest', async () => {
  const [shared, own] = [randomBytes(20_000), randomBytes(20_000)];
  const { eventId } = await announce(shared);
  const event = store.getEvent(eventId)?.event;
  if (event === undefined) throw new Error('the case is not there');
  const files = [shared, own].flatMap((content) => aManifest(key, content).files);
  const again = { ...aManifest(key, shared, { files }), createdAt: event.capturedAt };
  const uploads = [shared, own].map((content) => ({
    sha256: sha256Of(content),
    path: writeEvidence(content),
    sizeBytes: content.length,
  }));
  outbox.append([{ channel: 'evidence', body: rig.seal.seal(again, event) }], { uploads });
  await until('the second manifest is refused', () =>
    outbox.listRejected().some(({ code }) => code === 'EVENT_CONFLICT'),
  );
  const { stop } = startUpload();
  await until('what the first names has arrived', () => hasArrived(eventId) === true);
  await until('nothing waits', () => outbox.pending().uploadsPending === 0);
  expect(outbox.holdsUpload(sha256Of(own))).toBe(true);
  expect(outbox.holdsUpload(sha256Of(shared))).toBe(false);
  await stop();
});

it('resumes over a link that is cut and a node that is started anew, and sends little twice', async () => {
  const target = { host: '127.0.0.1', port: Number(new URL(rig.ingestorUrl).port) };
  const link = await openLinkEmulator({
    target,
    conditions: { bitsPerSecond: 16_000_000, roundTripMs: 20, lossFraction: 0.01 },
    seed: 5,
  });
  const content = randomBytes(3_000_000);
  const { eventId, sha256 } = await announce(content);
  const received = () =>
    partsOf(sha256).reduce((sum, name) => sum + statSync(join(partsFolder(), name)).size, 0);
  const url = `http://127.0.0.1:${link.port}`;
  const first = startUpload({ url });
  outbox.append([], { uploads: [{ sha256, path: writeEvidence(content), sizeBytes: content.length }] });
  await until('a third has come', () => received() > content.length / 3);
  link.cut();
  await until('all connections are gone', () => link.statistics().ports[0]?.connections === 0);
  await first.stop();
  const held = received();
  expect(partsOf(sha256).length).toBeGreaterThan(1);
  link.restore();
  const second = startUpload({ url });
  await until('it has arrived', () => hasArrived(eventId) === true);
  // Begun anew with other connections: only what had not come was read and sent.
  expect(second.upload.sentBytes.derived).toBeLessThanOrEqual(content.length - held);
  await second.stop();
  await until('nothing is left of the parts', () => partsOf(sha256).length === 0);
  await link.close();
});

function askFor(eventId: string, sha256: string): void {
  store.transfers.request({
    ...{ sha256, eventId, site: SITE, node: NODE, priority: 50, cause: 'demanded' },
    ...{ requestedBy: 'an', requestedAt: new Date().toISOString(), reason: 'xem lại' },
  });
}

it('keeps an original until it is asked for, fetches it, and says of what is gone that it is gone', async () => {
  const original = randomBytes(300_000);
  const sent = randomBytes(90_000);
  const lost = randomBytes(70_000);
  const first = await announce(original);
  const again = await announce(sent);
  const missing = await announce(lost);
  writeEvidence(sent);
  outbox.append([], {
    uploads: [
      { sha256: first.sha256, path: writeEvidence(original), sizeBytes: original.length, class: 'original' },
    ],
  });
  const { stop } = startUpload();
  const derived = randomBytes(10_000);
  const beside = await announce(derived);
  outbox.append([], {
    uploads: [{ sha256: beside.sha256, path: writeEvidence(derived), sizeBytes: derived.length }],
  });
  await until('the picture has gone', () => outbox.pending().uploadsPending === 1);
  expect(hasArrived(beside.eventId)).toBe(true);
  expect(outbox.listUploads(9)).toMatchObject([{ sha256: first.sha256, wantedAtMs: null }]);
  for (const { eventId, sha256 } of [first, again, missing]) askFor(eventId, sha256);
  await until('the original has arrived', () => hasArrived(first.eventId) === true);
  await until('a file that waited no more has arrived', () => hasArrived(again.eventId) === true);
  await until(
    'the lost one is known as gone',
    () => store.transfers.list(missing.eventId)[0]?.gone !== undefined,
  );
  expect(store.transfers.list(missing.eventId)).toMatchObject([
    { sha256: missing.sha256, requestedBy: 'an', cause: 'demanded', gone: { reason: 'lost' } },
  ]);
  expect(store.transfers.listWanted(10)).toEqual([]);
  await stop();
});

it('deletes at the centre and on the node, which may be away, what belongs to an erased case', async () => {
  const sent = randomBytes(40_000);
  const { eventId, sha256 } = await announce(sent);
  const copy = writeEvidence(sent);
  outbox.append([], { uploads: [{ sha256, path: copy, sizeBytes: sent.length }] });
  const first = startUpload();
  await until('it has arrived', () => hasArrived(eventId) === true);
  const other = await announce(randomBytes(30_000));
  const original = join(rig.folder, `${other.sha256}.bin`);
  writeFileSync(original, randomBytes(30_000));
  outbox.append([], {
    uploads: [{ sha256: other.sha256, path: original, sizeBytes: 30_000, class: 'original' }],
  });
  await first.stop();
  const order = {
    cause: 'order',
    reason: 'test',
    erasedBy: 'minh',
    erasedAt: new Date().toISOString(),
  } as const;
  for (const id of [eventId, other.eventId]) expect(store.privacy.erase(id, order)).toBe('erased');
  await until('the centre has deleted its file', () => !existsSync(storedFile(sha256)));
  expect([existsSync(copy), existsSync(original)]).toEqual([true, true]);
  expect(store.privacy.listNodeErasures(10)).toHaveLength(1);
  // The node is told anew once it answers again; here the next ingestor does not wait for the minute.
  await rig.endIngestor('SIGKILL');
  const orders: Uint8Array[] = [];
  requests = { take: (payload) => void orders.push(payload) };
  await rig.startIngestor();
  await until('the node is told again', () => orders.length > 0);
  const second = startUpload();
  for (const order of orders) second.upload.take(order);
  await until('the node has deleted its copies', () => !existsSync(copy) && !existsSync(original));
  await until('the centre knows it', () => store.privacy.listNodeErasures(10).length === 0);
  expect(outbox.listUploads(9).map((upload) => upload.sha256)).not.toContain(other.sha256);
  expect(store.getEvent(eventId)).toBeUndefined();
  await second.stop();
});

it('takes from a node only word of its own files', async () => {
  const { eventId, sha256 } = await announce(randomBytes(500));
  const say = async (node: string) => {
    const response = await fetch(`${rig.ingestorUrl}${buildEvidencePath(sha256)}/gone`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ schemaVersion: 1, site: SITE, node, reason: 'lost' }),
    });
    return response.status;
  };
  expect(await say('gw-2')).toBe(409);
  expect(store.transfers.list(eventId)).toEqual([{ sha256 }]);
  expect(await say(NODE)).toBe(204);
  expect(store.transfers.list(eventId)[0]?.gone).toMatchObject({ reason: 'lost' });
});

it('writes down the arrival of a file that a killed ingestor had only stored', async () => {
  const content = randomBytes(1_000);
  const { eventId, sha256 } = await announce(content);
  mkdirSync(dirname(storedFile(sha256)), { recursive: true });
  writeFileSync(storedFile(sha256), content);
  expect(hasArrived(eventId)).toBe(false);
  expect(await headFile(sha256)).toBe(200);
  expect(hasArrived(eventId)).toBe(true);
});
