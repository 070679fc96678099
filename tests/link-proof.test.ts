import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatLink, judgeLink, runLinkProof } from '@ngatu/benchmarks';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeliveryRig, NODE_TOKEN, seededRandom } from './delivery/delivery-rig.ts';
import { NODE_USER } from './delivery/loopback-broker.ts';
import { NODE, SITE } from './delivery/message-builder.ts';

let rig: DeliveryRig;

beforeAll(async () => {
  rig = await DeliveryRig.open();
  await rig.startIngestor();
  await rig.untilConnected();
});
afterAll(() => rig.close());

/**
 * The short form of `ngatu bench link`: the same link, one original of usual size, and violations 45 times as often as promised,
 * so that a few of them fall into the stretch and share the link with the original.
 */
it('delivers cases over the link of a commune while an original is fetched', async () => {
  const seed = 11;
  const dataDir = join(rig.folder, 'node');
  mkdirSync(dataDir);
  const figures = await runLinkProof(
    {
      target: {
        ...{ site: SITE, node: NODE, store: rig.openEvents(), uploadToken: NODE_TOKEN },
        credentials: { username: NODE_USER.name, password: NODE_USER.password },
        identityDir: join(rig.folder, 'node-identity'),
        brokerPort: rig.broker.port,
        uploadPort: Number(new URL(rig.ingestorUrl).port),
      },
      link: {
        ...{ bitsPerSecond: 4_000_000, roundTripMs: 200, lossFraction: 0.02 },
        ...{ congestionControl: 'cubic', seed },
      },
      ...{ flows: 16, budgetBitsPerSecond: 3_700_000 },
      ...{ cameras: 8, violationsPerCameraHour: 900, seconds: 3, evidenceDelayMs: 0, fetches: 1 },
      sizes: { 'still-at': 75_000, 'subject-crop': 25_000, clip: 2_500_000 },
      dataDir,
      logger: pino({ level: 'silent' }),
      random: seededRandom(seed),
      say: () => undefined,
    },
    AbortSignal.timeout(60_000),
  );
  const complaints = judgeLink(figures).filter((complaint) => !complaint.startsWith('an original'));
  expect(figures.events.count, formatLink(figures)).toBeGreaterThanOrEqual(2);
  expect(complaints, formatLink(figures)).toEqual([]);
  // Pictures of other cases share the link, and the tests beside this one the processors: the bench holds it to the promise.
  expect(figures.originals[0]?.linkShare, formatLink(figures)).toBeGreaterThan(0.2);
  expect(figures.lostPackets).toBeGreaterThan(0);
});
