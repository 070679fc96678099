import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import type { PlateLook } from '../plate/plate-reading.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { bindPlates, type PlateView } from './plate-binding.ts';
import type { SeenRoadUser } from './road-user-sight.ts';

function aLook(box: Box, text: string, plateConfidence = 0.8): PlateLook {
  const characters = [...text].map((character) => ({ character, confidence: 0.9, alternatives: [] }));
  return { layout: 'two-line', characters, box, sharpness: 1, plateConfidence };
}

/** A plate whose middle lies at shares of a box; `width` as a share of it too. */
function aPlateOn(
  [x1, y1, x2, y2]: Box,
  place: { across?: number; down?: number; width?: number } = {},
): Box {
  const { across = 0.5, down = 0.7, width = 0.3 } = place;
  const x = x1 + across * (x2 - x1);
  const y = y1 + down * (y2 - y1);
  const half = (width * (x2 - x1)) / 2;
  return [x - half, y - half * 0.7, x + half, y + half * 0.7];
}

function aRider(trackId: number, box: Box): SeenRoadUser {
  const [x1, y1, x2, y2] = box;
  return { trackId, label: 'motorbike', box, occupants: [[x1, y1, x2, y1 + 0.7 * (y2 - y1)]] };
}

const aCar = (trackId: number, box: Box): SeenRoadUser => ({ trackId, label: 'car', box, occupants: [] });

function aView(
  subject: SeenRoadUser,
  others: readonly SeenRoadUser[],
  looks: readonly PlateLook[],
  mediaTimeMs = 0,
): PlateView {
  return { mediaTimeMs, subject, users: [subject, ...others], looks };
}

const shift = ([x1, y1, x2, y2]: Box, dx: number, dy = 0): Box => [x1 + dx, y1 + dy, x2 + dx, y2 + dy];
const textsOf = (binding: ReturnType<typeof bindPlates>) =>
  binding.state === 'bound'
    ? binding.looks.map(({ look }) => look.characters.map(({ character }) => character).join(''))
    : binding.state;

