import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Event } from '@ngatu/contract';
import {
  createAuthority,
  issueBrokerIdentity,
  issueNodeIdentity,
  loadIdentity,
  loadTlsCredentials,
  revoke,
} from '@ngatu/trust';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqliteEventStore } from '../cloud/src/store/sqlite-event-store.ts';
import { Outbox } from '../edge/src/outbox/outbox.ts';
import { openBrokerConnection } from '../edge/src/uplink/broker-connection.ts';
import { runUplink } from '../edge/src/uplink/uplink.ts';
import { CertifiedRig } from './certificate/certified-rig.ts';
import { until } from './delivery/loopback-broker.ts';
import { aManifest, anEvent } from './delivery/message-builder.ts';

const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const SITE = 'q1';
/** The outbox of each node. */
const OUTBOX = {
  'gw-1': '0b0f1c9e-5a3d-4a77-9d55-0123456789ab',
  'gw-2': '1b0f1c9e-5a3d-4a77-9d55-0123456789ab',
};
const REFUSED = 0x87;

let rig: CertifiedRig;
/** Identities of two nodes, and their connections. */
let honest: string;
let stolen: string;
let thief: MqttClient;

beforeAll(async () => {
  rig = await CertifiedRig.open();
  honest = await rig.enrol(SITE, 'gw-1');
  stolen = await rig.enrol(SITE, 'gw-2');
  thief = await rig.connect(stolen);
}, 60_000);
afterAll(() => rig.close());

function envelope(seq: number, body: Event, node: keyof typeof OUTBOX = 'gw-1'): string {
  return JSON.stringify({
    schemaVersion: 1,
    outboxId: OUTBOX[node],
    seq,
    publishedAt: new Date().toISOString(),
    body,
  });
}

/** The reason code that the broker answers with: 0 or 16 where it took the message. */
async function publish(client: MqttClient, topic: string, payload: string): Promise<number> {
  try {
    await client.publishAsync(topic, payload, { qos: 1 });
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  }
}

const countCommitted = (node: string): number => {
  using events = rig.openEvents();
  return events.listEvents({ limit: 100 }).items.filter((event) => event.node === node).length;
};
const isCommitted = (ack: string, seq: number): boolean =>
  (JSON.parse(ack) as { committed: number[] }).committed.includes(seq);
const listLetters = () => {
  using events = rig.openEvents();
  return events.listDeadLetters(100);
};

describe('a key of a node that was stolen', () => {
  it('writes below its own name only', async () => {
    const topics = ['event', 'telemetry', 'evidence', 'state', 'ack', 'directive', 'request', 'resend'];
    const own = await Promise.all(
      topics.map((name) => publish(thief, `ngatu/v1/${SITE}/gw-2/${name}`, '{}')),
    );
    expect(own.map((code) => code !== REFUSED)).toEqual([true, true, true, true, false, false, false, false]);
    const others = [
      ...topics.map((name) => `ngatu/v1/${SITE}/gw-1/${name}`),
      `ngatu/v1/${SITE}/gw-2/event/x`,
      `ngatu/v1/${SITE}/gw-2x/event`,
      'ngatu/v1/gw-2/event',
      'signals/junction-1',
      '$SYS/broker/version',
    ];
    const refused = await Promise.all(others.map((topic) => publish(thief, topic, '{}')));
    expect(refused).toEqual(others.map(() => REFUSED));
  });

  it('hears nothing that is said to others', async () => {
    const heard: string[] = [];
    thief.on('message', (topic) => heard.push(topic));
    await thief.subscribeAsync(['#', '+/+/+/+/+', `ngatu/v1/${SITE}/gw-1/ack`], { qos: 1 });
    const node = await rig.connect(honest);
    await node.subscribeAsync(`ngatu/v1/${SITE}/gw-1/ack`, { qos: 1 });
    const acknowledged = new Promise((resolve) => node.once('message', resolve));
    await publish(node, `ngatu/v1/${SITE}/gw-1/event`, envelope(1, anEvent(1)));
    await acknowledged;
    // Its own acknowledgement comes after what the broker would have shown it of the other's.
    const own = new Promise((resolve) => thief.once('message', resolve));
    await publish(thief, `ngatu/v1/${SITE}/gw-2/event`, envelope(1, anEvent(2, { node: 'gw-2' }), 'gw-2'));
    await own;
    expect(new Set(heard)).toEqual(new Set([`ngatu/v1/${SITE}/gw-2/ack`]));
    await node.endAsync();
  });

  it('cannot take over the connection of another node', async () => {
    const victim = await openBrokerConnection(
      { url: rig.brokerUrl, identityDir: honest },
      { clientId: `ngatu-${SITE}-gw-1` },
      new AbortController().signal,
    );
    const guess = await rig.connect(stolen, { clientId: `ngatu-${SITE}-gw-1` });
    expect(await publish(victim, `ngatu/v1/${SITE}/gw-1/state`, '{}')).not.toBe(REFUSED);
    expect(victim.connected).toBe(true);
    victim.end(true);
    guess.end(true);
  });
});

