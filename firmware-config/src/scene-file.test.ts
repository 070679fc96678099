import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadScene } from './scene-file.ts';

const GOOD = `
schemaVersion: 1
name: junction
picture: { width: 640, height: 480 }
zones:
  - name: square
    polygon: [[10, 10], [200, 10], [200, 200], [10, 200]]
tripwires:
  - name: stop-line
    points: [[0, 300], [640, 300]]
    forwardTowards: [320, 100]
signals:
  - name: main
    box: [600, 100, 620, 160]
rules:
  - { name: red, kind: RED_LIGHT, stopLine: stop-line, signal: main, approach: { from: [300, 440], to: [300, 280] } }
  - { name: stop, kind: STOP_LINE, stopLine: stop-line, signal: main }
  - { name: wrong, kind: WRONG_WAY, zone: square, allowed: { from: [10, 10], to: [10, 100] } }
  - { name: walk, kind: FORBIDDEN_AREA, zone: square, labels: [person] }
  - { name: count, kind: LINE_COUNT, tripwire: stop-line }
`;

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-scene-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function load(text: string) {
  const file = join(folder, `${++count}.scene.yaml`);
  await writeFile(file, text);
  return loadScene(file);
}

/** The good scene with one text replaced. */
function changed(from: string, to: string): string {
  expect(GOOD).toContain(from);
  return GOOD.replace(from, to);
}