describe('bindPlates', () => {
  const mine: Box = [100, 100, 200, 320];

  it('takes a plate where a vehicle carries one, and none from anywhere else on it', () => {
    const car: Box = [100, 100, 400, 300];
    const on = (place: Parameters<typeof aPlateOn>[1]) =>
      textsOf(bindPlates([aView(aCar(1, car), [], [aLook(aPlateOn(car, place), 'MINE1234')])]));
    expect(on({ width: 0.22, down: 0.75 })).toEqual(['MINE1234']);
    expect(on({ width: 0.2, across: 0.25, down: 0.8 })).toEqual(['MINE1234']);
    expect(on({ width: 0.22, down: 0.15 })).toBe('no-plate');
    expect(on({ width: 0.9 })).toBe('no-plate');
    expect(on({ width: 0.22, across: 1.2 })).toBe('no-plate');
    expect(textsOf(bindPlates([aView(aCar(1, car), [], [])]))).toBe('no-plate');
  });

  it.each([
    ['behind it', 22],
    ['before it', -22],
  ])('tells two overlapping riders apart, the other standing %s', (_, down) => {
    const other = shift(mine, 48, -down);
    const looks = [aLook(aPlateOn(mine), 'MINE1234'), aLook(aPlateOn(other), 'OTHER123')];
    const views = [0, 1, 2].map((step) => aView(aRider(1, mine), [aRider(2, other)], looks, step * 100));
    expect(textsOf(bindPlates(views))).toEqual(['MINE1234', 'MINE1234', 'MINE1234']);
    const theirs = [0, 1, 2].map((step) => aView(aRider(2, other), [aRider(1, mine)], looks, step * 100));
    expect(textsOf(bindPlates(theirs))).toEqual(['OTHER123', 'OTHER123', 'OTHER123']);
  });

  it('says that it may be another’s where both explain it alike', () => {
    const other = shift(mine, 30, 2);
    const between = aLook(aPlateOn(shift(mine, 15, 1)), 'WHOSE123');
    expect(textsOf(bindPlates([aView(aRider(1, mine), [aRider(2, other)], [between])]))).toBe(
      'other-road-user',
    );
  });

  it('leaves a motorbike before a car its own plate', () => {
    const car: Box = [50, 50, 350, 260];
    const rider: Box = [150, 140, 230, 320];
    const look = aLook(aPlateOn(rider), 'RIDER123');
    expect(textsOf(bindPlates([aView(aCar(1, car), [aRider(2, rider)], [look])]))).toBe('other-road-user');
    expect(textsOf(bindPlates([aView(aRider(2, rider), [aCar(1, car)], [look])]))).toEqual(['RIDER123']);
  });

  it('does not believe what lies over the body of somebody who stands before', () => {
    const before = shift(mine, 10, 90);
    // where the subject's plate would be is the other's chest
    const look = aLook(aPlateOn(mine), 'CHEST123');
    expect(textsOf(bindPlates([aView(aRider(1, mine), [aRider(2, before)], [look])]))).toBe(
      'other-road-user',
    );
  });

  it('gives up what read the same on another rider whose box was missed in a picture', () => {
    const other = shift(mine, 70, 6);
    const stolen = aLook(aPlateOn(mine, { across: 0.7 }), 'OTHER123');
    const missed = aView(aRider(1, mine), [], [stolen], 0);
    const seen = aView(
      aRider(1, mine),
      [aRider(2, other)],
      [aLook(aPlateOn(other, { across: 0.2 }), 'OTHER12B')],
      100,
    );
    expect(textsOf(bindPlates([missed]))).toEqual(['OTHER123']);
    expect(textsOf(bindPlates([missed, seen]))).toBe('other-road-user');
  });

  it('keeps to what can be read where something that cannot is found as well, and not to a single reading among many of nothing', () => {
    const car = aCar(1, [100, 100, 400, 300]);
    const plate = aLook(aPlateOn(car.box, { width: 0.2, across: 0.3 }), 'MINE1234', 0.5);
    const gleam = aLook(aPlateOn(car.box, { width: 0.2, across: 0.75 }), '', 0.9);
    const over = aLook(aPlateOn(car.box, { width: 0.25, across: 0.32 }), '', 0.9);
    const bind = (...looks: PlateLook[][]) =>
      textsOf(bindPlates(looks.map((found, step) => aView(car, [], found, step * 100))));
    expect(bind([plate, gleam], [plate, gleam, over], [gleam], [plate, gleam])).toEqual([
      'MINE1234',
      'MINE1234',
      'MINE1234',
    ]);
    // at its own place what cannot be read has its say in the vote
    expect(bind([plate], [over], [plate])).toEqual(['MINE1234', '', 'MINE1234']);
    const invented = aLook(gleam.box, 'GLEAM123', 0.9);
    expect(bind([over], [over], [over, invented], [over], [over])).toBe('other-road-user');
    expect(bind(...Array.from({ length: 9 }, () => [over]), [over, invented])).toEqual(Array(10).fill(''));
    expect(bind([gleam, over], [gleam, over])).toBe('other-road-user');
  });

  it('keeps to one place on the vehicle, and to one look of each picture', () => {
    const car = aCar(1, [100, 100, 400, 300]);
    const steady = aLook(aPlateOn(car.box, { width: 0.2 }), 'MINE1234');
    const sticker = aLook(aPlateOn(car.box, { width: 0.18, across: 0.55 }), 'STICKER1', 0.4);
    const passing = (across: number) => aLook(aPlateOn(car.box, { width: 0.2, across }), 'PASSING1');
    const views = [
      aView(car, [], [steady, sticker], 0),
      aView(car, [], [steady], 100),
      aView(car, [], [steady, passing(0.9)], 200),
    ];
    expect(textsOf(bindPlates(views))).toEqual(['MINE1234', 'MINE1234', 'MINE1234']);
    const torn = [aView(car, [], [passing(0.15)], 0), aView(car, [], [passing(0.85)], 100)];
    expect(textsOf(bindPlates(torn))).toBe('other-road-user');
  });
});

interface Rider {
  readonly trackId: number;
  readonly text: string;
  readonly box: Box;
  readonly dx: number;
  readonly dy: number;
}

const CROWDS = 100;
const RIDERS = 10;
const FRAMES = 8;

