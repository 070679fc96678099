import { type Static, Type } from '@sinclair/typebox';
import { DeviceTls } from './device-tls.ts';
import { Slug } from './id.ts';

const restart = { apply: 'restart' } as const;

const SecretName = Type.Object(
  {
    env: Type.String({
      pattern: '^[A-Z][A-Z0-9_]*$',
      description: 'Environment variable that holds the secret.',
    }),
  },
  { additionalProperties: false, ...restart },
);

const PlanckMapping = Type.Object(
  {
    kind: Type.Literal('planck'),
    r1: Type.Number({ exclusiveMinimum: 0, ...restart }),
    b: Type.Number({ exclusiveMinimum: 0, description: 'K', ...restart }),
    f: Type.Number({ exclusiveMinimum: 0, ...restart }),
    o: Type.Number(restart),
    r2: Type.Number({ exclusiveMinimum: 0, ...restart }),
  },
  {
    additionalProperties: false,
    description: 'Constants of the camera: raw = R1 / (R2 · (exp(B / K) − F)) − O.',
  },
);

/** How raw 16-bit values become temperatures. */
export const ThermalMapping = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('linear'),
      gain: Type.Number({ exclusiveMinimum: 0, maximum: 10, description: '°C a step.', ...restart }),
      offsetC: Type.Number({ minimum: -1_000, maximum: 1_000, description: '°C at 0.', ...restart }),
    },
    { additionalProperties: false, description: '0.01 and −273.15 for hundredths of a kelvin.' },
  ),
  PlanckMapping,
]);
export type ThermalMapping = Static<typeof ThermalMapping>;

const FilePath = Type.String({ pattern: '^/', minLength: 2, maxLength: 400, ...restart });

/** A recording, played in its own time and begun anew at its end. */
const RecordingInput = Type.Object(
  {
    kind: Type.Literal('recording'),
    path: FilePath,
    mapping: Type.Optional(ThermalMapping),
  },
  {
    additionalProperties: false,
    description:
      'A 16-bit grey video (FFV1) with its mapping, or a radiometric JPEG, SEQ or CSQ of FLIR, which has its own; played over and over: for trials.',
  },
);

const DeviceInput = Type.Object(
  {
    kind: Type.Literal('v4l2'),
    device: FilePath,
    width: Type.Integer({ minimum: 8, maximum: 4_096, ...restart }),
    height: Type.Integer({ minimum: 8, maximum: 4_096, ...restart }),
    framesPerSecond: Type.Number({ exclusiveMinimum: 0, maximum: 120, default: 9, ...restart }),
    mapping: ThermalMapping,
  },
  { additionalProperties: false, description: 'A camera that delivers Y16.' },
);

const HttpInput = Type.Object(
  {
    kind: Type.Literal('http'),
    url: Type.String({
      pattern: '^https?://[^@\\s]+$',
      maxLength: 400,
      description: 'Answers with a matrix of temperatures, JSON or text.',
      ...restart,
    }),
    intervalMs: Type.Integer({ minimum: 20, maximum: 10_000, default: 120, ...restart }),
    timeoutMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 3_000, ...restart }),
  },
  { additionalProperties: false, description: 'Matrices of temperatures that are asked for.' },
);

const MqttInput = Type.Object(
  {
    kind: Type.Literal('mqtt'),
    url: Type.String({ pattern: '^mqtts?://[^@\\s]+$', maxLength: 400, ...restart }),
    topic: Type.String({
      pattern: '^[^+#\\s]+$',
      maxLength: 200,
      description: 'Without wildcards; outside `ngatu/`.',
      ...restart,
    }),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 128, ...restart })),
    password: Type.Optional(SecretName),
    tls: Type.Optional(DeviceTls),
  },
  { additionalProperties: false, description: 'Matrices of temperatures that are published.' },
);

const Range = (low: number, high: number, description: string) =>
  Type.Object(
    {
      low: Type.Number({ default: low, ...restart }),
      high: Type.Number({ default: high, ...restart }),
    },
    { additionalProperties: false, default: {}, description },
  );

const Milliseconds = (fallback: number, maximum: number, description: string, minimum = 0) =>
  Type.Integer({ minimum, maximum, default: fallback, description, ...restart });

const Limits = Type.Object(
  {
    ambientC: Range(20, 24, 'Room in which is measured, °C (FDA advice; S).'),
    relativeHumidity: Range(0.1, 0.5, 'Room in which is measured, 0–1 (FDA advice; S).'),
    ambientMaxAgeMs: Milliseconds(600_000, 3_600_000, 'An older reading of the room is none, ms.', 1_000),
    warmUpMs: Milliseconds(1_800_000, 14_400_000, 'From switching on, ms (PMC8654479; S).'),
    selfCheckEveryMs: Milliseconds(86_400_000, 604_800_000, 'Between two self-checks, ms.', 60_000),
    selfCheckRetryMs: Milliseconds(60_000, 3_600_000, 'After a failed self-check, ms.', 1_000),
    framesWanted: Type.Integer({
      minimum: 3,
      maximum: 10,
      default: 6,
      description: 'Frames of a passage.',
      ...restart,
    }),
    refuseAfterMs: Milliseconds(
      8_000,
      60_000,
      'Who could not be measured for this long goes to the thermometer, ms.',
      1_000,
    ),
    leaveFrames: Type.Integer({
      minimum: 1,
      maximum: 30,
      default: 3,
      description: 'Frames without anybody before the next person.',
      ...restart,
    }),
  },
  { additionalProperties: false, default: {} },
);