describe('a message that was captured', () => {
  const captured = envelope(7, anEvent(7));

  it('counts once, however often the same identity sends it', async () => {
    const node = await rig.connect(honest);
    const answers: string[] = [];
    node.on('message', (_topic, payload) => answers.push(payload.toString()));
    await node.subscribeAsync(`ngatu/v1/${SITE}/gw-1/ack`, { qos: 1 });
    const before = countCommitted('gw-1');
    for (let round = 0; round < 3; round++) await publish(node, `ngatu/v1/${SITE}/gw-1/event`, captured);
    await until('it was acknowledged', () => answers.some((answer) => isCommitted(answer, 7)));
    await publish(node, `ngatu/v1/${SITE}/gw-1/event`, envelope(8, anEvent(8)));
    await until('what came after was committed', () => countCommitted('gw-1') === before + 2);
    await node.endAsync();
  });

  it('is refused from another identity, on its own topic as on that of the other', async () => {
    const before = countCommitted('gw-1');
    const letters = listLetters().length;
    expect(await publish(thief, `ngatu/v1/${SITE}/gw-1/event`, captured)).toBe(REFUSED);
    await publish(thief, `ngatu/v1/${SITE}/gw-2/event`, captured);
    await until('it is a dead letter', () => listLetters().length > letters);
    expect(listLetters().map(({ code }) => code)).toContain('TOPIC_INVALID');
    expect(countCommitted('gw-1')).toBe(before);
  });
});

describe('an old message of the centre that is sent again to a node', () => {
  it('takes nothing out of the outbox that was not committed', async () => {
    const dir = await rig.enrol(SITE, 'gw-3');
    const outbox = openOutbox('gw-3');
    const listener = await rig.connect(dir);
    const acks: string[] = [];
    listener.on('message', (_topic, payload) => acks.push(payload.toString()));
    await listener.subscribeAsync(`ngatu/v1/${SITE}/gw-3/ack`, { qos: 1 });
    const end = startUplink(outbox, dir, 'gw-3');
    outbox.append([{ channel: 'event', body: anEvent(30, { node: 'gw-3' }) }]);
    await until('the first is acknowledged', () => outbox.pending().entries === 0 && acks.length > 0);
    await end();
    outbox.append(
      [31, 32].map((key) => ({ channel: 'event', body: anEvent(key, { node: 'gw-3' }) }) as const),
    );
    const again = startUplink(outbox, dir, 'gw-3');
    const centre = await rig.connect(rig.centreIdentity);
    const old = JSON.parse(acks[0] ?? '') as { outboxId: string };
    const topic = `ngatu/v1/${SITE}/gw-3/ack`;
    const foreign = { ...old, outboxId: OUTBOX['gw-1'], committed: [1, 2, 3, 4] };
    for (const ack of [old, foreign, old]) expect(await publish(centre, topic, JSON.stringify(ack))).toBe(0);
    await until('all three are committed', () => countCommitted('gw-3') === 3);
    await until('the outbox is empty', () => outbox.pending().entries === 0);
    await again();
  });
});

