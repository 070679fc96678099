import { type Static, Type } from '@sinclair/typebox';
import { FeverGateProfile } from './fever-gate-profile.ts';
import { Slug } from './id.ts';
import { MaskProfile } from './mask-screening.ts';
import { SensorProfile } from './sensor-profile.ts';
import { SignalSource } from './signal-source.ts';

/** When a changed field takes effect: at once, or with a restart of the agent. */
type Apply = 'hot' | 'restart';
const restart: { apply: Apply } = { apply: 'restart' };

/** A secret is named, never written down: the variable of the environment that holds it. */
const SecretReference = Type.Object(
  {
    env: Type.String({
      pattern: '^[A-Z][A-Z0-9_]*$',
      description: 'Environment variable that holds the secret.',
    }),
  },
  { additionalProperties: false, ...restart },
);

const TimeOfDay = Type.String({
  pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
  description: 'Hour and minute of the node’s own time of day.',
  ...restart,
});

/** A part of each day; one that ends before it begins runs over midnight, one that ends where it begins is the whole day. */
export const UploadWindow = Type.Object({ from: TimeOfDay, to: TimeOfDay }, { additionalProperties: false });
export type UploadWindow = Static<typeof UploadWindow>;

export const UploadBudget = Type.Object(
  {
    bitsPerSecond: Type.Optional(
      Type.Integer({
        minimum: 8_000,
        description:
          'What all uploads together may send, bit/s. Leave a tenth of the link to events. Absent: no limit.',
        ...restart,
      }),
    ),
    flows: Type.Integer({
      minimum: 1,
      maximum: 32,
      default: 12,
      description:
        'Connections that carry files side by side. Over a link with loss a single one is slow, whatever the rate of the link.',
      ...restart,
    }),
    originalsAt: Type.Array(UploadWindow, {
      maxItems: 8,
      default: [],
      description:
        'When originals that nobody asked for travel too, where nothing else waits. Originals that are wanted travel at any time.',
      ...restart,
    }),
  },
  { additionalProperties: false, default: {} },
);
export type UploadBudget = Static<typeof UploadBudget>;

export const CameraProfile = Type.Object(
  {
    name: Slug,
    url: Type.String({
      pattern: '^rtsps?://[^@\\s]+$',
      description: 'RTSP address, without user name and password.',
      ...restart,
    }),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 128, ...restart })),
    password: Type.Optional(SecretReference),
    scene: Type.String({ minLength: 1, description: 'Scene file, relative to the profile.', ...restart }),
    stallTimeoutMs: Type.Number({
      minimum: 500,
      maximum: 60_000,
      default: 3_000,
      description: 'No decoded picture for this long is a stall: the stream is opened anew, ms.',
      ...restart,
    }),
    ringDurationMs: Type.Number({
      minimum: 30_000,
      maximum: 86_400_000,
      default: 300_000,
      description: 'How much of the compressed stream the ring keeps on disk, ms.',
      ...restart,
    }),
    masks: Type.Optional(MaskProfile),
  },
  { additionalProperties: false },
);
export type CameraProfile = Static<typeof CameraProfile>;

const ModelName = { pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64, apply: 'hot' satisfies Apply };

/** Name of the network that the product finds plates with, in the registry of models. */
export const DEFAULT_PLATE_DETECTOR = 'plates-nano';

/** How the plates of road users that a rule flagged are read. */
export const PlateProfile = Type.Object(
  {
    read: Type.Boolean({
      default: true,
      description:
        'Whether the plate of a flagged road user is read. Where it is and a model is missing, each case says so.',
      ...restart,
    }),
    detectorModel: Type.String({
      ...ModelName,
      default: DEFAULT_PLATE_DETECTOR,
      description: 'Finds plates. Where it cannot be had no plate is read. Taken by a reload (SIGHUP).',
    }),
    readerModels: Type.Array(Type.String(ModelName), {
      minItems: 1,
      maxItems: 3,
      uniqueItems: true,
      default: ['plate-reader-vn', 'ppocr-v4-rec'],
      description:
        'Read what stands on a plate, several of them together, as far as they can be had. Without any of them no plate is read. Taken by a reload (SIGHUP).',
      apply: 'hot' satisfies Apply,
    }),
    frames: Type.Integer({
      minimum: 1,
      maximum: 24,
      default: 8,
      description: 'Full-resolution pictures around the event that are looked at, at most.',
      ...restart,
    }),
  },
  { additionalProperties: false, default: {} },
);
export type PlateProfile = Static<typeof PlateProfile>;

/** Which small networks look at signal heads and at the heads of riders. */
export const SmallNetProfile = Type.Object(
  {
    lampModel: Type.String({
      ...ModelName,
      default: 'lamp-state',
      description:
        'Reads signal heads beside their colours; where the two differ, the signal is unknown. Where it cannot be had, colours alone are read and the log says so. Taken by a reload (SIGHUP).',
    }),
    readLamps: Type.Boolean({
      default: true,
      description: 'Whether `lampModel` is used. Without it colours alone are read.',
      apply: 'hot' satisfies Apply,
    }),
    helmetModel: Type.Optional(
      Type.String({
        ...ModelName,
        description:
          'Tells bare heads from helmets for rules NO_HELMET. Experimental: absent, such rules judge nothing and say why. Taken by a reload (SIGHUP).',
      }),
    ),
    occupantModel: Type.String({
      ...ModelName,
      default: 'occupant-count',
      description:
        'Counts who rides on a two-wheeler where a scene has a rule OVERLOADED. Where it cannot be had, boxes of people are counted and the log says so. Taken by a reload (SIGHUP).',
    }),
  },
  { additionalProperties: false, default: {} },
);
export type SmallNetProfile = Static<typeof SmallNetProfile>;

