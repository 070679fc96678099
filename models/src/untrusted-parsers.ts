import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenUntrustedParser, UntrustedParser } from '@ngatu/contract';
import { parseWithSchema } from '@ngatu/contract';
import { LocalFiles } from './asset-local.ts';
import { findModelsFolder } from './asset-location.ts';
import { AssetManifest, loadAssetManifest } from './asset-manifest.ts';
import { loadFeverTables, parseFeverTable } from './evaluation/fever-table.ts';
import { loadMotSequences } from './evaluation/mot-sequence.ts';
import { formatMotText, loadMotText, parseMotText } from './evaluation/mot-text.ts';
import { loadNabFolder, parseNabSeries, parseNabWindows } from './evaluation/nab-folder.ts';
import { loadOccupantAnnotation } from './evaluation/occupant-annotation.ts';
import { loadTrackAnnotation } from './evaluation/track-annotation.ts';
import { loadUnlabelledPlaces } from './evaluation/unlabelled-objects.ts';
import { loadViolationTruth } from './evaluation/violation-truth.ts';
import { loadYoloFolder, parseYoloLabels } from './evaluation/yolo-folder.ts';
import { parseClassList, parseYoloYamlNames } from './evaluation/yolo-names.ts';
import { loadModelRegistry } from './model-registry.ts';
import { MASK_DATA_PARSERS } from './untrusted-mask-parsers.ts';
import { PLATE_DATA_PARSERS } from './untrusted-plate-parsers.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);
const decode = (input: Uint8Array): string => Buffer.from(input).toString('utf8');

/** A parser of a file that is written anew for each input. */
function onFile(
  folder: string,
  name: string,
  samples: readonly string[],
  load: (file: string, text: string) => Promise<unknown>,
): OpenUntrustedParser {
  const file = join(folder, name);
  return {
    samples: samples.map(encode),
    parse: async (input) => {
      writeFileSync(file, input);
      const answer = await load(file, decode(input));
      return typeof answer === 'string' ? 'declared' : undefined;
    },
  };
}

const yoloParser: UntrustedParser = {
  name: 'yolo-labels',
  covers: [
    'models/src/evaluation/yolo-folder.ts#loadYoloFolder',
    'models/src/evaluation/yolo-folder.ts#parseYoloLabels',
  ],
  source: 'a data set',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    for (const part of ['images', 'labels']) mkdirSync(join(folder, part));
    writeFileSync(join(folder, 'images', 'a.jpg'), '');
    const labels = '0 0.5 0.5 0.2 0.3\n3 0.1 0.1 0.1 0.1 0.9\n1 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n';
    const names = "names:\n  0: person\n  1: 'rider'\nnc: 2\n";
    const open = onFile(join(folder, 'labels'), 'a.txt', [labels], async (file, text) => {
      parseYoloLabels(text, file);
      writeFileSync(join(folder, 'data.yaml'), text);
      await loadYoloFolder(folder);
    });
    return { ...open, samples: [...open.samples, encode(`${labels}\n`)], extremes: [encode(names)] };
  },
};

/** Class names of a YOLO folder. */
const namesParser: UntrustedParser = {
  name: 'yolo-names',
  covers: [
    'models/src/evaluation/yolo-names.ts#parseYoloYamlNames',
    'models/src/evaluation/yolo-names.ts#parseClassList',
  ],
  source: 'a data set',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    mkdirSync(join(folder, 'images'));
    mkdirSync(join(folder, 'labels'));
    writeFileSync(join(folder, 'images', 'a.jpg'), '');
    const block = "path: .\nnames:\n  0: person\n  1: 'rider'\n  2: car\nnc: 3\n";
    const inline = "nc: 2\nnames: ['person', 'car']\n";
    return onFile(folder, 'data.yaml', [block, inline], (_, text) => {
      parseYoloYamlNames(text);
      parseClassList(text);
      return loadYoloFolder(folder);
    });
  },
};

const MOT_ROWS = formatMotText([
  { frame: 1, id: 1, box: [10, 20, 40, 90] },
  { frame: 2, id: 1, box: [12, 20, 42, 90] },
  { frame: 2, id: 7, box: [200.5, 20, 240, 90.25] },
]);