describe('evidence over TLS', () => {
  const digest = 'c'.repeat(64);
  const path = `/v1/evidence/${digest}`;

  it('is taken of the node that announced it alone', async () => {
    using events = rig.openEvents();
    announce(events, digest, 'gw-1');
    expect((await rig.ask(honest, path)).status).toBe(404);
    const creation = { method: 'POST', headers: { 'tus-resumable': '1.0.0', ...describeUpload(digest) } };
    expect((await rig.ask(honest, '/v1/uploads', creation)).status).toBe(201);
    const part = `/v1/uploads/${digest}-0-5`;
    const escaped = path.replace(/c$/, '%63');
    const refused = await Promise.all([
      rig.ask(stolen, path),
      rig.ask(stolen, '/v1/uploads', creation),
      rig.ask(stolen, part, { headers: { 'tus-resumable': '1.0.0' } }),
      rig.ask(stolen, escaped),
      rig.ask(stolen, `${part}?/${digest}`),
      rig.ask(rig.centreIdentity, path),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([409, 409, 409, 400, 400, 403]);
  });

  it('is not taken of who shows no certificate, or one of another authority', async () => {
    const none = await rig.ask(undefined, path, { method: 'POST' });
    expect([none.status, JSON.parse(none.body).code]).toEqual([403, 'CERTIFICATE_MISSING']);
    const other = await createAuthority(join(rig.folder, 'other'), { name: 'Other' });
    const dir = join(rig.folder, 'foreign');
    await issueNodeIdentity(other, { site: SITE, node: 'gw-1', dir });
    cpSync(join(honest, 'ca.crt'), join(dir, 'ca.crt'));
    cpSync(join(honest, 'crl.pem'), join(dir, 'crl.pem'));
    const foreign = await rig.ask(dir, path, { method: 'POST' });
    expect([foreign.status, JSON.parse(foreign.body).code]).toEqual([403, 'CERTIFICATE_FOREIGN']);
    const said = rig.log.records.map(({ code }) => code);
    expect(said).toContain('CERTIFICATE_MISSING');
  });

  it('is not taken without a certificate in the clear either', async () => {
    const answer = await fetch(`${rig.url}${path}`, {
      method: 'HEAD',
      headers: { authorization: 'Bearer x' },
    });
    expect(answer.status).toBe(401);
  });
});

describe('what a node is told that cannot connect', () => {
  const connectWith = (dir: string, url = rig.brokerUrl) =>
    openBrokerConnection({ url, identityDir: dir }, { clientId: 'x' }, new AbortController().signal);

  it('names the reason: no identity, open to others, expired, foreign, another host', async () => {
    const nothing = connectWith(join(rig.folder, 'nowhere'));
    await expect(nothing).rejects.toMatchObject({ code: 'IDENTITY_INVALID' });
    const open = await rig.enrol(SITE, 'gw-open');
    chmodSync(join(open, 'tls.key'), 0o640);
    await expect(connectWith(open)).rejects.toMatchObject({ code: 'IDENTITY_INVALID' });
    const past = { ...rig.authority, clock: { nowMs: () => Date.now() - 30 * 86_400_000 } };
    const expired = join(rig.folder, 'expired');
    await issueNodeIdentity(past, { site: SITE, node: 'gw-old', dir: expired, validDays: 10 });
    await expect(connectWith(expired)).rejects.toMatchObject({ code: 'CERTIFICATE_EXPIRED' });
    await expect(connectWith(join(rig.folder, 'foreign'))).rejects.toMatchObject({
      code: 'CERTIFICATE_FOREIGN',
    });
    const elsewhere = connectWith(honest, rig.brokerUrl.replace('127.0.0.1', 'localhost'));
    await expect(elsewhere).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
  });

  it('does not trust a broker of another authority', async () => {
    const dir = await rig.enrol(SITE, 'gw-cautious');
    cpSync(join(rig.folder, 'other', 'ca.crt'), join(dir, 'ca.crt'));
    cpSync(join(rig.folder, 'other', 'crl.pem'), join(dir, 'crl.pem'));
    await expect(connectWith(dir)).rejects.toMatchObject({ code: 'CERTIFICATE_FOREIGN' });
  });
});

describe('rotation', () => {
  it('leaves the old certificate valid, and is used from the next connection on', async () => {
    const dir = await rig.enrol(SITE, 'gw-5');
    const before = loadIdentity(dir).tls.facts.serialNumber;
    const old = await rig.connect(dir);
    const copy = join(rig.folder, 'gw-5-old');
    cpSync(dir, copy, { recursive: true });
    await issueNodeIdentity(rig.authority, { site: SITE, node: 'gw-5', dir });
    expect(loadIdentity(dir).tls.facts.serialNumber).not.toBe(before);
    const topic = `ngatu/v1/${SITE}/gw-5/state`;
    for (const client of [old, await rig.connect(dir), await rig.connect(copy)])
      expect(await publish(client, topic, '{}')).not.toBe(REFUSED);
  });
});

describe('rotation of the broker', () => {
  it('counts from SIGHUP on, and leaves connections that stand', async () => {
    const dir = join(rig.folder, 'broker', 'identity');
    await issueBrokerIdentity(rig.authority, { hosts: ['127.0.0.1'], dir });
    rig.reloadBroker();
    const { serialNumber } = loadIdentity(dir).tls.facts;
    await until('the new certificate is shown', async () => {
      const client = await rig.connect(honest);
      const shown = (client.stream as unknown as TLSSocket).getPeerCertificate().serialNumber;
      client.end(true);
      return shown.toLowerCase() === serialNumber;
    });
    expect(thief.connected).toBe(true);
  });
});

describe('revocation', () => {
  it('shuts the stolen key out within a minute, cuts its connection, and lets the node come back', async () => {
    const socket = await holdUpload(stolen);
    const node = await rig.connect(honest);
    expect(thief.connected).toBe(true);
    const begun = performance.now();
    await revoke(rig.authority, { holder: { kind: 'node', site: SITE, node: 'gw-2' } });
    await rig.takeRevocationList();
    await until('its connections are cut', () => !thief.connected && socket.destroyed);
    await expect(
      openBrokerConnection(
        { url: rig.brokerUrl, identityDir: stolen },
        { clientId: 'x' },
        new AbortController().signal,
      ),
    ).rejects.toMatchObject({ code: 'CERTIFICATE_REVOKED' });
    const upload = await rig.ask(stolen, '/v1/uploads', { method: 'POST' });
    expect([upload.status, JSON.parse(upload.body).code]).toEqual([403, 'CERTIFICATE_REVOKED']);
    const tookMs = performance.now() - begun;
    expect(tookMs).toBeLessThan(60_000);
    console.info(`refused everywhere ${Math.round(tookMs)} ms after the revocation`);
    node.end(true);
    await rig.untilConnected();
    const replaced = join(rig.folder, 'gw-2-again');
    await issueNodeIdentity(rig.authority, { site: SITE, node: 'gw-2', dir: replaced });
    const before = countCommitted('gw-2');
    const again = await rig.connect(replaced);
    await publish(
      again,
      `ngatu/v1/${SITE}/gw-2/event`,
      envelope(900, anEvent(900, { node: 'gw-2' }), 'gw-2'),
    );
    await until('its event is committed', () => countCommitted('gw-2') === before + 1);
  });
});

it('no private key stands in a log', () => {
  const keys = ['centre/identity', 'broker/identity', `${SITE}.gw-1`].flatMap((dir) =>
    ['tls.key', 'seal.key'].flatMap((name) => {
      const path = join(rig.folder, dir, name);
      return existsSync(path) ? [readFileSync(path, 'utf8').split('\n')[1] ?? ''] : [];
    }),
  );
  expect(keys.length).toBe(5);
  const text = JSON.stringify(rig.log.records);
  expect(keys.filter((key) => key.length < 20 || text.includes(key.slice(0, 20)))).toEqual([]);
  expect(text).not.toContain('PRIVATE KEY');
});

function openOutbox(node: string): Outbox {
  const file = join(rig.folder, `${node}.sqlite`);
  const { outbox } = Outbox.open({
    ...{ file, maxBytes: 64 * 1024 * 1024, origin: { site: SITE, node } },
    ...{ clock: CLOCK, logger: rig.log.logger },
  });
  return outbox;
}

function startUplink(outbox: Outbox, identityDir: string, node: string): () => Promise<void> {
  const stop = new AbortController();
  const running = runUplink(
    {
      ...{ outbox, site: SITE, node, cameras: ['cam-1'], version: '0.1.0', clock: CLOCK },
      ...{ broker: { url: rig.brokerUrl, identityDir }, logger: rig.log.logger, random: Math.random },
    },
    stop.signal,
  );
  return async () => {
    stop.abort();
    await running;
  };
}

function describeUpload(digest: string): Record<string, string> {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return {
    'upload-length': '5',
    'upload-metadata': `sha256 ${encode(digest)},start ${encode('0')}`,
  };
}

/** A manifest of `node` that names a file of five bytes. */
function announce(events: SqliteEventStore, digest: string, node: string): void {
  const manifest = aManifest(1, Buffer.from('still'), { node });
  const files = manifest.files.map((file) => ({ ...file, sha256: digest, sizeBytes: 5 }));
  events.commit(
    [
      {
        ...{ site: SITE, node, outboxId: OUTBOX['gw-1'], seq: 500 },
        message: { channel: 'evidence', body: { ...manifest, files } },
      },
    ],
    new Date().toISOString(),
  );
}

/** A connection for uploads that stands and says nothing. */
async function holdUpload(dir: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(rig.uploadUrl);
  const socket = connectTls({ host: hostname, port: Number(port), ...loadTlsCredentials(dir) });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}
