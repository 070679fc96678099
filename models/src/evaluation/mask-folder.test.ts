import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { loadMaskFolder, parseMaskAnnotation } from './mask-folder.ts';
import { parseXml } from './mask-xml.ts';

const object = (name: string, box: string): string =>
  `<object><name>${name}</name><bndbox>${box}</bndbox></object>`;
const BOX = '<xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40.5</ymax>';
const parse = (text: string) => parseMaskAnnotation(text, 'a.xml');

describe('an annotation', () => {
  it('gives labels and boxes', () => {
    const text = `<?xml version="1.0"?><annotation a="b"><folder/>${object('with_mask', BOX)}${object('Without Mask', BOX)}
      ${object('mask_weared_incorrect', BOX)}</annotation>\n`;
    expect(parse(text).map(({ label }) => label)).toEqual(['with', 'without', 'ignored']);
    expect(parse(text)[0]?.box).toEqual([1, 2, 30, 40.5]);
    expect(parse('<annotation><size/></annotation>')).toEqual([]);
  });

  it.each([
    ['nothing', '', /there is no element/],
    ['no XML', 'a picture', /text outside/],
    ['another document', '<html></html>', /<html>, not <annotation>/],
    [
      'an unclosed element',
      `<annotation>\n${object('with_mask', BOX)}`,
      /line 2: <annotation> is not closed/,
    ],
    ['crossed elements', '<annotation><a></b></a></annotation>', /<\/b> closes nothing/],
    ['two documents', '<annotation/><annotation/>', /more than one element/],
    ['a class that is not known', `<annotation>${object('hat', BOX)}</annotation>`, /object 1 is "hat"/],
    ['no box', `<annotation>${object('with_mask', '')}</annotation>`, /no box of four numbers/],
    [
      'two boxes in one',
      `<annotation>${object('with_mask', BOX + BOX)}</annotation>`,
      /no box of four numbers/,
    ],
    [
      'a number that is none',
      `<annotation>${object('with_mask', BOX.replace('30', '1e9'))}</annotation>`,
      /no box/,
    ],
    [
      'an empty box',
      `<annotation>${object('with_mask', BOX.replace('30', '1'))}</annotation>`,
      /box of object 1 is empty/,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'TRUTH_INVALID' }));
  });

  it('unfolds no entities but the five, and no declared ones', () => {
    expect(parseXml('<a>&lt;&#65;&#x42;&amp;</a>').text).toBe('<AB&');
    const laughs = '<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">';
    expect(() => parse(`<!DOCTYPE a [${laughs}]><annotation>&lol2;</annotation>`)).toThrow(/declarations/);
    expect(() => parse('<annotation>&lol2;</annotation>')).toThrow(/entity &lol2; is not known/);
    expect(() => parse('<annotation>&#0;</annotation>')).toThrow(/not known/);
    const external = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>';
    expect(() => parse(external)).toThrow(/declarations/);
  });

  it('bounds depth, number and length', () => {
    expect(() => parse('<a>'.repeat(20_000))).toThrow(/nested deeper/);
    expect(() => parse(`<annotation>${'<a/>'.repeat(100_001)}</annotation>`)).toThrow(
      /more than 100000 elements/,
    );
    expect(() => parse(' '.repeat(5_000_000))).toThrow(/longer than/);
  });
});

describe('a folder', () => {
  const folders: string[] = [];
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-masks-'));
    folders.push(folder);
  });
  afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true, force: true }))));

  it('is refused where it is not there, or holds no picture', async () => {
    await expect(loadMaskFolder(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await mkdir(join(folder, 'images'));
    await expect(loadMaskFolder(folder)).rejects.toThrow(/no picture in images/);
  });

  it('is refused where a picture has no annotation: nobody says that it shows no face', async () => {
    await mkdir(join(folder, 'images'));
    await mkdir(join(folder, 'annotations'));
    await writeFile(join(folder, 'images', 'a.png'), '');
    await expect(loadMaskFolder(folder)).rejects.toThrow(/a\.png has no annotations\/a\.xml/);
    await writeFile(
      join(folder, 'annotations', 'a.xml'),
      `<annotation>${object('with_mask', BOX)}</annotation>`,
    );
    expect(await loadMaskFolder(folder)).toMatchObject([{ name: 'a.png', faces: [{ label: 'with' }] }]);
  });
});