const motParser: UntrustedParser = {
  name: 'mot-text',
  covers: [
    'models/src/evaluation/mot-text.ts#parseMotText',
    'models/src/evaluation/mot-text.ts#loadMotText',
    'models/src/evaluation/mot-sequence.ts#loadMotSequences',
  ],
  source: 'a data set',
  form: 'text',
  pace: 'process',
  open: async (folder) =>
    onFile(folder, 'gt.txt', [MOT_ROWS, '1,1,10,20,30,40,1,1,0.8\n2 1 10 20 30 40\n'], async (file, text) => {
      parseMotText(text, { code: 'TRUTH_INVALID', what: 'truth' });
      await loadMotText(file, { code: 'TRUTH_INVALID', what: 'truth' });
      await loadMotSequences(folder);
    }),
};

const sequenceParser: UntrustedParser = {
  name: 'mot-seqinfo',
  covers: [],
  source: 'a data set',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    writeFileSync(join(folder, 'gt.txt'), MOT_ROWS);
    const info = '[Sequence]\nname=MOT17-02\nimDir=img1\nframeRate=30\nseqLength=600\nimWidth=1920\n';
    return onFile(folder, 'seqinfo.ini', [info], () => loadMotSequences(folder));
  },
};

const feverParser: UntrustedParser = {
  name: 'fever-table',
  covers: [
    'models/src/evaluation/fever-table.ts#loadFeverTables',
    'models/src/evaluation/fever-table.ts#parseFeverTable',
  ],
  source: 'a data set',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    const row = (id: number): string => `s${id},36.${id % 10},35.1,35.2,34.9,35.0\n`;
    const rows = Array.from({ length: 14 }, (_, id) => row(id)).join('');
    const table = `title\nSubjectID,aveOralM,T_RC1,T_RC2,Max1L13_1,Max1L13_2\n${rows}`;
    return onFile(folder, 'a.csv', [table, table.replaceAll(',', ';')], async (_file, text) => {
      const answer = parseFeverTable('a.csv', text);
      await loadFeverTables(folder);
      return answer;
    });
  },
};

const nabParser: UntrustedParser = {
  name: 'nab-series',
  covers: [
    'models/src/evaluation/nab-folder.ts#loadNabFolder',
    'models/src/evaluation/nab-folder.ts#parseNabSeries',
  ],
  source: 'a data set',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    const windows = { 'traffic/a.csv': [['2015-09-01 00:10:00.000000', '2015-09-01 00:20:00.000000']] };
    writeFileSync(join(folder, 'windows.json'), JSON.stringify(windows));
    const rows = Array.from({ length: 24 }, (_, row) => `2015-09-01 00:${10 + row}:00,${row}.5\n`);
    return onFile(folder, 'a.csv', [`timestamp,value\n${rows.join('')}`], async (file, text) => {
      parseNabSeries(text, file);
      await loadNabFolder(folder);
    });
  },
};

const windowParser: UntrustedParser = {
  name: 'nab-windows',
  covers: ['models/src/evaluation/nab-folder.ts#parseNabWindows'],
  source: 'a data set',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const windows = {
      'traffic/a.csv': [['2015-09-01 00:10:00.000000', '2015-09-01 00:20:00.000000']],
      b: [],
    };
    return onFile(folder, 'windows.json', [JSON.stringify(windows)], async (file, text) => {
      parseNabWindows(text, file);
    });
  },
};

const truthParser: UntrustedParser = {
  name: 'violation-truth',
  covers: ['models/src/evaluation/violation-truth.ts#loadViolationTruth'],
  source: 'a data set',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const truth = {
      video: 'a.mp4',
      frames: 100,
      size: [1280, 720],
      kinds: ['RED_LIGHT'],
      light: { red: [[0, 40]], green: [[41, 99]] },
      events: [
        { id: 1, kind: 'RED_LIGHT', frame: 20, x: 100, y: 200, path: [[20, 100, 200]] },
        { kind: 'any', frame_range: [30, 40], tolerance_frames: 3 },
      ],
    };
    return onFile(folder, 'a.truth.json', [JSON.stringify(truth)], (file) => loadViolationTruth(file));
  },
};

const occupantParser: UntrustedParser = {
  name: 'occupant-annotation',
  covers: ['models/src/evaluation/occupant-annotation.ts#loadOccupantAnnotation'],
  source: 'a data set',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const motorbikes = [{ box: [10, 20, 40, 90], occupants: 2 }];
    const facts = { schemaVersion: 1, counted: 'all', reader: 'by eye', boxes: 'drawn' };
    const samples = [
      { ...facts, source: { folder: 'a/images' }, pictures: [{ file: 'a.jpg', motorbikes }] },
      { ...facts, source: { video: 'a.mp4', size: [640, 480] }, pictures: [{ frame: 3, motorbikes }] },
    ];
    return onFile(
      folder,
      'a.occupants.json',
      samples.map((sample) => JSON.stringify(sample)),
      loadOccupantAnnotation,
    );
  },
};

