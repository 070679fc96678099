import { ReadingQuality, Slug, Timestamp } from '@ngatu/contract';
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

export const SensorFindingRequest = Type.Object({ from: Timestamp, to: Timestamp }, closed);
export type SensorFindingRequest = Static<typeof SensorFindingRequest>;

/** What a sensor did that it usually does not, as its node learned it. Its parts are data: whoever shows it makes the sentence. */
export const SensorFinding = Type.Object(
  {
    site: Slug,
    node: Slug,
    sensor: Type.String({ description: 'Name of the sensor in the profile of its node.' }),
    metric: Type.String({ description: 'The quantity that was judged.' }),
    at: Type.String(),
    value: Type.Number(),
    unit: Type.Optional(Type.String({ description: 'UCUM code.' })),
    kind: Type.String({ description: '`anomaly`, or `regimeChange` where it is the new usual.' }),
    cause: Type.String({ description: '`value`, `jump`, `level` or `unrest`.' }),
    usualLow: Type.Number({ description: 'Nine readings in ten lie above or at this at this hour.' }),
    usualHigh: Type.Number(),
  },
  closed,
);
export type SensorFinding = Static<typeof SensorFinding>;

/** The earliest first; 500 at most. */
export const SensorFindingList = Type.Object({ findings: Type.Array(SensorFinding) }, closed);
export type SensorFindingList = Static<typeof SensorFindingList>;
