import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ERROR_CODES } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import {
  findCycle,
  type Import,
  listFiles,
  loadSources,
  packageOf,
  parseSource,
  ROOT,
  resolveRelative,
  type SourceFile,
} from './source/source-tree.ts';
import { findStyleComplaints, MAX_FILE_LINES, MAX_FUNCTION_LINES } from './source/style-complaint.ts';

/** Which workspace packages each one may import, by folder (the table of ARCHITECTURE.md). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  trust: ['contract'],
  edge: ['contract', 'trust'],
  cloud: ['contract', 'trust'],
  'firmware-config': ['contract'],
  models: ['contract', 'edge', 'firmware-config', 'simulators'],
  simulators: ['contract'],
  benchmarks: ['contract', 'trust', 'edge', 'cloud', 'models', 'firmware-config', 'simulators'],
  cli: ['contract', 'trust', 'edge', 'cloud', 'models', 'firmware-config', 'simulators', 'benchmarks'],
};
/** The wire contract stands on its schema library alone. */
const CONTRACT_LIBRARIES = ['@sinclair/typebox'];

/** Stages of the edge, which do not know each other. */
const STAGES = [
  'anomaly',
  'camera',
  'detect',
  'track',
  'signal',
  'rules',
  'evidence',
  'plate',
  'outbox',
  'uplink',
  'health',
  'readiness',
  'thermal',
  'mask',
  'helmet',
  'occupant',
  'proposal',
  'sensor',
];
const SHARED_BY_STAGES = ['frame', 'geometry', 'model'];
/** Value types that cross stages: imported as types only. */
const SHARED_TYPES = [
  'edge/src/detect/detection.ts',
  'edge/src/plate/plate-reading.ts',
  'edge/src/track/track.ts',
];
/** What wires the stages: these folders, and the files beside them that start and stop the agent. */
const WIRING_FOLDERS = ['pipeline', 'testing', 'untrusted'];

const FORBIDDEN_NAME = /(^|[-.])(utils?|helpers?|managers?|common|misc)([-.]|$)/;

const sources = loadSources();
const packages = Object.keys(MAY_IMPORT);
const nameOf = new Map(packages.map((folder) => [readManifest(folder).name, folder]));

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest;
}

const folderOf = (path: string): string => path.split('/')[0] ?? '';

/** Stage or folder below edge/src; undefined for the files that lie there themselves. */
function edgeFolderOf(path: string): string | undefined {
  const [, , folder, ...rest] = path.split('/');
  return path.startsWith('edge/src/') && rest.length > 0 ? folder : undefined;
}

/** Says each import for which `judge` has a complaint: `file:line complaint`. */
function complain(
  files: readonly SourceFile[],
  judge: (file: SourceFile, found: Import) => string | undefined,
): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap((found) => {
      const complaint = judge(file, found);
      return complaint === undefined ? [] : [`${file.path}:${found.line} ${complaint}`];
    }),
  );
}

const inPackages = sources.filter(({ path }) => packages.includes(folderOf(path)));
/** What trains models runs in a checkout, and is no part of a package. */
const shipped = inPackages.filter(({ isTest, path }) => !isTest && !path.startsWith('models/training/'));

describe('packages', () => {
  it('are all in the table', () => {
    const root = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { workspaces: string[] };
    expect([...root.workspaces].sort()).toEqual([...packages].sort());
  });

  it('import only the packages that the table allows', () => {
    const complaints = complain(inPackages, (file, found) => {
      const target = nameOf.get(packageOf(found) ?? '');
      if (target === undefined || target === folderOf(file.path)) return undefined;
      return MAY_IMPORT[folderOf(file.path)]?.includes(target) ? undefined : `imports ${target}`;
    });
    expect(complaints).toEqual([]);
  });

  it('import one another by name alone, never an inner file', () => {
    const complaints = complain(inPackages, (file, found) => {
      const path = resolveRelative(file, found);
      if (path !== undefined) {
        // tests may share the builders of the integration tests
        const own = folderOf(path) === folderOf(file.path) || (file.isTest && folderOf(path) === 'tests');
        return own ? undefined : `reaches into ${path}`;
      }
      const name = packageOf(found) ?? '';
      return nameOf.has(name) && found.specifier !== name
        ? `imports the inner file ${found.specifier}`
        : undefined;
    });
    expect(complaints).toEqual([]);
  });

  it('write down what they import, tests aside', () => {
    const complaints = complain(shipped, (file, found) => {
      const name = packageOf(found);
      if (name === undefined || name.startsWith('node:')) return undefined;
      const { dependencies, devDependencies } = readManifest(folderOf(file.path));
      return { ...dependencies, ...devDependencies }[name] === undefined
        ? `imports ${name}, not in its package.json`
        : undefined;
    });
    expect(complaints).toEqual([]);
  });

  it('use the modules of Node under their full name', () => {
    const complaints = complain(sources, (_, { specifier }) =>
      /^(fs|path|os|crypto|child_process|stream|net|http|https|url|events|util|worker_threads)(\/|$)/.test(
        specifier,
      )
        ? `imports ${specifier} without node:`
        : undefined,
    );
    expect(complaints).toEqual([]);
  });
});

