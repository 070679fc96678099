import { type Static, Type } from '@sinclair/typebox';
import { Slug, Timestamp } from './id.ts';

/** Parts of the picture that a scene names. Pixels of the source picture, origin top left, x to the right, y down. */

export const Coordinate = Type.Number({ minimum: -10_000, maximum: 20_000 });
export const PixelPoint = Type.Tuple([Coordinate, Coordinate], {
  description: 'Point [x, y] in source pixels.',
});

export const Zone = Type.Object(
  {
    name: Slug,
    polygon: Type.Array(PixelPoint, {
      minItems: 3,
      maxItems: 64,
      description: 'Corners in order; closed by itself.',
    }),
  },
  { additionalProperties: false, description: 'An area on the ground.' },
);
export type Zone = Static<typeof Zone>;

export const Tripwire = Type.Object(
  {
    name: Slug,
    points: Type.Array(PixelPoint, {
      minItems: 2,
      maxItems: 64,
      description: 'The line on the ground as a polyline from one end to the other.',
    }),
    forwardTowards: Type.Tuple([Coordinate, Coordinate], {
      description: 'Any point on the far side of the line: who crosses towards its side crosses forward.',
    }),
  },
  { additionalProperties: false, description: 'A directed line on the ground.' },
);
export type Tripwire = Static<typeof Tripwire>;

export const SignalHead = Type.Object(
  {
    name: Slug,
    box: Type.Tuple([Coordinate, Coordinate, Coordinate, Coordinate], {
      description:
        'The lamp head [x1, y1, x2, y2] in source pixels, just around its lenses; without the countdown.',
    }),
    lenses: Type.Array(Type.Union([Type.Literal('red'), Type.Literal('amber'), Type.Literal('green')]), {
      minItems: 2,
      maxItems: 3,
      uniqueItems: true,
      default: ['red', 'amber', 'green'],
      description:
        'Lenses in the order they stand in the box: top to bottom, or left to right in a wide box.',
    }),
  },
  { additionalProperties: false, description: 'A traffic light that is read from the picture.' },
);
export type SignalHead = Static<typeof SignalHead>;

export const Arrow = Type.Object(
  { from: PixelPoint, to: PixelPoint },
  { additionalProperties: false, description: 'A direction of travel, drawn as an arrow in the picture.' },
);
export type Arrow = Static<typeof Arrow>;

/**
 * How the picture lies on the ground: points whose place on the road is known, from which the homography is fitted.
 * Ground coordinates are metres on a flat road, any origin, right-handed seen from above.
 */
export const Calibration = Type.Object(
  {
    pairs: Type.Array(
      Type.Object(
        {
          image: PixelPoint,
          ground: Type.Tuple([Type.Number(), Type.Number()], { description: 'Point [x, y] on the road, m.' }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 64, default: [], description: 'Points of the picture with their place on the road.' },
    ),
    lengths: Type.Array(
      Type.Object(
        {
          from: PixelPoint,
          to: PixelPoint,
          metres: Type.Number({ exclusiveMinimum: 0, maximum: 1_000 }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 64, default: [], description: 'Known lengths on the road.' },
    ),
    imageErrorPx: Type.Number({
      minimum: 0.1,
      maximum: 50,
      default: 1.5,
      description: 'Standard error of a marked point in the picture, px.',
    }),
    groundErrorM: Type.Number({
      minimum: 0.001,
      maximum: 10,
      default: 0.05,
      description: 'Standard error of a measured point or length on the road, m.',
    }),
    calibratedAt: Type.Optional(Timestamp),
  },
  { additionalProperties: false, description: 'Lays the picture on the ground; made by `ngatu calibrate`.' },
);
export type Calibration = Static<typeof Calibration>;
