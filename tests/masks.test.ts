import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EvidenceManifest,
  fillDefaults,
  MaskProfile,
  type Measurement,
  type Telemetry,
} from '@ngatu/contract';
import { readPictureFile } from '@ngatu/edge';
import {
  AssetStore,
  evaluateMaskClips,
  evaluateMasks,
  findRepositoryRoot,
  HonestSight,
  locateAssetFolders,
} from '@ngatu/models';
import { createAuthority, issueNodeIdentity } from '@ngatu/trust';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MASK_ASSETS, runMasks } from '../edge/src/agent-masks.ts';
import { EvidenceFiles } from '../edge/src/evidence/evidence-files.ts';
import { LocalPictureMaker } from '../edge/src/evidence/local-picture-maker.ts';
import { openFaceDetector } from '../edge/src/evidence/part-detector.ts';
import type { PictureMaker } from '../edge/src/evidence/picture-job.ts';
import { EvidenceSealer } from '../edge/src/evidence/seal-chain.ts';
import type { Frame } from '../edge/src/frame/frame.ts';
import { type Box, computeIou } from '../edge/src/geometry/box.ts';
import { type FaceNet, openFaceNet } from '../edge/src/mask/face-net.ts';
import { loadNetwork } from '../edge/src/model/model-file.ts';
import { NetworkHolder } from '../edge/src/model/network-holder.ts';
import { Outbox } from '../edge/src/outbox/outbox.ts';
import { MaskIncidents } from '../edge/src/pipeline/mask-incident.ts';
import { loadMaskFolder } from '../models/src/evaluation/mask-folder.ts';
import { startCameraSimulator } from '../simulators/camera/camera-simulator.ts';
import { loadClip } from '../simulators/camera/clip.ts';

/** Lets an incident be made of one picture, as the agent would, and tells what came of it. */
async function makeMaskIncident(given: {
  readonly frame: Awaited<ReturnType<typeof readPictureFile>>;
  readonly box: Box;
  readonly faces: readonly Box[];
  readonly pictures: PictureMaker;
}): Promise<{ readonly still: string; readonly roles: readonly string[]; readonly recipe: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'ngatu-mask-still-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const [site, node] = ['demo', 'gateway-1'];
  const logger = pino({ level: 'silent' });
  const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  const earlier = { nowMs: () => Date.now() - 3_600_000 };
  const authority = await createAuthority(join(dir, 'ca'), { name: 'Test', clock: earlier });
  await issueNodeIdentity(authority, { site, node, dir: join(dir, 'identity'), validDays: 90 });
  const origin = { site, node };
  using outbox = Outbox.open({
    file: join(dir, 'outbox.sqlite'),
    maxBytes: 1e7,
    origin,
    clock,
    logger,
  }).outbox;
  const files = await EvidenceFiles.open(join(dir, 'evidence'));
  const incidents = new MaskIncidents({
    ...{ site, node, camera: 'gate', sceneSha256: 'b'.repeat(64), version: '0.1.0', clock, logger },
    policy: { policy: 'the rule of a hospital in a test', maxPerHour: 9 },
    models: () => [{ name: 'yunet-n-640', sha256: 'a'.repeat(64) }],
    sealer: await EvidenceSealer.open({ dir: join(dir, 'identity'), site, node, logger }),
    ...{ pictures: given.pictures, files, outbox },
  });
  const { width, height } = given.frame;
  const atMs = Date.now();
  const frame: Frame = {
    ...{ ...given.frame, session: 's', index: 0, mediaTimeMs: 0, capturedAtMs: atMs, clockErrorMs: 0 },
    ...{ sourceWidth: width, sourceHeight: height, lamps: [] },
  };
  const person = { personId: 1, verdict: 'without', looks: 4, meanLogit: -2.5, largestPx: 40 } as const;
  const picture = { frame, box: given.box, faces: given.faces };
  const outcome = await incidents.offer({ ...person, firstSeenMs: atMs, lastSeenMs: atMs, picture }, signal);
  expect(outcome).toBe('announced');
  const manifest = outbox.lease(9, 1_000).find(({ channel }) => channel === 'evidence');
  const { files: made } = JSON.parse(manifest?.body ?? '{}') as EvidenceManifest;
  const [file] = made;
  return {
    still: files.path(file?.sha256 ?? ''),
    roles: made.map(({ role }) => role),
    recipe: file?.derivation?.recipe ?? '',
  };
}