describe('contract', () => {
  it('imports its schema library and itself', () => {
    const files = shipped.filter(({ path }) => folderOf(path) === 'contract');
    expect(files.length).toBeGreaterThan(5);
    const complaints = complain(files, (_, found) => {
      const name = packageOf(found);
      return name === undefined || CONTRACT_LIBRARIES.includes(name) ? undefined : `imports ${name}`;
    });
    expect(complaints).toEqual([]);
  });
});

describe('stages of the edge', () => {
  const files = shipped.filter(({ path }) => path.startsWith('edge/src/'));

  it('are all named here', () => {
    const folders = new Set(files.flatMap(({ path }) => edgeFolderOf(path) ?? []));
    const known = [...STAGES, ...SHARED_BY_STAGES, ...WIRING_FOLDERS];
    expect([...folders].filter((folder) => !known.includes(folder))).toEqual([]);
  });

  it('do not import each other, but for shared values and types', () => {
    const complaints = complain(files, (file, found) => {
      const own = edgeFolderOf(file.path) ?? '';
      const path = resolveRelative(file, found);
      const other = path === undefined ? undefined : edgeFolderOf(path);
      if (!STAGES.includes(own) || path === undefined || other === own) return undefined;
      if (other !== undefined && SHARED_BY_STAGES.includes(other)) return undefined;
      return found.isTypeOnly && SHARED_TYPES.includes(path) ? undefined : `imports ${path}`;
    });
    expect(complaints).toEqual([]);
  });

  it('stand on frame and geometry, which know no stage', () => {
    const complaints = complain(files, (file, found) => {
      if (!SHARED_BY_STAGES.includes(edgeFolderOf(file.path) ?? '')) return undefined;
      const other = edgeFolderOf(resolveRelative(file, found) ?? '');
      return other === undefined || SHARED_BY_STAGES.includes(other) ? undefined : `imports ${other}`;
    });
    expect(complaints).toEqual([]);
  });

  it('are wired by the pipeline and by the agent alone', () => {
    const wiring = files.filter(({ path }) => {
      const folder = edgeFolderOf(path);
      return folder !== undefined && !WIRING_FOLDERS.includes(folder);
    });
    const complaints = wiring.flatMap((file) => {
      const values = file.imports.filter(({ isTypeOnly }) => !isTypeOnly);
      const stages = new Set(
        values.flatMap((found) => edgeFolderOf(resolveRelative(file, found) ?? '') ?? []),
      );
      const wired = [...stages].filter((stage) => STAGES.includes(stage));
      return wired.length > 1 ? [`${file.path} wires ${wired.join(', ')}`] : [];
    });
    expect(complaints).toEqual([]);
  });

  it('are used by tests alone where they lie in testing, and by the samples of untrusted parsers', () => {
    const complaints = complain(shipped, (file, found) => {
      const isSupport = /\/(testing|untrusted)\//.test(file.path);
      const isUsed = resolveRelative(file, found)?.includes('/testing/') === true;
      return isUsed && !isSupport ? `imports ${found.specifier}` : undefined;
    });
    expect(complaints).toEqual([]);
  });
});

describe('imports', () => {
  it('name files that are there', () => {
    const known = new Set(listFiles());
    const complaints = complain(inPackages, (file, found) => {
      const path = resolveRelative(file, found)?.replace(/\?.*$/, '');
      return path === undefined || known.has(path) ? undefined : `imports ${path}, which is not there`;
    });
    expect(complaints).toEqual([]);
  });

  it('run in no circle at run time', () => {
    const edges = new Map(
      sources.map((file) => {
        const values = file.imports.filter(({ isTypeOnly }) => !isTypeOnly);
        return [file.path, new Set(values.flatMap((found) => resolveRelative(file, found) ?? []))];
      }),
    );
    expect(findCycle(edges)).toBeUndefined();
  });

  it('run in no circle between the folders of a package', () => {
    for (const owner of packages) {
      const edges = new Map<string, Set<string>>();
      for (const file of shipped.filter(({ path }) => folderOf(path) === owner)) {
        const from = file.path.split('/').slice(0, -1).join('/');
        for (const found of file.imports) {
          const to = resolveRelative(file, found)?.split('/').slice(0, -1).join('/');
          // a folder and what lies below it are one subject
          if (to === undefined || `${from}/`.startsWith(`${to}/`) || `${to}/`.startsWith(`${from}/`))
            continue;
          edges.set(from, (edges.get(from) ?? new Set()).add(to));
        }
      }
      expect(findCycle(edges), owner).toBeUndefined();
    }
  });
});

