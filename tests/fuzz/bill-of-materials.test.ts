import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../source/source-tree.ts';

interface Component {
  readonly name: string;
  readonly version?: string;
  readonly purl: string;
}
/** Plain JavaScript, because it also runs where nothing is installed yet. */
interface Scripts {
  buildSbom(lock: unknown): { bomFormat: string; components: Component[] };
  nameOfComponent(component: Component): string;
  listProductionPackages(lock: unknown): Map<string, string>;
  findLicenceComplaints(packages: ReadonlyMap<string, string>): string[];
  judgeAudit(answer: unknown): { verdict: string; lines: string[] };
}

const load = async (name: string): Promise<object> =>
  (await import(pathToFileURL(join(ROOT, 'scripts', name)).href)) as object;
const scripts = { ...(await load('sbom.mjs')), ...(await load('audit.mjs')) } as Scripts;
const { buildSbom, nameOfComponent, listProductionPackages, findLicenceComplaints, judgeAudit } = scripts;

const lock: unknown = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const packages = listProductionPackages(lock);

describe('bill of materials', () => {
  it('lists every package that runs in production, the system packages and Node', () => {
    const { components, bomFormat } = buildSbom(lock);
    expect(bomFormat).toBe('CycloneDX');
    const known = new Set(components.map(nameOfComponent));
    expect(packages.size).toBeGreaterThan(100);
    expect([...packages.keys()].filter((name) => !known.has(name))).toEqual([]);
    const names = components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['ffmpeg', 'mosquitto', 'node']));
    const ffmpeg = components.find(({ name }) => name === 'ffmpeg');
    const installed = execFileSync('dpkg-query', ['-W', '-f', `\${Version}`, 'ffmpeg'], { encoding: 'utf8' });
    expect(ffmpeg?.version).toBe(installed);
  });

  it('has no licence that asks for more than its text, but for those that are explained', () => {
    expect(findLicenceComplaints(packages)).toEqual([]);
  });

  it('would see a licence that asks for more, and one that is not stated', () => {
    const others = new Map([
      ['a@1.0.0', 'GPL-3.0-only'],
      ['b@1.0.0', ''],
      ['c@1.0.0', '(MIT OR GPL-3.0-only)'],
      ['@img/sharp-libvips-linux-x64@1.0.0', 'AGPL-3.0-only'],
    ]);
    expect(findLicenceComplaints(others)).toEqual([
      'a@1.0.0 is under GPL-3.0-only',
      'b@1.0.0 states no licence',
      '@img/sharp-libvips-linux-x64@1.0.0 is under AGPL-3.0-only',
    ]);
  });
});

describe('the audit of packages', () => {
  it('tells a clean answer, a weakness and no answer apart', () => {
    const via = [{ title: 'Reads beyond the end', url: 'https://github.com/advisories/x' }, 'other'];
    const vulnerabilities = { a: { name: 'a', severity: 'high', range: '<2', via } };
    expect(judgeAudit({ vulnerabilities: {} })).toEqual({ verdict: 'clean', lines: [] });
    expect(judgeAudit({ vulnerabilities })).toEqual({
      verdict: 'weak',
      lines: ['a <2: high, Reads beyond the end (https://github.com/advisories/x)'],
    });
    expect(judgeAudit({ message: '405 Method Not Allowed' }).verdict).toBe('unknown');
    expect(judgeAudit(undefined).verdict).toBe('unknown');
  });
});