const store = new AssetStore();
const nets = await Promise.all(MASK_ASSETS.map((name) => store.find(name)));
const clip = await store.find('masked-people-walking');
const dataset = join(locateAssetFolders().localDir, 'datasets', 'masks');
const pictures = await readdir(join(dataset, 'images')).catch(() => []);
const hasNets = nets.every((net) => net !== undefined);
const { signal } = new AbortController();

describe.skipIf(!hasNets || pictures.length === 0)('masks in labelled pictures', () => {
  let folder: string;
  const sight = new HonestSight('fused', store, signal);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-mask-pictures-'));
    for (const part of ['images', 'annotations']) await mkdir(join(folder, part));
    for (const name of pictures.sort().filter((_, at) => at % 16 === 3)) {
      const xml = `${name.replace(/\.\w+$/, '')}.xml`;
      await symlink(join(dataset, 'images', name), join(folder, 'images', name));
      await symlink(join(dataset, 'annotations', xml), join(folder, 'annotations', xml));
    }
  });
  afterAll(async () => {
    await sight.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('are told on faces of 32 px and more, by coefficients that were learned without these pictures', async () => {
    const { metrics, predictions } = await evaluateMasks({ dataDir: folder, choosers: [sight] }, signal);
    const [figures] = metrics.sights;
    expect(figures?.heldOutPictures).toBe(figures?.pictures);
    expect(predictions).toHaveLength(metrics.pictures);
    const large = figures?.sizes.find(({ size }) => size === '≥ 32 px');
    expect(large?.face.recall.value).toBeGreaterThanOrEqual(0.9);
    expect(large?.rightOfJudged.value).toBeGreaterThanOrEqual(0.9);
  }, 120_000);

  it('make an incident in whose still nobody can be recognised, the subject neither', async () => {
    const [asset = ''] = MASK_ASSETS;
    const { manifest, ...file } = await store.resolveModel(asset);
    const model = await loadNetwork({ manifest, file });
    const pictureMaker = new LocalPictureMaker({ face: await openFaceDetector(model) });
    const finder = await openFaceNet(model);
    const recorded: { box: readonly [number, number, number, number]; found: number }[] = [];
    for (const { file, faces } of await loadMaskFolder(folder)) {
      const subject = faces.find(({ label, box }) => label === 'without' && box[2] - box[0] >= 24);
      if (subject === undefined) continue;
      const frame = await readPictureFile(file);
      const seen = (await finder.find(frame, { minConfidence: 0.42 })).map(({ box }) => box);
      const made = await makeMaskIncident({ frame, box: subject.box, faces: seen, pictures: pictureMaker });
      const still = await readPictureFile(made.still);
      const again = await finder.find(still, { minConfidence: 0.6 });
      for (const { box } of faces.filter((face) => face.box[2] - face.box[0] >= 16))
        recorded.push({ box, found: again.filter((face) => computeIou(face.box, box) > 0.3).length });
      expect(made.roles).toEqual(['still-at']);
      expect(made.recipe).toMatch(/ faces=yunet-n-640@/);
    }
    await Promise.all([finder.close(), pictureMaker.close()]);
    expect(recorded.length).toBeGreaterThanOrEqual(3);
    expect(recorded.filter(({ found }) => found > 0)).toEqual([]);
  }, 120_000);

  it('are not looked for in a picture that cannot be read', async () => {
    await writeFile(join(folder, 'images', 'torn.jpg'), 'no picture');
    await writeFile(join(folder, 'annotations', 'torn.xml'), '<annotation/>');
    await expect(evaluateMasks({ dataDir: folder, choosers: [sight] }, signal)).rejects.toMatchObject({
      code: 'PICTURE_UNREADABLE',
    });
  }, 120_000);
});

