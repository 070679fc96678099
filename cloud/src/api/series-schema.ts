import { ReadingQuality, Slug } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';

const closed = { additionalProperties: false } as const;

export const SensorRequest = Type.Object(
  {
    hours: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 24 * 31,
        default: 24 * 7,
        description: 'Sensors without a reading for so long are left out.',
      }),
    ),
  },
  closed,
);

export const SensorReading = Type.Object(
  {
    site: Slug,
    node: Slug,
    camera: Type.Optional(Slug),
    sensor: Type.String({ description: 'Name of the sensor in the profile of its node.' }),
    metric: Type.String(),
    at: Type.String(),
    value: Type.Number(),
    unit: Type.Optional(Type.String({ description: 'UCUM code.' })),
    quality: Type.Optional(ReadingQuality),
  },
  closed,
);
export type SensorReading = Static<typeof SensorReading>;

/** The last reading of each sensor and quantity, whatever its quality. */
export const SensorList = Type.Object({ now: Type.String(), sensors: Type.Array(SensorReading) }, closed);
export type SensorList = Static<typeof SensorList>;