const Blackbody = Type.Object(
  {
    x: Type.Integer({ minimum: 0, maximum: 4_095, ...restart }),
    y: Type.Integer({ minimum: 0, maximum: 4_095, ...restart }),
    width: Type.Integer({ minimum: 5, maximum: 1_024, ...restart }),
    height: Type.Integer({ minimum: 5, maximum: 1_024, ...restart }),
    setC: Type.Number({ minimum: 30, maximum: 45, description: 'What it is set to, °C.', ...restart }),
    accuracyC: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Half range of its stated accuracy, °C.',
      ...restart,
    }),
    emissivity: Type.Number({ minimum: 0.8, maximum: 1, default: 0.98, ...restart }),
    toleranceC: Type.Number({
      exclusiveMinimum: 0,
      maximum: 5,
      default: 2,
      description: 'The camera may be off by no more, °C.',
      ...restart,
    }),
  },
  {
    additionalProperties: false,
    description: 'The reference source: where its radiating face lies in the picture, px, and what it is.',
  },
);

const PixelPair = Type.Object(
  {
    visible: Type.Tuple([Type.Number(), Type.Number()], {
      description: 'px, in the visible picture.',
      ...restart,
    }),
    thermal: Type.Tuple([Type.Number(), Type.Number()], {
      description: 'px, in the thermal picture.',
      ...restart,
    }),
  },
  { additionalProperties: false },
);

/** A visible camera beside the thermal one: its eyes name the places of the canthi. */
const VisibleCamera = Type.Object(
  {
    url: Type.String({
      pattern: '^rtsps?://[^@\\s]+$',
      maxLength: 400,
      description: 'Without user name and password.',
      ...restart,
    }),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 128, ...restart })),
    password: Type.Optional(SecretName),
    width: Type.Integer({ minimum: 64, maximum: 8_192, description: 'Of its picture, px.', ...restart }),
    height: Type.Integer({ minimum: 64, maximum: 8_192, description: 'Of its picture, px.', ...restart }),
    pairs: Type.Array(PixelPair, {
      minItems: 4,
      maxItems: 64,
      description:
        'Points that both cameras see at the distance of the mark on the floor, for instance the corners of a warm board.',
    }),
    lagMs: Type.Integer({
      minimum: -2_000,
      maximum: 2_000,
      default: 0,
      description: 'By so much the thermal picture comes later than the visible one of the same instant, ms.',
      ...restart,
    }),
  },
  {
    additionalProperties: false,
    description:
      'A visible camera beside the thermal one, which tells where the eyes are. Its pictures are looked at and dropped.',
  },
);
export type VisibleCamera = Static<typeof VisibleCamera>;

/** A gate at which people are screened for fever. */
export const FeverGateProfile = Type.Object(
  {
    name: Slug,
    input: Type.Union([DeviceInput, HttpInput, MqttInput, RecordingInput]),
    visible: Type.Optional(VisibleCamera),
    blackbody: Blackbody,
    roomSensor: Type.String({
      pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
      maxLength: 64,
      description: 'Sensor of this profile that reads `airTemperature` and `airHumidity` beside the gate.',
      ...restart,
    }),
    distanceM: Type.Number({
      minimum: 0.3,
      maximum: 5,
      default: 1,
      description: 'From lens to face, m.',
      ...restart,
    }),
    minFaceWidthPx: Type.Integer({
      minimum: 24,
      maximum: 1_024,
      default: 180,
      description: 'Smaller faces are refused, px.',
      ...restart,
    }),
    uniformityC: Type.Number({
      minimum: 0,
      maximum: 2,
      default: 0.15,
      description: 'Half range of the unevenness of the sensor, °C.',
      ...restart,
    }),
    bandK: Type.Number({
      minimum: 500,
      maximum: 5_000,
      default: 1_480,
      description: '`B` of the band of the camera, K.',
      ...restart,
    }),
    thresholdC: Type.Number({
      minimum: 36.5,
      maximum: 38.5,
      default: 37.3,
      description: 'From this estimate on somebody is sent to the thermometer, °C.',
      ...restart,
    }),
    learnPassages: Type.Integer({
      minimum: 20,
      maximum: 1_000,
      default: 50,
      description: 'So many people go to the thermometer before the gate knows its site.',
      ...restart,
    }),
    maxFramesPerSecond: Type.Number({
      minimum: 1,
      maximum: 30,
      default: 5,
      description: 'Pictures beyond this rate are left out.',
      ...restart,
    }),
    stallTimeoutMs: Milliseconds(5_000, 120_000, 'No picture for this long: the gate is blind, ms.', 200),
    limits: Limits,
  },
  { additionalProperties: false, description: 'A gate at which people are screened for fever.' },
);
export type FeverGateProfile = Static<typeof FeverGateProfile>;