const unlabelledParser: UntrustedParser = {
  name: 'unlabelled-objects',
  covers: ['models/src/evaluation/unlabelled-objects.ts#loadUnlabelledPlaces'],
  source: 'a data set',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const boxes = { seen: [[10, 20, 40, 90]], doubtful: [[1, 2, 3, 4]], none: [[5.5, 6, 7, 8]] };
    const facts = { schemaVersion: 1, label: 'motorbike', judged: 'by eye', boxes: 'drawn' };
    const sample = { ...facts, pictures: [{ file: 'a/b.jpg', ...boxes }, { file: 'c.jpg' }] };
    return onFile(folder, 'a.unlabelled.json', [JSON.stringify(sample)], loadUnlabelledPlaces);
  },
};

const annotationParser: UntrustedParser = {
  name: 'track-annotation',
  covers: ['models/src/evaluation/track-annotation.ts#loadTrackAnnotation'],
  source: 'a data set',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const annotation = {
      schemaVersion: 1,
      video: 'a.mp4',
      sha256: 'ab'.repeat(32),
      size: [1280, 720],
      frames: [0, 99],
      madeBy: 'hand',
      ignored: [{ box: [0, 0, 10, 10], why: 'a poster' }],
      tracks: [
        {
          id: 1,
          label: 'car',
          keyframes: [
            [0, 1, 2, 30, 40],
            [9, 5, 6, 35, 46],
          ],
          hidden: [[3, 4]],
        },
      ],
    };
    return onFile(folder, 'a.tracks.json', [JSON.stringify(annotation)], () =>
      loadTrackAnnotation(folder, 'a'),
    );
  },
};

const manifestParser: UntrustedParser = {
  name: 'asset-manifest',
  covers: ['models/src/asset-manifest.ts#loadAssetManifest'],
  source: 'whoever may change the manifest of models and clips',
  form: 'json',
  pace: 'process',
  open: async () => {
    const { schemaVersion, assets } = loadAssetManifest();
    return {
      samples: [encode(JSON.stringify({ schemaVersion, assets: assets.slice(0, 6) }))],
      parse: (input) => {
        let value: unknown;
        try {
          value = JSON.parse(decode(input));
        } catch (error) {
          if (error instanceof SyntaxError) return 'NOT_JSON';
          throw error;
        }
        parseWithSchema(AssetManifest, value, { code: 'ASSET_UNKNOWN', what: 'an asset manifest' });
        return undefined;
      },
    };
  },
};

const modelFolderParser: UntrustedParser = {
  name: 'model-folder',
  covers: [
    'models/src/model-registry.ts#loadModelManifest',
    'models/src/model-registry.ts#loadModelRegistry',
  ],
  source: 'who may put a model before a node',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const { models } = loadModelRegistry({ modelsDir: findModelsFolder() });
    const own = join(folder, 'own');
    mkdirSync(join(own, 'yolox-nano-416'), { recursive: true });
    const known = models.filter(({ manifest }) => manifest.name === 'yolox-nano-416');
    return {
      samples: known.map(({ manifest }) => encode(JSON.stringify(manifest))),
      parse: (input) => {
        writeFileSync(join(own, 'yolox-nano-416', 'model.json'), input);
        const [problem] = loadModelRegistry({ modelsDir: folder, ownModelsDir: own }).problems;
        return problem?.error.code;
      },
    };
  },
};

const indexParser: UntrustedParser = {
  name: 'asset-index',
  covers: [],
  source: 'the cache folder, torn or changed',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const local = join(folder, 'local');
    mkdirSync(local);
    const path = join(local, 'a.bin');
    writeFileSync(path, 'some bytes');
    const { size: sizeBytes, mtimeMs } = statSync(path);
    const text = JSON.stringify({ [path]: { sizeBytes, mtimeMs, sha256: 'ab'.repeat(32) } });
    return onFile(folder, 'index.json', [text], async (indexPath) => {
      await new LocalFiles({ folder: local, indexPath }).find('ab'.repeat(32), 10);
    });
  },
};

/** Parsers of data sets and manifests that meet untrusted input. */
export const MODELS_PARSERS: readonly UntrustedParser[] = [
  yoloParser,
  namesParser,
  motParser,
  sequenceParser,
  feverParser,
  nabParser,
  windowParser,
  truthParser,
  annotationParser,
  occupantParser,
  unlabelledParser,
  manifestParser,
  modelFolderParser,
  indexParser,
  ...MASK_DATA_PARSERS,
  ...PLATE_DATA_PARSERS,
];
