// Builds dist/: the command line with all workspaces in it (esbuild) and the console (vite). A part whose sources have
// not changed since its last build is left as it is.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.stamp.json');
const WORKSPACES = [
  'contract',
  'trust',
  'edge',
  'cloud',
  'models',
  'firmware-config',
  'simulators',
  'benchmarks',
  'cli',
];
const CONSOLE = join(ROOT, 'cloud', 'console');
const PAGE = join(ROOT, 'trust', 'page');
const SKIPPED = new Set(['node_modules', 'dist', '.git', 'console']);

/** Name in dist → source, for what is there. */
function findEntries() {
  const entries = {
    ngatu: join(ROOT, 'cli/src/main.ts'),
    // a thread of the agent, which loads no more than it needs
    'thermal-program': join(ROOT, 'edge/src/thermal-program.ts'),
  };
  const reference = join(ROOT, 'scripts/generate-reference.ts');
  if (existsSync(reference)) entries['generate-reference'] = reference;
  return entries;
}

async function listFiles(folders, skipped = SKIPPED) {
  const files = [];
  const visit = async (folder) => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name)) await visit(path);
      } else if (
        /\.(ts|tsx|mjs|json|css|html|svg|sql)$/.test(entry.name) &&
        !/\.test\.tsx?$/.test(entry.name)
      ) {
        files.push(path);
      }
    }
  };
  await Promise.all(folders.filter((folder) => existsSync(folder)).map(visit));
  return files.sort();
}

async function fingerprint(files, readContent) {
  const hash = createHash('sha256').update(process.version);
  const parts = await Promise.all(
    files.map(async (file) => {
      if (readContent)
        return createHash('sha256')
          .update(await readFile(file))
          .digest('hex');
      const info = await stat(file);
      return `${info.size} ${info.mtimeMs}`;
    }),
  );
  for (const [index, file] of files.entries()) hash.update(`${relative(ROOT, file)} ${parts[index]}\n`);
  return hash.digest('hex');
}