describe('loadScene', () => {
  it('fills the defaults of every kind of rule and names the file by its digest', async () => {
    const { scene, sha256 } = await load(GOOD);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(scene.analysis).toEqual({ maxWidth: 960, maxFps: 12.5 });
    expect(scene.signals[0]?.lenses).toEqual(['red', 'amber', 'green']);
    expect(scene.rules.map((rule) => rule.kind)).toEqual([
      'RED_LIGHT',
      'STOP_LINE',
      'WRONG_WAY',
      'FORBIDDEN_AREA',
      'LINE_COUNT',
    ]);
    expect(scene.rules[0]).toMatchObject({ cooldownMs: 60_000, graceMs: 300 });
    expect(scene.rules[1]).toMatchObject({ waitMs: 2_000 });
    expect(scene.rules[2]).toMatchObject({ minAngleDeg: 120, minTravelHeights: 1.5 });
    expect(scene.rules[3]).toMatchObject({ dwellMs: 1_000, labels: ['person'] });
    expect(scene.rules[4]).toMatchObject({ labels: expect.arrayContaining(['person', 'motorbike']) });
  });

  it('takes close-ups, enlarged by half as much again where they do not say', async () => {
    const { scene } = await load(
      changed(
        'name: junction',
        'name: junction\nanalysis: { maxWidth: 1280, overviewWidth: 640, closeUps: [{ box: [100, 90, 500, 200] }] }',
      ),
    );
    expect(scene.analysis).toMatchObject({
      overviewWidth: 640,
      closeUps: [{ box: [100, 90, 500, 200], enlarge: 1.5 }],
    });
  });

  it('takes things that look like road users', async () => {
    const lookalikes = 'lookalikes: [{ box: [33, 111, 46, 140], labels: [person], note: sign }]';
    const { scene } = await load(changed('name: junction', `name: junction\nanalysis: { ${lookalikes} }`));
    expect(scene.analysis.lookalikes).toEqual([
      { box: [33, 111, 46, 140], labels: ['person'], note: 'sign' },
    ]);
  });

  it.each([
    ['a repeated name', 'name: stop,', 'name: red,', /line 17 \/rules\/1\/name: .*"red" stands here twice/],
    [
      'an unknown zone',
      'zone: square, labels',
      'zone: sqare, labels',
      /line 19 \/rules\/3\/zone: .*no zone "sqare" \(it has "square"\)/,
    ],
    ['an unknown tripwire', 'tripwire: stop-line', 'tripwire: other', /line 20 \/rules\/4\/tripwire: /],
    [
      'an unknown signal',
      'signal: main }',
      'signal: side }',
      /line 17 \/rules\/1\/signal: .*no signal "side"/,
    ],
    [
      'a point far outside',
      '[640, 300]',
      '[6400, 300]',
      /line 10 \/tripwires\/0\/points\/1: .*far outside the picture of 640×480/,
    ],
    [
      'a side that is none',
      'forwardTowards: [320, 100]',
      'forwardTowards: [100, 301]',
      /line 11 .*lies on the line/,
    ],
    ['a line without length', '[640, 300]]', '[0, 300]]', /\/tripwires\/0\/points\/1: the point is the same/],
    [
      'a bow tie',
      '[200, 200], [10, 200]',
      '[10, 200], [200, 200]',
      /line 7 \/zones\/0\/polygon: .*cross one another/,
    ],
    ['a flat zone', '[200, 200], [10, 200]', '[200, 10.01], [10, 10.01]', /\/zones\/0\/polygon: the area/],
    [
      'a lamp box inside out',
      '[600, 100, 620, 160]',
      '[620, 100, 600, 160]',
      /line 14 \/signals\/0\/box: .*3 px wide/,
    ],
    ['a lamp outside', '[600, 100, 620, 160]', '[630, 100, 650, 160]', /\/signals\/0\/box: .*not lie inside/],
    [
      'a lookalike outside the picture',
      'name: junction',
      'name: junction\nanalysis: { lookalikes: [{ box: [600, 100, 700, 200] }] }',
      /line 4 \/analysis\/lookalikes\/0\/box: the box does not lie inside the picture of 640×480/,
    ],
    [
      'a lookalike inside out',
      'name: junction',
      'name: junction\nanalysis: { lookalikes: [{ box: [300, 100, 200, 200] }] }',
      /\/analysis\/lookalikes\/0\/box: .*at least 4 px wide and high/,
    ],
    [
      'a close-up outside the picture',
      'name: junction',
      'name: junction\nanalysis: { closeUps: [{ box: [600, 100, 700, 200] }] }',
      /line 4 \/analysis\/closeUps\/0\/box: the box does not lie inside the picture of 640×480/,
    ],
    [
      'a close-up inside out',
      'name: junction',
      'name: junction\nanalysis: { closeUps: [{ box: [300, 100, 200, 200] }] }',
      /\/analysis\/closeUps\/0\/box: .*at least 32 px wide and high/,
    ],
    [
      'a close-up that is far too large',
      'name: junction',
      'name: junction\nanalysis: { closeUps: [{ box: [0, 0, 640, 480], enlarge: 4 }] }',
      /\/analysis\/closeUps\/0\/enlarge: the part enlarged has 4915200 px²/,
    ],
    [
      'a width of the whole beside no close-up',
      'name: junction',
      'name: junction\nanalysis: { overviewWidth: 640 }',
      /\/analysis\/overviewWidth: .*there is none/,
    ],
    [
      'an arrow without length',
      'to: [10, 100]',
      'to: [10, 10]',
      /\/rules\/2\/allowed: the arrow has no length/,
    ],
    ['an unknown kind', 'LINE_COUNT', 'LINE_COUNTER', /line 20 \/rules\/4\/kind: Expected one of RED_LIGHT/],
    ['a wrong value in a rule', 'labels: [person]', 'labels: [dog]', /line 19 \/rules\/3\/labels\/0: /],
    ['an unknown field', 'zones:', 'zoness:', /line 5 \/zoness: Unexpected property/],
    ['an unknown version', 'schemaVersion: 1', 'schemaVersion: 2', /line 2 \/schemaVersion: Expected 1/],
    ['broken YAML', '[[10, 10]', '[[10, 10', /line \d+: /],
    ['a repeated key', 'name: junction', 'name: junction\nname: other', /line 4: Map keys must be unique/],
  ])('refuses %s and says where', async (_, from, to, message) => {
    await expect(load(changed(from, to))).rejects.toMatchObject({ code: 'SCENE_INVALID' });
    await expect(load(changed(from, to))).rejects.toThrow(message);
  });

  it('lists every issue at once, in the order of the lines', async () => {
    const text = changed('name: stop,', 'name: red,')
      .replace('zone: square, labels', 'zone: none, labels')
      .replace('[600, 100, 620, 160]', '[620, 100, 600, 160]');
    await expect(load(text)).rejects.toThrow(/line 14 .*; line 17 .*; line 19 /);
  });

  it.each(['', 'just text', '[]', '- 1'])('refuses %j as a whole', async (text) => {
    await expect(load(text)).rejects.toMatchObject({ code: 'SCENE_INVALID' });
  });

  it('says that a file cannot be read', async () => {
    await expect(loadScene(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(loadScene(folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
