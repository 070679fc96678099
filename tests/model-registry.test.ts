import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findSchemaIssues, ModelManifest, NgatuError, parseModelManifest } from '@ngatu/contract';
import { loadProfile } from '@ngatu/firmware-config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aYoloxManifest, aYoloxModel } from '../edge/src/testing/yolox-model.ts';
import { AssetStore } from '../models/src/asset-store.ts';
import { CARD_HEADINGS, findCardProblems, judgeModelCard } from '../models/src/model-card.ts';
import { checkModel } from '../models/src/model-check.ts';
import { draftModelManifest } from '../models/src/model-draft.ts';
import { loadModelRegistry } from '../models/src/model-registry.ts';

const BYTES = aYoloxModel({ classes: 8 });
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-registry-'));
  mkdirSync(join(folder, 'models', 'weights'), { recursive: true });
  mkdirSync(join(folder, 'own'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function aManifest(name: string, changes: Partial<ModelManifest> = {}): ModelManifest {
  return aYoloxManifest({ name, classes: 8, sha256: SHA256, sizeBytes: BYTES.length }, changes);
}

/** Puts a model into a place, `own` or `models/registry`, with its file beside it. */
function put(place: string, name: string, manifest: unknown = aManifest(name)): string {
  const path = join(folder, place, name, 'model.json');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  writeFileSync(join(dirname(path), `${name}.onnx`), BYTES);
  return dirname(path);
}

function aStore(): AssetStore {
  return new AssetStore({
    ...{ localDir: join(folder, 'local'), cacheDir: join(folder, 'cache') },
    ...{ modelsDir: join(folder, 'models'), ownModelsDir: join(folder, 'own') },
    manifest: { schemaVersion: 1, assets: [] },
  });
}

describe('the registry of the product', () => {
  const store = new AssetStore();
  const { models, problems } = store.registry;

  it('has no manifest that is broken, and all names once', () => {
    expect(problems).toEqual([]);
    expect(models.length).toBeGreaterThan(0);
    const names = store.list().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(models.map((model) => [model.manifest.name, model] as const))(
    'has a card of %s',
    (_, { folder: place }) => {
      expect(findCardProblems(place)).toEqual([]);
    },
  );

  it.each(models.map((model) => [model.manifest.name, model.manifest] as const))(
    'carries %s, or says where it is to be had',
    async (_, manifest) => {
      for (const file of manifest.files) {
        for (const source of file.sources) {
          if (source.kind === 'url') expect(source.url).toMatch(/^https:/);
          if (source.kind === 'repository') {
            const bytes = readFileSync(join(import.meta.dirname, '..', 'models', source.path));
            expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
            expect(bytes.length).toBeLessThan(8_000_000);
          }
        }
      }
    },
  );
});

describe('profiles of the product', () => {
  const { models } = new AssetStore().registry;
  const folder = join(import.meta.dirname, '..', 'firmware-config', 'profiles');
  const profiles = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

  it.each(profiles)('names in %s no model whose licence is in doubt', async (name) => {
    const words = JSON.stringify((await loadProfile(join(folder, name))).profile);
    const doubtful = models.filter(({ manifest }) => manifest.licence.doubt !== undefined);
    expect(doubtful.length).toBeGreaterThan(0);
    expect(doubtful.filter(({ manifest }) => words.includes(`"${manifest.name}"`))).toEqual([]);
  });
});

describe('a model of one’s own', () => {
  it('is found beside its manifest, with everything that its manifest says', async () => {
    put('own', 'mine');
    const store = aStore();
    expect(store.registry.problems).toEqual([]);
    const model = await store.resolveModel('mine');
    expect(model).toMatchObject({
      origin: 'beside',
      path: join(folder, 'own', 'mine', 'mine.onnx'),
      sha256: SHA256,
    });
    expect(model.manifest.decoding).toEqual({ format: 'yolox', classes: 8, strides: [8, 16, 32] });
  });

  it('may not take the name of one of the product, and does not hide it', async () => {
    put('models/registry', 'same');
    put('own', 'same', aManifest('same', { purpose: 'Another.' }));
    const { registry } = aStore();
    expect(registry.models.map(({ origin }) => origin)).toEqual(['product']);
    expect(registry.problems.map(({ error }) => error.message)).toEqual([
      expect.stringContaining('the product has a model "same" already'),
    ]);
  });
});

describe('a file that the product carries', () => {
  const carried = (path: string) =>
    aManifest('ours', {
      files: [
        {
          fileName: 'ours.onnx',
          sha256: SHA256,
          sizeBytes: BYTES.length,
          sources: [{ kind: 'repository', path }],
        },
      ],
    });

  it('is found below the folder of the product, never elsewhere', async () => {
    put('models/registry', 'ours', carried('weights/ours.onnx'));
    expect(await aStore().find('ours')).toBeUndefined();
    await expect(aStore().resolve('ours')).rejects.toMatchObject({
      code: 'ASSET_UNAVAILABLE',
      message: expect.stringContaining('models/weights/ours.onnx: there is no such file'),
    });
    writeFileSync(join(folder, 'models', 'weights', 'ours.onnx'), BYTES);
    expect(await aStore().find('ours')).toMatchObject({ origin: 'repository', sha256: SHA256 });
  });

  it('is not handed out where its bytes are others', async () => {
    put('models/registry', 'ours', carried('weights/ours.onnx'));
    for (const bytes of [BYTES.slice(0, -1), BYTES.map((byte) => byte ^ 1)]) {
      writeFileSync(join(folder, 'models', 'weights', 'ours.onnx'), bytes);
      expect(await aStore().find('ours')).toBeUndefined();
      await expect(aStore().resolveModel('ours')).rejects.toMatchObject({ code: 'ASSET_DIGEST_MISMATCH' });
    }
  });

  it.each(['../outside.onnx', 'weights/../../outside.onnx', '/etc/passwd', 'weights\\..\\x', '.hidden'])(
    'may not be named by the path %s',
    (path) => {
      put('models/registry', 'ours', carried(path));
      expect(aStore().registry.problems[0]?.error.code).toBe('MODEL_MANIFEST_INVALID');
    },
  );

  it('may not lie behind a link that leads out of the folder', async () => {
    writeFileSync(join(folder, 'outside.onnx'), BYTES);
    symlinkSync(join(folder, 'outside.onnx'), join(folder, 'models', 'weights', 'ours.onnx'));
    put('models/registry', 'ours', carried('weights/ours.onnx'));
    await expect(aStore().resolve('ours')).rejects.toMatchObject({ code: 'MODEL_MANIFEST_INVALID' });
  });
});

describe('rubbish in a manifest', () => {
  const sound = aManifest('bad');
  const [file] = sound.files;
  const rubbish: [string, unknown][] = [
    ['is no JSON', '{'],
    ['is empty', ''],
    ['is a list', []],
    ['has nothing in it', {}],
    ['is of another version', { ...sound, schemaVersion: 2 }],
    ['has a field that nobody knows', { ...sound, secret: 1 }],
    ['has another name than its folder', { ...sound, name: 'other' }],
    ['has a name that is none', { ...sound, name: '../bad' }],
    ['is for a task that nobody has', { ...sound, task: 'fortune-teller' }],
    ['has a digest that is none', { ...sound, files: [{ ...file, sha256: 'abc' }] }],
    ['has two files of ONNX', { ...sound, files: [file, { ...file, fileName: 'b.onnx' }] }],
    ['has no file', { ...sound, files: [] }],
    ['has an opset of the future', { ...sound, runtime: { kind: 'onnx', opset: 99 } }],
    ['has an axis of no length', { ...sound, inputs: [{ name: 'images', dtype: 'float32', shape: [1, 0] }] }],
    ['has a label beyond its classes', { ...sound, labels: { 0: 'person', 8: 'car' } }],
    ['has a label that is no road user', { ...sound, labels: { 0: 'person', 1: 'elephant' } }],
    ['has no road user among its labels', { ...sound, labels: { 6: 'traffic-light' } }],
    ['has a label at no number', { ...sound, labels: { first: 'person' } }],
    [
      'has an output that does not fit its classes',
      { ...sound, decoding: { format: 'yolox', classes: 9, strides: [8] } },
    ],
    ['has a confidence for nobody', { ...sound, thresholds: { perLabel: { bus: 0.5 } } }],
    [
      'has two means for three colours',
      { ...sound, preprocessing: { ...sound.preprocessing, mean: [1, 2] } },
    ],
    [
      'letterboxes with nothing',
      { ...sound, preprocessing: { colourOrder: 'bgr', mean: [0], std: [1], fit: 'letterbox' } },
    ],
    ['divides by zero', { ...sound, preprocessing: { ...sound.preprocessing, std: [0] } }],
    ['has a licence that is none', { ...sound, licence: { spdx: 'do what you like' } }],
    [
      'reads with a blank beyond its alphabet',
      {
        ...sound,
        task: 'plate-reader',
        labels: {},
        decoding: { format: 'ctc', alphabet: ['a', 'b'], blankIndex: 2 },
      },
    ],
    ['is larger than a manifest may be', `{"x":"${'a'.repeat(1_100_000)}"}`],
    ['is nested without end', `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
  ];

  it.each(rubbish)('that %s is one coded refusal, and stops no other model', async (_, manifest) => {
    put('own', 'bad', manifest);
    put('own', 'good');
    const store = aStore();
    expect(store.registry.problems.map(({ name, error }) => [name, error.code])).toEqual([
      ['bad', 'MODEL_MANIFEST_INVALID'],
    ]);
    expect(() => store.get('bad')).toThrow(expect.objectContaining({ code: 'MODEL_MANIFEST_INVALID' }));
    expect((await store.resolveModel('good')).sha256).toBe(SHA256);
  });

  it('is a folder without a manifest too', () => {
    mkdirSync(join(folder, 'own', 'empty'));
    const { problems } = loadModelRegistry({
      modelsDir: join(folder, 'models'),
      ownModelsDir: join(folder, 'own'),
    });
    expect(problems.map(({ error }) => error.code)).toEqual(['FILE_UNREADABLE']);
  });

  it('may be in no folder at all', () => {
    const registry = loadModelRegistry({ modelsDir: '/nowhere', ownModelsDir: join(folder, 'none') });
    expect([registry.models, registry.problems]).toEqual([[], []]);
  });
});

describe('the check of a model', () => {
  it('opens what is sound, and says what is wrong with the card', async () => {
    const place = put('own', 'mine');
    const store = aStore();
    const [model] = store.registry.models;
    if (model === undefined) throw new Error('the model is not there');
    expect(await checkModel(model, store)).toMatchObject({ file: 'sound', card: ['there is no card.md'] });
    copyFileSync(
      join(import.meta.dirname, '..', 'models', 'registry', 'yolox-nano-416', 'card.md'),
      join(place, 'card.md'),
    );
    expect((await checkModel(model, store)).card).toEqual([]);
  });

  it('tells a file that is not what its manifest says from one that is not there', async () => {
    put('own', 'mine', aManifest('mine', { runtime: { kind: 'onnx', opset: 12 } }));
    const store = aStore();
    const [model] = store.registry.models;
    if (model === undefined) throw new Error('the model is not there');
    expect(await checkModel(model, store)).toMatchObject({
      file: 'broken',
      error: { code: 'MODEL_INVALID' },
    });
    rmSync(join(folder, 'own', 'mine', 'mine.onnx'));
    expect(await checkModel(model, store)).toMatchObject({
      file: 'broken',
      error: { code: 'ASSET_UNAVAILABLE' },
    });
    const elsewhere = aManifest('far');
    const [file] = elsewhere.files;
    put('own', 'far', { ...elsewhere, files: [{ ...file, sources: [{ kind: 'local' }] }] });
    const second = aStore();
    const far = second.registry.find('far');
    expect(far && (await checkModel(far, second)).file).toBe('absent');
  });
});

describe('a card', () => {
  const card = (quality: string): string =>
    CARD_HEADINGS.map((heading) => `## ${heading}\n\n${heading === 'Quality' ? quality : 'Words.'}\n`).join(
      '\n',
    );

  it('needs every heading with something under it', () => {
    expect(judgeModelCard(card('AP50 0.9, measured on 2026-11-22.'))).toEqual([]);
    expect(judgeModelCard('')).toHaveLength(CARD_HEADINGS.length);
    expect(judgeModelCard(card('').replace('## Bias\n\nWords.', '## Bias'))).toHaveLength(2);
  });

  it('gives no figure without a day, unless it says that nothing was measured', () => {
    expect(judgeModelCard(card('AP50 0.9.'))).toHaveLength(1);
    expect(judgeModelCard(card('Not measured here.'))).toEqual([]);
  });
});

describe('the draft of a manifest', () => {
  it('fills in what a YOLOX says, and is refused until the rest is filled in', () => {
    const path = join(folder, 'My_YOLOX.onnx');
    writeFileSync(path, aYoloxModel({ classes: 80, opset: 12 }));
    const draft = draftModelManifest(path);
    expect(draft).toMatchObject({ name: 'my-yolox', task: 'road-user-detector', runtime: { opset: 12 } });
    expect(() => parseModelManifest(draft, 'a draft')).toThrow('/purpose: it is not filled in');
    const filled = { ...draft, purpose: 'Test.', attribution: 'nobody', licence: { spdx: 'CC0-1.0' } };
    expect(() => parseModelManifest(filled, 'a draft')).not.toThrow();
    writeFileSync(path, aYoloxModel({ classes: 8 }));
    expect(() => parseModelManifest(draftModelManifest(path), 'a draft')).toThrow(NgatuError);
    expect(findSchemaIssues(ModelManifest, { ...draftModelManifest(path), labels: { 0: 'bus' } })).toEqual(
      [],
    );
  });

  it('refuses what is no ONNX', () => {
    const path = join(folder, 'a.onnx');
    writeFileSync(path, 'no');
    expect(() => draftModelManifest(path)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
    expect(() => draftModelManifest(join(folder, 'none'))).toThrow(
      expect.objectContaining({ code: 'FILE_UNREADABLE' }),
    );
  });
});