describe.skipIf(!hasNets || clip === undefined)('people with masks who walk past', () => {
  it('are counted once each, as a person saw them', async () => {
    const dataDir = join(findRepositoryRoot(), 'models', 'annotations');
    const chooser = new HonestSight('fused', store, signal);
    const { sight } = await chooser.choose('');
    const clips = await evaluateMaskClips({ dataDir, assets: store, sight }, signal);
    await chooser.close();
    expect(clips.map(({ name }) => name)).toEqual(['masked-people-walking']);
    const metrics = clips[0]?.metrics ?? { wrong: 99, missed: 99, right: 0, countedMore: 99, strangers: 99 };
    expect(metrics.strangers).toBeLessThanOrEqual(2);
    expect(metrics.countedMore).toBeLessThanOrEqual(2);
    expect(metrics.wrong).toBeLessThanOrEqual(1);
    expect(metrics.missed).toBeLessThanOrEqual(2);
    expect(metrics.right).toBeGreaterThanOrEqual(9);
  }, 300_000);

  it('reach the outbox as counts of a window, from a live camera', async () => {
    const camera = await startCameraSimulator(
      { mounts: [{ path: '/gate', clip: await loadClip(clip?.path ?? '', { signal }), startAtMs: 14_000 }] },
      signal,
    );
    const told: Telemetry[] = [];
    const stop = new AbortController();
    const masks = fillDefaults(MaskProfile, { windowMs: 10_000 }) as MaskProfile;
    const places = await Promise.all(
      MASK_ASSETS.map(async (name) => {
        const { manifest, ...file } = await store.resolveModel(name);
        const place = new NetworkHolder<FaceNet>();
        await place.replace(await openFaceNet(await loadNetwork({ manifest, file })));
        return place;
      }),
    );
    const running = runMasks(
      {
        cameras: [
          {
            ...{ name: 'gate', url: camera.camera('/gate').url, stallTimeoutMs: 10_000 },
            ...{ picture: { width: 538, height: 372 }, sceneSha256: 'b'.repeat(64), masks },
          },
        ],
      },
      {
        ...{ site: 'demo', node: 'gateway-1', clock: { nowMs: () => Date.now() }, random: Math.random },
        version: '0.1.0',
        networks: { places, listModels: () => [] },
        // the profile asks for no incidents: nothing of this is touched
        evidence: {
          pictures: { make: () => expect.unreachable() },
          files: {
            add: () => expect.unreachable(),
            openWorkFolder: () => expect.unreachable(),
            path: () => expect.unreachable(),
          },
          sealer: { refresh: () => expect.unreachable(), seal: () => expect.unreachable() },
        },
        outbox: {
          outboxId: '00000000-0000-4000-8000-000000000001',
          mark: () => expect.unreachable(),
          append: (messages) => {
            for (const { channel, body } of messages) {
              expect(channel).toBe('telemetry');
              if (channel === 'telemetry') told.push(body);
            }
            return [];
          },
        },
        logger: pino({ level: 'silent' }),
      },
      stop.signal,
    );
    const total = (metric: string): number =>
      told
        .flatMap(({ measurements }): Measurement[] => measurements)
        .reduce((sum, entry) => sum + (entry.metric === metric ? entry.value : 0), 0);
    try {
      await expect.poll(() => total('maskWith'), { timeout: 180_000, interval: 200 }).toBeGreaterThan(0);
    } finally {
      stop.abort();
      await running;
      await camera.stop();
    }
    expect(total('maskWatchedShare')).toBeGreaterThan(0);
    expect(told.every(({ camera: name }) => name === 'gate')).toBe(true);
    // counts only: nothing that could tell who or where
    expect(JSON.stringify(told)).not.toMatch(/box|picture|personId/);
  }, 240_000);
});