/** A dense crowd as a traffic camera sees it: whoever is lower is nearer and larger. */
function makeCrowd(random: () => number): Rider[] {
  return Array.from({ length: RIDERS }, (_, index) => {
    const y = 200 + random() * 160;
    const width = 40 + (y - 200) * 0.3;
    const x = 60 + random() * 300;
    const text = Array.from({ length: 9 }, () => Math.floor(random() * 10)).join('');
    const [dx, dy] = [(random() - 0.5) * 8, 2 + random() * 8];
    return { trackId: index + 1, text, box: [x, y - 2.1 * width, x + width, y], dx, dy };
  });
}

function describeCrowd(riders: readonly Rider[], step: number, random: () => number) {
  const now = riders.map((rider) => ({ ...rider, box: shift(rider.box, rider.dx * step, rider.dy * step) }));
  const jitter = ([x1, y1, x2, y2]: Box): Box => {
    const by = (size: number) => (random() - 0.5) * 0.08 * size;
    return [x1 + by(x2 - x1), y1 + by(y2 - y1), x2 + by(x2 - x1), y2 + by(y2 - y1)];
  };
  const plates = now.flatMap((rider) => {
    const place = { across: 0.5 + (random() - 0.5) * 0.12, down: 0.7 + (random() - 0.5) * 0.12, width: 0.28 };
    const box = aPlateOn(rider.box, place);
    const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    const isHidden = now.some(({ trackId, box: [x1, y1, x2, y2] }) => {
      if (trackId === rider.trackId || y2 <= rider.box[3]) return false;
      return y > y1 && y < y2 && Math.abs(x - (x1 + x2) / 2) < 0.35 * (x2 - x1);
    });
    if (isHidden) return [];
    const at = Math.floor(random() * rider.text.length);
    const isMisread = random() < 0.15;
    const text = isMisread ? `${rider.text.slice(0, at)}A${rider.text.slice(at + 1)}` : rider.text;
    return [{ owner: rider.trackId, look: aLook(box, text) }];
  });
  return { users: now.map(({ trackId, box }) => aRider(trackId, jitter(box))), plates };
}

it('binds no stranger’s plate in crowds of riders, and finds most of those that can be seen', () => {
  const seeded = new SeededRandom(20_251);
  const random = () => seeded.next();
  const counts = { right: 0, wrong: 0, doubt: 0 };
  for (let crowd = 0; crowd < CROWDS; crowd++) {
    const riders = makeCrowd(random);
    const scenes = Array.from({ length: FRAMES }, (_, step) => describeCrowd(riders, step, random));
    for (const rider of riders) {
      const isMine = ({ owner }: { owner: number }) => owner === rider.trackId;
      const seen = scenes.filter(({ plates }) => plates.some(isMine)).length;
      const views = scenes.flatMap(({ users, plates }, step) => {
        const subject = users.find(({ trackId }) => trackId === rider.trackId);
        if (subject === undefined) return [];
        // the detector of road users misses one in fifteen
        const others = users.filter((user) => user !== subject && random() > 1 / 15);
        const [x1, y1, x2, y2] = subject.box;
        const looks = plates
          .map(({ look }) => look)
          .filter(({ box }) => box[2] > x1 && box[0] < x2 && box[3] > y1 && box[1] < y2);
        return [aView(subject, others, looks, step * 200)];
      });
      const binding = bindPlates(views);
      if (binding.state !== 'bound') {
        if (seen >= FRAMES / 2) counts.doubt += 1;
        continue;
      }
      const strangers = binding.looks.filter(
        ({ look }) =>
          !scenes.some(({ plates }) => plates.some((plate) => plate.look === look && isMine(plate))),
      );
      // a single stranger among own looks is outvoted; a majority accuses somebody
      if (strangers.length * 2 >= binding.looks.length) counts.wrong += 1;
      else counts.right += 1;
    }
  }
  expect(counts.right + counts.wrong + counts.doubt).toBeGreaterThan(CROWDS * 4);
  expect(counts.wrong / (counts.right + counts.wrong)).toBeLessThan(0.005);
  expect(counts.right / (counts.right + counts.doubt)).toBeGreaterThan(0.95);
});
