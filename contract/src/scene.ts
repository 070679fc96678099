import { type Static, Type } from '@sinclair/typebox';
import { RoadUserLabel } from './event.ts';
import { Slug } from './id.ts';
import { Calibration, SignalHead, Tripwire, Zone } from './scene-part.ts';
import { Rule } from './scene-rule.ts';

const PictureCoordinate = Type.Number({ minimum: 0, maximum: 8192 });

const pictureBox = (description: string) =>
  Type.Tuple([PictureCoordinate, PictureCoordinate, PictureCoordinate, PictureCoordinate], { description });

const Lookalike = Type.Object(
  {
    box: pictureBox('[x1, y1, x2, y2] just around it, as the detector draws it, source pixels.'),
    labels: Type.Optional(
      Type.Array(RoadUserLabel, {
        minItems: 1,
        uniqueItems: true,
        description: 'What it is taken for; any road user where it is left out.',
      }),
    ),
    note: Type.Optional(Type.String({ maxLength: 200, description: 'What it is, for people.' })),
  },
  { additionalProperties: false },
);

const CloseUp = Type.Object(
  {
    box: pictureBox('[x1, y1, x2, y2] of the part, source pixels.'),
    enlarge: Type.Number({
      minimum: 0.5,
      maximum: 4,
      default: 1.5,
      description: 'Pixels that the detector sees for each source pixel along a side.',
    }),
  },
  { additionalProperties: false },
);

/**
 * A scene says what the picture of one camera means: where the stop line lies, which lamp rules it, where people must not
 * walk. All coordinates are pixels of the source picture (`picture`), origin top left, x to the right, y down.
 */

export const Scene = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    name: Slug,
    picture: Type.Object(
      {
        width: Type.Integer({ minimum: 32, maximum: 8192, description: 'Source picture width, px.' }),
        height: Type.Integer({ minimum: 32, maximum: 8192, description: 'Source picture height, px.' }),
      },
      { additionalProperties: false },
    ),
    analysis: Type.Object(
      {
        maxWidth: Type.Integer({
          minimum: 160,
          maximum: 1920,
          default: 960,
          description: 'The picture is scaled down to this width for the detector where it is wider, px.',
        }),
        maxFps: Type.Number({
          minimum: 0.5,
          maximum: 60,
          default: 12.5,
          description:
            'At most this many frames a second are analysed; the others are skipped, not resampled.',
        }),
        closeUps: Type.Optional(
          Type.Array(CloseUp, {
            minItems: 1,
            maxItems: 4,
            description:
              'Parts of the picture that the detector looks at enlarged, beside the whole: where road users are small and far.',
          }),
        ),
        lookalikes: Type.Optional(
          Type.Array(Lookalike, {
            minItems: 1,
            maxItems: 32,
            description:
              'Things that the detector takes for road users (a sign, a shrine, a bollard): what is found with nearly this very box is none.',
          }),
        ),
        overviewWidth: Type.Optional(
          Type.Integer({
            minimum: 160,
            maximum: 1920,
            description:
              'With close-ups: the whole picture is looked at this wide, the close-ups are taken from the picture at maxWidth, px. By default maxWidth.',
          }),
        ),
      },
      { additionalProperties: false, default: {} },
    ),
    view: Type.Object(
      {
        depressionDeg: Type.Number({
          minimum: 3,
          maximum: 90,
          default: 25,
          description:
            'How steeply the camera looks down at the stop line, degrees below the horizon; 90 is straight down.',
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    calibration: Type.Optional(Calibration),
    zones: Type.Array(Zone, { maxItems: 64, default: [] }),
    tripwires: Type.Array(Tripwire, { maxItems: 64, default: [] }),
    signals: Type.Array(SignalHead, { maxItems: 8, default: [] }),
    rules: Type.Array(Rule, { maxItems: 64, default: [] }),
  },
  { additionalProperties: false, $id: 'Scene', description: 'What the picture of one camera means.' },
);
export type Scene = Static<typeof Scene>;
