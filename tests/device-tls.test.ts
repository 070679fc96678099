import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeviceTls, fillDefaults, SensorReading } from '@ngatu/contract';
import { subscribeMatrices } from '@ngatu/edge';
import { createAuthority, issueBrokerIdentity, issueNodeIdentity, loadTlsCredentials } from '@ngatu/trust';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMemoryLogger } from './certificate/certified-rig.ts';
import { LoopbackBroker } from './delivery/loopback-broker.ts';
import { aSensor, SensorRig } from './sensor/sensor-rig.ts';

const TOPIC = 'station/air';
const READING = fillDefaults(SensorReading, {
  metric: 'airTemperature',
  unit: 'Cel',
  from: { kind: 'json', pointer: '/t' },
}) as SensorReading;

describe('a broker of devices that asks for certificates', () => {
  let folder: string;
  let broker: LoopbackBroker;
  let device: MqttClient;
  let url: string;
  /** Folders of identities: of the devices' own authority, and of another one. */
  let known: { readonly node: string; readonly other: string };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ngatu-device-tls-'));
    const clock = { nowMs: Date.now };
    const own = await createAuthority(join(folder, 'own'), { name: 'Devices', clock });
    const foreign = await createAuthority(join(folder, 'foreign'), { name: 'Others', clock });
    const dir = (name: string): string => join(folder, name);
    await issueBrokerIdentity(own, { hosts: ['127.0.0.1'], dir: dir('broker') });
    await issueNodeIdentity(own, { site: 'hall', node: 'station', dir: dir('station') });
    await issueNodeIdentity(own, { site: 'hall', node: 'gw-1', dir: dir('node') });
    await issueNodeIdentity(foreign, { site: 'hall', node: 'gw-1', dir: dir('other') });
    known = { node: dir('node'), other: dir('other') };
    broker = await LoopbackBroker.startForDevices(folder, [
      `cafile ${dir('broker')}/ca.crt`,
      `certfile ${dir('broker')}/tls.crt`,
      `keyfile ${dir('broker')}/tls.key`,
      'require_certificate true',
    ]);
    url = broker.url.replace('mqtt:', 'mqtts:');
    device = await connectAsync(url, { ...loadTlsCredentials(dir('station')), protocolVersion: 5 });
  });
  afterAll(async () => {
    device?.end(true);
    await broker?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const filesOf = (dir: string): Required<DeviceTls> => ({
    caFile: join(dir, 'ca.crt'),
    certFile: join(dir, 'tls.crt'),
    keyFile: join(dir, 'tls.key'),
  });
  const sensor = (tls: DeviceTls) =>
    aSensor({ source: { kind: 'mqtt', broker: { url, tls }, topic: TOPIC, maxClockErrorMs: 30_000 } }, [
      READING,
    ]);
  const sayUntil = (heard: () => boolean): Promise<void> =>
    expect
      .poll(
        async () => {
          await device.publishAsync(TOPIC, '{"t":29.5}', { qos: 1 });
          return heard();
        },
        { timeout: 30_000, interval: 200 },
      )
      .toBe(true);

  it('is listened to by a node that shows its own', async () => {
    await using rig = new SensorRig([sensor(filesOf(known.node))]);
    await sayUntil(() => rig.goodSince(0).length > 0);
    expect(rig.goodSince(0)[0]).toMatchObject({ value: 29.5 });
  });

  it.each([
    [
      'is of another authority than the node was told',
      () => ({ ...filesOf(known.node), caFile: filesOf(known.other).caFile }),
      'CERTIFICATE_FOREIGN',
    ],
    [
      'is of no authority of the system',
      () => ({ ...filesOf(known.node), caFile: undefined }),
      'CERTIFICATE_FOREIGN',
    ],
    ['is shown no certificate', () => ({ caFile: filesOf(known.node).caFile }), 'CERTIFICATE_MISSING'],
    [
      'is shown one of another authority',
      () => ({ ...filesOf(known.other), caFile: filesOf(known.node).caFile }),
      'CERTIFICATE_FOREIGN',
    ],
    [
      'is to be shown a key of another certificate',
      () => ({ ...filesOf(known.node), keyFile: filesOf(known.other).keyFile }),
      'IDENTITY_INVALID',
    ],
    [
      'is to be shown what is not there',
      () => ({ ...filesOf(known.node), keyFile: '/nowhere/tls.key' }),
      'IDENTITY_INVALID',
    ],
    [
      'is to be shown what is no certificate',
      () => ({ ...filesOf(known.node), certFile: filesOf(known.node).keyFile }),
      'CERTIFICATE_INVALID',
    ],
  ] as const)('that %s is not listened to, and the log says why', async (_, choose, code) => {
    const { caFile, ...files } = choose() as DeviceTls;
    const { logger, records } = openMemoryLogger();
    await using rig = new SensorRig([sensor(caFile === undefined ? files : { ...files, caFile })], logger);
    const refusals = () => records.filter((record) => 'failures' in record).map((record) => record['code']);
    await expect.poll(() => refusals().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    await device.publishAsync(TOPIC, '{"t":29.5}', { qos: 1 });
    expect(refusals()[0]).toBe(code);
    expect(rig.goodSince(0)).toEqual([]);
    expect(JSON.stringify(records)).not.toContain('PRIVATE KEY');
  });

  it('is listened to once the files are mended, without a restart', async () => {
    const files = {
      ...filesOf(known.node),
      certFile: join(folder, 'own.crt'),
      keyFile: join(folder, 'own.key'),
    };
    copyFileSync(filesOf(known.node).certFile, files.certFile);
    writeFileSync(files.keyFile, 'torn', { mode: 0o600 });
    const { logger, records } = openMemoryLogger();
    await using rig = new SensorRig([sensor(files)], logger);
    await expect
      .poll(() => records.map(({ code }) => code), { timeout: 10_000 })
      .toContain('IDENTITY_INVALID');
    copyFileSync(filesOf(known.node).keyFile, files.keyFile);
    chmodSync(files.keyFile, 0o644);
    const told = () => records.filter(({ msg }) => String(msg).includes('open to others')).length;
    await expect.poll(told, { timeout: 20_000 }).toBeGreaterThan(0);
    chmodSync(files.keyFile, 0o600);
    await sayUntil(() => rig.goodSince(0).length > 0);
  });

  it('gives a fever gate its pictures, and is refused by it where it is of another authority', async () => {
    const values = Array(64).fill(31);
    const matrix = JSON.stringify({ schemaVersion: 1, unit: 'Cel', width: 8, height: 8, values });
    await device.publishAsync('hall/thermal', matrix, { qos: 1, retain: true });
    const stop = new AbortController();
    const watch = (tls: DeviceTls) =>
      subscribeMatrices({ url, topic: 'hall/thermal', tls, onError: () => undefined }, stop.signal);
    const feed = watch(filesOf(known.node));
    expect((await feed.next()).value?.celsius[0]).toBe(31);
    stop.abort();
    await feed.return(undefined);
    const refused = watch({ ...filesOf(known.node), caFile: filesOf(known.other).caFile });
    await expect(refused.next()).rejects.toMatchObject({ code: 'CERTIFICATE_FOREIGN', retryable: true });
  });
});
