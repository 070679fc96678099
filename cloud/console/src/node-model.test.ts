import { expect, it } from 'vitest';
import { listModels } from './node-model.ts';

const AT = '2026-11-22T08:00:00.000Z';
const refused = (code: string) => ({ name: 'new', code, message: 'why', at: AT });

it('lists the detector first, and tells of each network whether it serves', () => {
  const served = { name: 'a', sha256: 'a'.repeat(64), since: AT };
  const models = listModels({
    model: { ...served, name: 'detector' },
    networks: [
      { use: 'lamp', ...served, refused: refused('MODEL_INVALID') },
      { use: 'helmet', name: 'b' },
      { use: 'plate-reader', name: 'c', refused: refused('ASSET_UNAVAILABLE') },
      { use: 'plate-reader', name: 'd', refused: refused('MODEL_DIGEST_MISMATCH') },
    ],
  });
  expect(models.map(({ use, name, state }) => [use, name, state])).toEqual([
    ['road-users', 'detector', 'serving'],
    ['lamp', 'a', 'serving'],
    ['helmet', 'b', 'loading'],
    ['plate-reader', 'c', 'absent'],
    ['plate-reader', 'd', 'refused'],
  ]);
  expect(models[1]?.refused?.code).toBe('MODEL_INVALID');
});

it('lists nothing of a node that says nothing, and the detector alone of one that knows no more', () => {
  expect(listModels({})).toEqual([]);
  const model = { name: 'detector', sha256: 'a'.repeat(64), since: AT };
  expect(listModels({ model })).toMatchObject([{ use: 'road-users', state: 'serving' }]);
});