export const GatewayProfile = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    site: Slug,
    node: Slug,
    broker: Type.Object(
      {
        url: Type.String({
          pattern: '^mqtts?://',
          description:
            'MQTT 5 broker. Over mqtts:// the node shows the certificate of its identity, and the broker must have one of the same authority; mqtt:// is for a broker on this machine or a closed network.',
          ...restart,
        }),
        username: Type.Optional(Type.String({ minLength: 1, ...restart })),
        password: Type.Optional(SecretReference),
      },
      { additionalProperties: false },
    ),
    upload: Type.Object(
      {
        url: Type.String({
          pattern: '^https?://',
          description:
            'Where evidence files are sent. Over https:// the node shows the certificate of its identity; http:// is for a closed network.',
          ...restart,
        }),
        token: Type.Optional(SecretReference),
        budget: UploadBudget,
      },
      { additionalProperties: false },
    ),
    identity: Type.Optional(
      Type.Object(
        {
          folder: Type.String({
            minLength: 1,
            description:
              'Absolute folder of the node’s keys and certificates ("ngatu ca"). Absent: identity in the data folder of the agent.',
            ...restart,
          }),
        },
        { additionalProperties: false },
      ),
    ),
    detector: Type.Object(
      {
        model: Type.String({
          ...Slug,
          description:
            'Detector of road users: a model of the registry, or one of NGATU_MODELS. Taken by a reload (SIGHUP).',
          apply: 'hot' satisfies Apply,
        }),
        minConfidence: Type.Number({
          minimum: 0.05,
          maximum: 0.95,
          default: 0.1,
          description:
            'Findings below this are dropped before tracking; the tracker starts tracks only well above it.',
          apply: 'hot' satisfies Apply,
        }),
        threads: Type.Integer({
          minimum: 1,
          maximum: 16,
          default: 1,
          description: 'Threads of one inference.',
          apply: 'hot' satisfies Apply,
        }),
      },
      { additionalProperties: false },
    ),
    outbox: Type.Object(
      {
        maxBytes: Type.Integer({
          minimum: 1_048_576,
          default: 1_073_741_824,
          description:
            'Limit of the outbox, bytes. Telemetry is thinned, then dropped, violations last; every drop is listed.',
          ...restart,
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    evidence: Type.Object(
      {
        beforeMs: Type.Number({
          minimum: 0,
          maximum: 60_000,
          default: 5_000,
          description: 'Clip before the event, ms.',
          ...restart,
        }),
        afterMs: Type.Number({
          minimum: 0,
          maximum: 60_000,
          default: 5_000,
          description: 'Clip after the event, ms.',
          ...restart,
        }),
        retentionDays: Type.Number({
          minimum: 1,
          maximum: 3650,
          default: 30,
          description: 'How long evidence stays on the node after the centre has it, days.',
          ...restart,
        }),
        maxBytes: Type.Integer({
          minimum: 104_857_600,
          default: 53_687_091_200,
          description:
            'Limit of all evidence files on the node, bytes. What the centre has goes first, then originals that nobody asked for; what it will never get is listed.',
          ...restart,
        }),
        stillOffsetMs: Type.Number({
          minimum: 100,
          maximum: 5_000,
          default: 1_500,
          description: 'How far the stills before and after lie from the decisive moment, ms.',
          ...restart,
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    privacy: Type.Object(
      {
        faceModel: Type.Optional(
          Type.String({
            ...ModelName,
            description:
              'Finds faces to blur in what is shown (yunet-n-640). Absent: persons are blurred wholly. Taken by a reload (SIGHUP).',
          }),
        ),
        plateModel: Type.Optional(
          Type.String({
            ...ModelName,
            description:
              'Finds plates to blur (plates-nano, which the repository carries). Absent: vehicles are blurred wholly. Taken by a reload (SIGHUP).',
          }),
        ),
      },
      { additionalProperties: false, default: {} },
    ),
    plates: PlateProfile,
    smallNets: SmallNetProfile,
    cameras: Type.Array(CameraProfile, { minItems: 1, maxItems: 64 }),
    signals: Type.Array(SignalSource, {
      maxItems: 128,
      default: [],
      description: 'Sources of signal phases beside the lamps in the pictures.',
    }),
    sensors: Type.Array(SensorProfile, {
      maxItems: 128,
      default: [],
      description: 'Devices that measure something beside the cameras.',
    }),
    feverGates: Type.Array(FeverGateProfile, {
      maxItems: 8,
      default: [],
      description: 'Gates at which people are screened for fever.',
    }),
  },
  { additionalProperties: false, $id: 'GatewayProfile', description: 'What one gateway runs.' },
);
export type GatewayProfile = Static<typeof GatewayProfile>;
