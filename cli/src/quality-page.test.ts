import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestData, formatSection, replaceSection } from './quality-page.ts';

it('replaces one section, keeps the others and the order, and drops what is measured no more', () => {
  const order = ['a', 'b', 'c'];
  const one = replaceSection('', 'c', '## C\nold', order);
  const two = replaceSection(one, 'a', '## A', order);
  const three = replaceSection(two, 'c', '## C\nnew', order);
  expect(three.match(/## ./g)).toEqual(['## A', '## C']);
  expect(three).toContain('new');
  expect(three).not.toContain('old');
  expect(replaceSection(three, 'c', '## C\nnew', order)).toBe(three);
  expect(replaceSection(three, 'b', '## B', ['b', 'c']).match(/## ./g)).toEqual(['## B', '## C']);
});

it('says command, data, date and commit', () => {
  const section = {
    ...{ name: 'x', title: 'X', note: 'Note.', data: ['datasets/x'] },
    args: ['eval', 'x', '--data', '{data}/datasets/x'],
  };
  const text = formatSection(section, {
    output: 'AP 0.5\n',
    digest: 'a'.repeat(64),
    commit: 'abc',
    date: '2026-11-22',
  });
  expect(text).toContain('$ npx ngatu eval x --data ../shared/datasets/x\nAP 0.5\n```');
  expect(text).toContain('datasets/x (sha256 aaaaaaaaaaaaaaaa…). Measured on 2026-11-22 at commit abc.');
});

it('digests names and contents', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ngatu-digest-'));
  try {
    await mkdir(join(dir, 'd'));
    await writeFile(join(dir, 'd', 'f'), 'one');
    const before = await digestData(dir, ['d']);
    expect(await digestData(dir, ['d'])).toBe(before);
    await writeFile(join(dir, 'd', 'f'), 'two');
    expect(await digestData(dir, ['d'])).not.toBe(before);
    expect(await digestData(dir, ['d/f'])).toMatch(/^[0-9a-f]{64}$/);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
