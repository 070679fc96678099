import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { computeBandRadiance, computeBandTemperature } from './band-radiance.ts';
import { takeThermalPictures } from './scene-camera.ts';
import { planScene, SCENE_KINDS } from './scene-plan.ts';

describe('radiance of the band', () => {
  it('is the reverse of its temperature, and that of the law of Planck', () => {
    for (let celsius = -20; celsius < 120; celsius += 3.7)
      expect(computeBandTemperature(computeBandRadiance(celsius))).toBeCloseTo(celsius, 4);
    // 8–14 µm holds 37.9 % of what a blackbody of 300 K emits: σT⁴/π · 0.379
    expect(computeBandRadiance(26.85)).toBeCloseTo(((5.670374e-8 * 300 ** 4) / Math.PI) * 0.379, -0.3);
  });
});

describe('the pictures of a scene', () => {
  it('are the same again for the same scene, and others for another seed', () => {
    const take = (seed: number) =>
      [...takeThermalPictures(planScene(seed, 'protocol', 'small').scene)].map(({ celsius }) =>
        createHash('sha256').update(celsius).digest('hex'),
      );
    expect(take(3)).toEqual(take(3));
    expect(take(3)[0]).not.toBe(take(4)[0]);
    expect(take(3)[0]).not.toBe(take(3)[1]);
  });

  it('have the noise and the drift of the sensor', () => {
    const { scene, blackbody } = planScene(5, 'nobody', 'small');
    const [first, second] = [
      ...takeThermalPictures({ ...scene, sensor: { ...scene.sensor, offsetCPerFrame: 0.5 } }),
    ];
    if (first === undefined || second === undefined) throw new Error('no pictures');
    const differences = [...first.celsius].map((value, i) => (second.celsius[i] ?? 0) - value);
    const mean = differences.reduce((a, b) => a + b) / differences.length;
    const spread = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / differences.length);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(spread).toBeCloseTo(scene.sensor.netdC * Math.SQRT2, 2);
    const middle = (blackbody.y + blackbody.height / 2) * first.width + blackbody.x + blackbody.width / 2;
    const seen = first.celsius[Math.round(middle)] ?? 0;
    expect(Math.abs(seen - scene.sensor.offsetC - blackbody.setC)).toBeLessThan(1);
  });

  it('show a canthus of the stated temperature to a sensor without error', () => {
    const planned = planScene(8, 'protocol', 'full');
    const sensor = {
      ...planned.scene.sensor,
      netdC: 0,
      offsetC: 0,
      offsetCPerFrame: 0,
      gain: 1,
      vignettingC: 0,
      patternC: 0,
    };
    const [person] = planned.scene.people;
    if (person === undefined) throw new Error('nobody');
    // a room as warm as the skin has no reflection and no air to correct for
    const celsius = planned.truth.canthusC ?? 0;
    const room = { ...planned.scene.room, ambientC: celsius, wallC: celsius };
    const [picture] = takeThermalPictures({ ...planned.scene, sensor, room });
    const x = Math.round(person.eyesX - 0.25 * person.faceWidthPx);
    const y = Math.round(person.eyesY - 0.15 * person.faceWidthPx);
    let most = 0;
    for (let dy = 0; dy < 0.4 * person.faceWidthPx; dy++)
      for (let dx = 0; dx < 0.5 * person.faceWidthPx; dx++)
        most = Math.max(most, picture?.celsius[(y + dy) * sensor.width + x + dx] ?? 0);
    expect(Math.abs(most - celsius)).toBeLessThan(0.03);
  });

  it('can be planned of every kind, with truth wherever somebody stands', () => {
    for (const kind of SCENE_KINDS) {
      const { scene, truth } = planScene(1, kind, 'small');
      expect(scene.people.length > 0).toBe(truth.canthusC !== undefined);
      expect(truth.kind).toBe(kind);
    }
  });
});