describe('names', () => {
  it('of files and folders say what is inside', () => {
    const complaints = listFiles().filter((path) =>
      path.split('/').some((part) => FORBIDDEN_NAME.test(part)),
    );
    expect(complaints).toEqual([]);
  });

  it('of source files are kebab-case', () => {
    const complaints = sources.filter(
      ({ path }) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.config)?\.\w+$/.test(basename(path)),
    );
    expect(complaints.map(({ path }) => path)).toEqual([]);
  });
});

describe('error codes', () => {
  it('are each used by some part of the product', () => {
    const code = shipped
      .concat(sources.filter(({ path }) => path.startsWith('scripts/')))
      .filter(({ path }) => path !== 'contract/src/error-code.ts')
      .map(({ text }) => text)
      .join('\n');
    expect(Object.keys(ERROR_CODES).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });
});

describe('style', () => {
  const complaints = findStyleComplaints(sources);

  it('has no any', () => {
    expect(complaints.any).toEqual([]);
  });

  it('asserts no value to be there with an exclamation mark', () => {
    expect(complaints.nonNull).toEqual([]);
  });

  it(`has no function of more than ${MAX_FUNCTION_LINES} lines`, () => {
    expect(complaints.longFunction).toEqual([]);
  });

  it(`has no file of more than ${MAX_FILE_LINES} lines`, () => {
    expect(complaints.longFile).toEqual([]);
  });

  it('would see each of these', () => {
    const body = 'run();\n'.repeat(70);
    const text = [
      'const a: any = b!;',
      `class C {\n  d!: string;\n  e() {\n${body}}\n}`,
      `describe('suite', () => {\n${body}});`,
      `const f = (g: number[]) => g;\n${'\n'.repeat(400)}end();`,
    ].join('\n');
    expect(findStyleComplaints([parseSource('edge/src/sample.ts', text)])).toEqual({
      any: ['edge/src/sample.ts:1 any'],
      nonNull: ['edge/src/sample.ts:1 b!', 'edge/src/sample.ts:3 d!:'],
      longFunction: ['edge/src/sample.ts:4 function of 72 lines'],
      longFile: ['edge/src/sample.ts has 550 lines'],
    });
  });
});

describe('the reading of imports', () => {
  it('finds every form of import, and tells types from values', () => {
    const file = parseSource(
      'edge/src/rules/sample.ts',
      [
        `import type { A } from '../track/track.ts';`,
        `import { type B, type C } from '../detect/detection.ts';`,
        `import { type D, e } from './e.ts';`,
        `import '@ngatu/cloud/src/inner.ts';`,
        `export * from 'node:fs';`,
        `export type { F } from '@ngatu/contract';`,
        `const g = await import('pino/file');`,
        `type H = import('./h.ts').H;`,
      ].join('\n'),
    );
    expect(file.imports.map(({ specifier, isTypeOnly, line }) => [line, specifier, isTypeOnly])).toEqual([
      [1, '../track/track.ts', true],
      [2, '../detect/detection.ts', true],
      [3, './e.ts', false],
      [4, '@ngatu/cloud/src/inner.ts', false],
      [5, 'node:fs', false],
      [6, '@ngatu/contract', true],
      [7, 'pino/file', false],
      [8, './h.ts', true],
    ]);
    expect(file.imports.map(packageOf)).toEqual([
      undefined,
      undefined,
      undefined,
      '@ngatu/cloud',
      'node:fs',
      '@ngatu/contract',
      'pino',
      undefined,
    ]);
  });

  it('finds a circle and the way round it', () => {
    const edges = new Map([
      ['a', new Set(['b', 'c'])],
      ['b', new Set<string>()],
      ['c', new Set(['d'])],
      ['d', new Set(['c'])],
    ]);
    expect(findCycle(edges)).toEqual(['c', 'd', 'c']);
    edges.set('d', new Set(['b']));
    expect(findCycle(edges)).toBeUndefined();
  });

  it('reads the whole repository', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(500);
  });
});
