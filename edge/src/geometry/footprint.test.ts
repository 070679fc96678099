import { ROAD_USER_LABELS, type RoadUserLabel } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { projectBody, type ScriptedView, STREET_VIEW } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';
import type { Point } from './box.ts';
import { computeFootprint } from './footprint.ts';

const REAR: Point = [320, 300];
const AWAY: Point = [0, -1];
const TOWARDS: Point = [0, 1];
const RIGHT: Point = [1, 0];
const VEHICLES = ROAD_USER_LABELS.filter((label) => label !== 'person');

function estimate(label: RoadUserLabel, heading: Point, view: ScriptedView = STREET_VIEW) {
  const body = projectBody(label, { rear: REAR, heading }, view);
  return {
    body,
    footprint: computeFootprint(label, body.box, { depressionDeg: view.depressionDeg, heading }),
  };
}

const gap = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

describe('computeFootprint', () => {
  it('puts the rear of who drives away at the lower edge and the front above it', () => {
    for (const label of VEHICLES) {
      const { footprint, body } = estimate(label, AWAY);
      expect(footprint.rear[1], label).toBeCloseTo(body.box[3], 9);
      expect(gap(footprint.rear, REAR), label).toBeLessThanOrEqual(footprint.rearError);
      expect(gap(footprint.front, body.front), label).toBeLessThanOrEqual(footprint.frontError);
      expect(footprint.frontError, label).toBeGreaterThan(footprint.rearError);
    }
  });

  it('puts the front of who comes at the lower edge and the rear above it', () => {
    for (const label of VEHICLES) {
      const { footprint, body } = estimate(label, TOWARDS);
      expect(footprint.front[1], label).toBeCloseTo(body.box[3], 9);
      expect(footprint.rear[1], label).toBeLessThan(footprint.front[1]);
      // the tyre hides ahead of the contact: the estimate may lag behind the true rear, never lead it beyond its bound
      expect(footprint.rear[1] - REAR[1], label).toBeLessThanOrEqual(footprint.rearError);
      expect(gap(footprint.rear, REAR), label).toBeLessThanOrEqual(2 * footprint.rearError);
      expect(footprint.rearError, label).toBeGreaterThan(footprint.frontError);
    }
  });

  it('puts both ends of who crosses the picture at one height, the front ahead', () => {
    for (const label of VEHICLES) {
      const { footprint } = estimate(label, RIGHT);
      expect(footprint.front[1], label).toBe(footprint.rear[1]);
      expect(footprint.front[0], label).toBeGreaterThan(footprint.rear[0]);
      const turned = estimate(label, [-1, 0]).footprint;
      expect(turned.front[0], label).toBeLessThan(turned.rear[0]);
    }
  });

  it('measures a car from the side at its true length', () => {
    const { footprint } = estimate('car', RIGHT);
    const lengthPx = 4.4 * STREET_VIEW.pxPerMetre;
    expect(gap(footprint.rear, footprint.front)).toBeGreaterThan(0.7 * lengthPx);
    expect(gap(footprint.rear, footprint.front)).toBeLessThan(1.3 * lengthPx);
  });

  it('holds at a steep and at a flat view', () => {
    for (const depressionDeg of [12, 20, 35, 50]) {
      const { footprint, body } = estimate('motorbike', AWAY, { depressionDeg, pxPerMetre: 60 });
      expect(gap(footprint.front, body.front), `${depressionDeg}°`).toBeLessThanOrEqual(footprint.frontError);
    }
  });

  it('measures the length of who drives up a picture that is seen from straight above', () => {
    const view = { depressionDeg: 90, heading: AWAY };
    const { rear, front } = computeFootprint('bus', [300, 100, 340, 260], view);
    expect(rear).toEqual([320, 260]);
    expect(front[1]).toBeGreaterThanOrEqual(100);
    expect(front[1]).toBeLessThan(120);
  });

  it('measures the length of who crosses a picture that is seen from straight above', () => {
    const view = { depressionDeg: 90, heading: RIGHT };
    const { rear, front } = computeFootprint('bus', [300, 100, 460, 140], view);
    expect(rear[0]).toBeCloseTo(300, 0);
    expect(front[0]).toBeCloseTo(460, 0);
    // the middle of the body, half its width above the lower edge
    expect(rear[1]).toBeCloseTo(120, 0);
    expect(front[1]).toBeCloseTo(rear[1], 9);
  });

  it('gives a person, and who has no direction, one ground point', () => {
    const box = [300, 200, 340, 280] as const;
    const person = computeFootprint('person', box, { depressionDeg: 25, heading: AWAY });
    expect(person).toMatchObject({ rear: [320, 280], front: [320, 280] });
    expect(person.rearError).toBeCloseTo(Math.hypot(0.025, 0.016) * 80, 12);
    expect(person.noise).toBeCloseTo(0.025 * 80, 12);
    const still = computeFootprint('car', box, { depressionDeg: 25, heading: [0, 0] });
    expect(still).toMatchObject({ rear: [320, 280], front: [320, 280] });
  });

  it('never claims to know the edge of a tiny box better than to 1.5 px', () => {
    const tiny = computeFootprint('motorbike', [10, 10, 14, 20], { depressionDeg: 25, heading: AWAY });
    expect(tiny.rearError).toBe(1.5);
    expect(tiny.frontError).toBeGreaterThan(1.5);
  });

  it('does not depend on the length of the heading vector', () => {
    const box = [300, 200, 340, 280] as const;
    const short = computeFootprint('car', box, { depressionDeg: 25, heading: [0.1, -0.2] });
    const long = computeFootprint('car', box, { depressionDeg: 25, heading: [100, -200] });
    for (const end of ['rear', 'front'] as const) expect(gap(long[end], short[end])).toBeLessThan(1e-9);
  });

  it('lets a road user of any class, view and direction stand inside its own box', () => {
    forAll(500, (random) => {
      const label = ROAD_USER_LABELS[random.integer(0, ROAD_USER_LABELS.length - 1)] ?? 'car';
      const [x, y] = [random.between(0, 500), random.between(0, 400)];
      const box = [x, y, x + random.between(5, 200), y + random.between(5, 200)] as const;
      const angle = random.between(0, 2 * Math.PI);
      const heading: Point = [Math.cos(angle), Math.sin(angle)];
      const { rear, front } = computeFootprint(label, box, { depressionDeg: random.between(3, 90), heading });
      for (const [ex, ey] of [rear, front]) {
        expect(ex).toBeGreaterThanOrEqual(box[0] - 1e-6);
        expect(ex).toBeLessThanOrEqual(box[2] + 1e-6);
        expect(ey).toBeGreaterThanOrEqual(box[1] - 1e-6);
        expect(ey).toBeLessThanOrEqual(box[3] + 1e-6);
      }
      const ahead = (front[0] - rear[0]) * heading[0] + (front[1] - rear[1]) * heading[1];
      expect(ahead).toBeGreaterThanOrEqual(0);
    });
  });
});
