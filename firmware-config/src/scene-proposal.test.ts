import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scene } from '@ngatu/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadScene } from './scene-file.ts';
import { formatSceneProposal, type SurveyFinding } from './scene-proposal.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-proposal-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function read(text: string): Promise<Scene> {
  const file = join(dir, 'proposed.scene.yaml');
  await writeFile(file, text);
  return (await loadScene(file)).scene;
}

const UP = {
  from: [320, 470],
  to: [300, 60],
  polygon: [
    [250, 470],
    [240, 60],
    [360, 60],
    [400, 470],
  ],
  count: 12,
  stopLines: [
    {
      points: [
        [200.4, 350.2],
        [420, 356],
      ],
      forwardTowards: [310, 200],
      paint: 0.97,
      stops: 0.4,
    },
    {
      points: [
        [200, 250],
        [420, 256],
      ],
      forwardTowards: [310, 100],
      paint: 0.5,
    },
  ],
} as const satisfies SurveyFinding['flows'][number];
const DOWN = { ...UP, from: [420, 60], to: [440, 470], stopLines: [], count: 5 } as const;
const LAMP = {
  box: [617.2, 178, 631, 220],
  lenses: ['red', 'amber', 'green'],
  seen: { red: 0.9 },
  score: 0.7,
} as const;
const PICTURE = { width: 640, height: 480 };
const NOTHING = { picture: PICTURE, flows: [], lamps: [], lookalikes: [] } as const;

describe('formatSceneProposal', () => {
  it('writes a scene that loads, with the best line and lamp in rules and the reasons beside them', async () => {
    const text = formatSceneProposal('le-loi', { ...NOTHING, flows: [UP], lamps: [LAMP] });
    expect(text).toContain(
      '# best candidate: paint along 97 % of it; 40 % of those who stopped did so before it',
    );
    expect(text).toContain('points: [[200, 350], [420, 356]]');
    const scene = await read(text);
    expect(scene.rules.map(({ name }) => name)).toEqual([
      'red-light',
      'stop-line',
      'wrong-way-1',
      'count-stop-line-1',
      'traffic-1',
    ]);
    expect(scene.signals[0]?.box).toEqual([617, 178, 631, 220]);
  });

  it('proposes no wrong way where traffic goes both ways, and no lamp rule without a lamp', async () => {
    const scene = await read(
      formatSceneProposal('two-way', {
        ...NOTHING,
        flows: [UP, DOWN],
        lamps: [{ ...LAMP, score: 0.1 }],
      }),
    );
    expect(scene.signals).toEqual([]);
    expect(scene.rules.map(({ kind }) => kind)).toEqual(['LINE_COUNT', 'TRAFFIC', 'TRAFFIC']);
  });

  it('tells where a closer look would find more, ready to be copied, and does not take it itself', async () => {
    const closeUp = {
      box: [99.4, -2, 441.2, 180],
      enlarge: 2.25,
      share: 0.43,
      heightPx: 19.6,
      cost: 0.31,
    } as const;
    const finding = { ...NOTHING, flows: [UP], closeUp };
    const text = formatSceneProposal('far', finding);
    expect(text).toContain('# 43 % of what was seen is small (median 20 px high)');
    expect((await read(text)).analysis.closeUps).toBeUndefined();
    const taken = await read(text.replace(/^# analysis/m, 'analysis'));
    expect(taken.analysis.closeUps).toEqual([{ box: [99, 0, 442, 180], enlarge: 2.25 }]);
    const wide = formatSceneProposal('wide', { ...finding, picture: { width: 2560, height: 1440 } });
    expect(wide).toContain(
      '# analysis: { maxWidth: 1920, overviewWidth: 960, closeUps: [{ box: [99, 0, 442, 180]',
    );
    expect(formatSceneProposal('near', { ...NOTHING, flows: [UP] })).not.toContain('closeUps');
  });

  it('tells what never moves and is taken for a person, ready to be taken over, and takes nothing itself', async () => {
    const lookalikes = [
      { box: [33.2, 110.8, 46.4, 140.1], share: 0.99 },
      { box: [501, 338, 513, 361], share: 0.82 },
    ] as const;
    const text = formatSceneProposal('square', { ...NOTHING, lookalikes });
    expect(text).toContain('# found in 99 % of the pictures');
    expect((await read(text)).analysis.lookalikes).toBeUndefined();
    const taken = await read(text.replaceAll(/^# ( *(analysis:$|lookalikes:$|- \{))/gm, '$1'));
    expect(taken.analysis.lookalikes).toEqual([
      { box: [33, 110, 47, 141], labels: ['person'] },
      { box: [501, 338, 513, 361], labels: ['person'] },
    ]);
    expect(formatSceneProposal('empty', NOTHING)).not.toContain('lookalikes');
  });

  it('writes an empty scene where nothing was found', async () => {
    const scene = await read(formatSceneProposal('empty', NOTHING));
    expect([scene.zones, scene.tripwires, scene.rules]).toEqual([[], [], []]);
  });
});
