// `npm run sbom [FILE]`: what the product is made of, as CycloneDX: every npm package that runs in production by the lock file, and the
// system packages with the versions that are installed here. Writes FILE, by default dist/sbom.cdx.json.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PACKAGES } from './setup.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Licences of system packages as their copyright files in Debian say; they run as programs of their own. */
const SYSTEM_LICENCES = {
  ffmpeg: 'GPL-2.0-or-later',
  mosquitto: 'EPL-2.0 OR BSD-3-Clause',
};

/** A package whose manifest states no licence, and where it states it instead. */
export const LICENCES_STATED_ELSEWHERE = {
  'combine-errors@3.0.3': { licence: 'MIT', where: 'the readme of github.com/matthewmueller/combine-errors' },
};

/** Licences that ask for more than their own text. A package under one of them stands here with the reason why it may be used. */
export const COPYLEFT_ALLOWED = [
  {
    packages: /^@img\/sharp-/,
    licence: /LGPL-3\.0-or-later/,
    reason:
      'libvips is a shared library of its own that sharp loads: it is not changed, and whoever runs the product may replace the file (LGPL-3.0, section 4d).',
  },
];

const COPYLEFT = /\b(A?GPL|LGPL|MPL|EPL|CDDL|EUPL|OSL|SSPL|BUSL)\b/;

/** Packages of the lock file that are installed for production: `name@version` → licence as its manifest states it. */
export function listProductionPackages(lock) {
  const found = new Map();
  for (const [path, entry] of Object.entries(lock.packages)) {
    const at = path.lastIndexOf('node_modules/');
    if (at < 0 || entry.link === true || entry.dev === true) continue;
    found.set(`${path.slice(at + 'node_modules/'.length)}@${entry.version}`, entry.license ?? '');
  }
  return found;
}

/** What is wrong with the licences of production packages: one line each. */
export function findLicenceComplaints(packages) {
  return [...packages].flatMap(([name, stated]) => {
    const licence = stated || LICENCES_STATED_ELSEWHERE[name]?.licence;
    if (licence === undefined) return [`${name} states no licence`];
    const choices = licence.replace(/^\(|\)$/g, '').split(' OR ');
    if (choices.some((choice) => !COPYLEFT.test(choice))) return [];
    const isAllowed = COPYLEFT_ALLOWED.some((rule) => rule.packages.test(name) && rule.licence.test(licence));
    return isAllowed ? [] : [`${name} is under ${licence}`];
  });
}

function findSystemVersion(name) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the notation of dpkg-query
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' });
  return query.status === 0 && query.stdout !== '' ? query.stdout : undefined;
}

function describeSystemPackage(name) {
  const version = findSystemVersion(name);
  return {
    'bom-ref': `deb:${name}`,
    type: 'application',
    name,
    ...(version === undefined ? {} : { version }),
    scope: 'required',
    purl: `pkg:deb/debian/${name}${version === undefined ? '' : `@${encodeURIComponent(version)}`}`,
    licenses: [{ expression: SYSTEM_LICENCES[name] ?? 'NOASSERTION' }],
  };
}

/** `name@version` of a component that npm lists. */
export function nameOfComponent({ purl }) {
  return decodeURIComponent(purl.replace(/^pkg:npm\//, '').replace(/\?.*$/, ''));
}

/**
 * The bill of materials as an object. npm is asked for everything, and what runs in production is picked by the lock file: with `--omit
 * dev` npm 11 leaves out packages that both a workspace and the root's tests depend on (mqtt, pino).
 */
export function buildSbom(lock) {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
  // where NODE_ENV says production npm omits dev by itself
  args.push('--include', 'dev');
  const run = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (run.status !== 0) throw new Error(`npm sbom failed: ${run.stderr.trim().split('\n').at(-1)}`);
  const bom = JSON.parse(run.stdout);
  const wanted = listProductionPackages(lock);
  const isOwn = (name) => name.startsWith('@ngatu/') || name.startsWith('ngatu@');
  bom.components = bom.components.filter((component) => {
    const name = nameOfComponent(component);
    return isOwn(name) || wanted.has(name);
  });
  const kept = new Set(bom.components.map((component) => component['bom-ref']));
  kept.add(bom.metadata.component['bom-ref']);
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  // npm names the product after the folder of the checkout
  Object.assign(bom.metadata.component, { name: 'ngatu' });
  bom.components.push(...PACKAGES.start.map(({ name }) => describeSystemPackage(name)), describeNode());
  return bom;
}

function describeNode() {
  const version = process.versions.node;
  const licenses = [{ license: { id: 'MIT' } }];
  const purl = `pkg:generic/node@${version}`;
  return { 'bom-ref': 'node', type: 'platform', name: 'node', version, scope: 'required', purl, licenses };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = resolve(process.argv[2] ?? join(ROOT, 'dist', 'sbom.cdx.json'));
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const complaints = findLicenceComplaints(listProductionPackages(lock));
  const bom = buildSbom(lock);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(bom, undefined, 2)}\n`);
  console.log(`${bom.components.length} components written to ${file}`);
  for (const complaint of complaints) console.error(`licence: ${complaint}`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}