async function readStamp() {
  try {
    return JSON.parse(await readFile(STAMP, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Runs `build` unless the part's files are those of the last time: by size and time, and where these differ by content. */
async function refresh(part, files, output, build) {
  const stamp = await readStamp();
  const known = stamp[part];
  const quick = await fingerprint(files, false);
  if (known?.quick === quick && existsSync(output)) return false;
  const content = await fingerprint(files, true);
  const isStale = known?.content !== content || !existsSync(output);
  if (isStale) await build();
  await writeWhole(STAMP, JSON.stringify({ ...(await readStamp()), [part]: { quick, content } }));
  return isStale;
}

async function writeWhole(path, text) {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, text);
  await rename(draft, path);
}

/** Another build at work is waited for; a lock whose process is gone is taken over. */
async function withLock(work) {
  const lock = join(DIST, '.lock');
  for (;;) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
      const age = Date.now() - ((await stat(lock).catch(() => undefined))?.mtimeMs ?? Date.now());
      if (holder > 0 ? !isAlive(holder) : age > 2_000) await rm(lock, { force: true });
      else await delay(50);
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

/** Workspaces are bundled, packages are not: they stay where npm put them. */
const workspacePlugin = {
  name: 'workspaces',
  setup(build) {
    build.onResolve({ filter: /^@ngatu\// }, async ({ path }) => ({
      path: createRequire(join(ROOT, 'cli/package.json')).resolve(path),
    }));
  },
};

async function buildProgram() {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    entryPoints: findEntries(),
    outdir: DIST,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk/[name]-[hash]',
    bundle: true,
    splitting: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    packages: 'external',
    plugins: [workspacePlugin],
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    absWorkingDir: ROOT,
  });
  await mkdir(join(DIST, 'chunk'), { recursive: true });
  const isEntry = (file) => dirname(file.path) === DIST;
  // Entries come last, each whole: who starts in between finds the old program or the new one.
  for (const file of outputFiles.filter((output) => !isEntry(output)))
    await writeWhole(file.path, file.contents);
  for (const file of outputFiles.filter(isEntry)) await writeWhole(file.path, file.contents);
  const fresh = new Set(outputFiles.map((file) => file.path));
  await removeOldChunks(fresh);
  await esbuild.stop();
}

/** A program that runs may still load a chunk of the build before: chunks are kept for a day. */
async function removeOldChunks(fresh) {
  for (const name of await readdir(join(DIST, 'chunk'))) {
    const path = join(DIST, 'chunk', name);
    if (!fresh.has(path) && Date.now() - (await stat(path)).mtimeMs > 86_400_000)
      await rm(path, { force: true });
  }
}

async function buildConsole() {
  const require = createRequire(join(ROOT, 'cloud/package.json'));
  const { build } = await import(
    pathToFileURL(join(dirname(require.resolve('vite/package.json')), 'dist/node/index.js'))
  );
  await build({
    root: CONSOLE,
    configFile: join(CONSOLE, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: join(DIST, 'console'), emptyOutDir: true },
  });
}

/** The page that verifies exports: one file with everything in it, which runs from the disk and reaches nothing else. */
async function buildPage() {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(PAGE, 'page.ts')],
    bundle: true,
    write: false,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    plugins: [workspacePlugin],
    legalComments: 'none',
    logLevel: 'warning',
    absWorkingDir: ROOT,
  });
  await esbuild.stop();
  // The end tag of a script in a text of it would end the script.
  const script = outputFiles[0].text.replaceAll('</script', '<\\/script');
  const style = await readFile(join(PAGE, 'page.css'), 'utf8');
  const digest = (text) => createHash('sha256').update(text).digest('base64');
  // The schema library makes its validators of text.
  const policy = `default-src 'none'; script-src 'sha256-${digest(script)}' 'unsafe-eval'; style-src 'sha256-${digest(style)}'`;
  const parts = [
    [`content="default-src 'none'"`, `content="${policy}"`],
    ['<style></style>', `<style>${style}</style>`],
    ['<script></script>', `<script>${script}</script>`],
  ];
  let html = await readFile(join(PAGE, 'index.html'), 'utf8');
  for (const [place, part] of parts) {
    if (html.split(place).length !== 2) throw new Error(`trust/page/index.html has not one ${place}`);
    html = html.replace(place, () => part);
  }
  await writeWhole(join(DIST, 'verify.html'), html);
}

/** Brings dist/ up to date. `log` gets one line for each part that had to be built. */
export async function ensureBuild({ log = () => {}, parts = ['program', 'page', 'console'] } = {}) {
  await mkdir(DIST, { recursive: true });
  const common = [
    join(ROOT, 'package-lock.json'),
    join(ROOT, 'tsconfig.json'),
    fileURLToPath(import.meta.url),
  ];
  const reference = join(ROOT, 'scripts/generate-reference.ts');
  const program = [
    ...common,
    ...(existsSync(reference) ? [reference] : []),
    ...(await listFiles(WORKSPACES.map((name) => join(ROOT, name)))),
  ];
  await withLock(async () => {
    const timed = async (what, build) => {
      const begun = performance.now();
      await build();
      log(`built ${what} in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    };
    if (parts.includes('program')) {
      await refresh('program', program, join(DIST, 'ngatu.mjs'), () => timed('dist/ngatu.mjs', buildProgram));
    }
    if (parts.includes('page')) {
      const trusted = await listFiles([PAGE, join(ROOT, 'trust/src'), join(ROOT, 'contract/src')]);
      await refresh('page', [...common, ...trusted], join(DIST, 'verify.html'), () =>
        timed('dist/verify.html', buildPage),
      );
    }
    if (!parts.includes('console')) return;
    if (!existsSync(join(CONSOLE, 'vite.config.ts'))) {
      log('skipped the console: cloud/console/vite.config.ts is not there');
      return;
    }
    const sources = [
      ...common,
      ...(await listFiles([CONSOLE, join(ROOT, 'contract/src')], new Set(['node_modules']))),
    ];
    await refresh('console', sources, join(DIST, 'console/index.html'), () =>
      timed('dist/console', buildConsole),
    );
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureBuild({ log: (line) => console.log(`build: ${line}`) });
}
