import { type Static, Type } from '@sinclair/typebox';
import { CameraInterval } from './camera-state.ts';
import { DROP_ITEMS_MAX, DropItem } from './drop-record.ts';
import { OutboxId, Sha256, Slug, Timestamp } from './id.ts';
import { Readiness, RuleBlindInterval } from './readiness.ts';

/**
 * How far a reading of a sensor can be believed. `uncertain` is kept and shown apart (estimated, held, late, thinned out);
 * `bad` is kept for those who look after the sensor, and counts in no figure.
 */
export const ReadingQuality = Type.Union([
  Type.Literal('good'),
  Type.Literal('uncertain'),
  Type.Literal('bad'),
]);
export type ReadingQuality = Static<typeof ReadingQuality>;

/**
 * A number measured at a time. A figure of the product carries its unit last in `metric` (`analysedFps`, `inferenceMsP50`); a
 * reading of a sensor carries `unit` and `quality`, and the name of the sensor as tag `sensor`.
 */
export const Measurement = Type.Object(
  {
    at: Timestamp,
    metric: Type.String({ pattern: '^[a-z][A-Za-z0-9]*$', maxLength: 64 }),
    value: Type.Number(),
    unit: Type.Optional(
      Type.String({ minLength: 1, maxLength: 16, pattern: '^[!-~]+$', description: 'UCUM code.' }),
    ),
    quality: Type.Optional(ReadingQuality),
    tags: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9]*$' }), Type.String({ maxLength: 64 }), {
        description: 'What is counted: tripwire, direction, label.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type Measurement = Static<typeof Measurement>;

/** Payload of the `telemetry` channel (in an envelope): the camera's ledger and its measurements since the last one. */
export const Telemetry = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    site: Slug,
    node: Slug,
    camera: Type.Optional(Slug),
    intervals: Type.Array(CameraInterval, { maxItems: 200 }),
    measurements: Type.Array(Measurement, { maxItems: 500 }),
    readiness: Type.Optional(Readiness),
    ruleBlindIntervals: Type.Optional(Type.Array(RuleBlindInterval, { maxItems: 500 })),
    drops: Type.Optional(
      Type.Array(DropItem, {
        maxItems: DROP_ITEMS_MAX,
        description: 'What the node had to drop beside telemetry, one by one.',
      }),
    ),
  },
  { additionalProperties: false, $id: 'Telemetry' },
);
export type Telemetry = Static<typeof Telemetry>;

/** A model that a place was told to take and could not. */
const ModelRefusal = Type.Object(
  {
    name: Type.Optional(Slug),
    code: Type.String({ pattern: '^[A-Z][A-Z_]*$', maxLength: 40, description: 'Error code.' }),
    message: Type.String({ maxLength: 500 }),
    at: Timestamp,
  },
  {
    additionalProperties: false,
    description: 'Absent where the model that the profile names is the one that serves.',
  },
);

/** The detector of road users that serves on a node, and the last one that it was told to take and could not. */
export const NodeModel = Type.Object(
  { name: Slug, sha256: Sha256, since: Timestamp, refused: Type.Optional(ModelRefusal) },
  { additionalProperties: false, description: 'The detector of road users that serves.' },
);
export type NodeModel = Static<typeof NodeModel>;

/** What a node uses networks for, beside the detector of road users. */
export const NETWORK_USES = [
  'lamp',
  'helmet',
  'occupants',
  'face-blur',
  'plate-blur',
  'plate-finder',
  'plate-reader',
  'mask',
  'eye',
] as const;
export type NetworkUse = (typeof NETWORK_USES)[number];

/** A network that the profile of a node asks for. */
export const NodeNetwork = Type.Object(
  {
    use: Type.Union(
      NETWORK_USES.map((use) => Type.Literal(use)),
      { description: 'What it is used for; `plate-reader` and `mask` may stand here several times.' },
    ),
    name: Type.String({
      ...Slug,
      description: 'The one that serves; where none does, the one that the profile names.',
    }),
    sha256: Type.Optional(Type.String({ ...Sha256, description: 'Absent where none serves.' })),
    since: Type.Optional(Type.String({ ...Timestamp, description: 'Absent where none serves.' })),
    refused: Type.Optional(ModelRefusal),
  },
  {
    additionalProperties: false,
    description:
      'Neither `since` nor `refused`: it is being loaded. `ASSET_UNAVAILABLE`: it was not supplied.',
  },
);
export type NodeNetwork = Static<typeof NodeNetwork>;

/** Payload of the retained `state` topic; the will says `offline` with the same `bootId`, so a stale death is ignored. */
export const NodeState = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    state: Type.Union([Type.Literal('online'), Type.Literal('offline')]),
    bootId: Type.String({ maxLength: 64 }),
    at: Timestamp,
    version: Type.String({ maxLength: 32 }),
    cameras: Type.Array(Slug, { maxItems: 256 }),
    directiveRevision: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'The set of directives that the node holds on disk; absent before the first one.',
      }),
    ),
    model: Type.Optional(NodeModel),
    networks: Type.Optional(
      Type.Array(NodeNetwork, {
        maxItems: 32,
        description: 'The networks beside the detector of road users that the profile asks for.',
      }),
    ),
    connectedAt: Type.Optional(Timestamp),
    certificateSha256: Type.Optional(Sha256),
    outbox: Type.Optional(
      Type.Object(
        {
          outboxId: OutboxId,
          waiting: Type.Integer({ minimum: 0, description: 'Messages in it.' }),
          waitingBytes: Type.Integer({ minimum: 0 }),
          oldestSeq: Type.Optional(
            Type.Integer({
              minimum: 1,
              description: 'The lowest number in it: what is missing below is not on its way.',
            }),
          ),
          newestSeq: Type.Integer({ minimum: 0, description: 'The highest number that was ever given.' }),
          droppedTotal: Type.Integer({ minimum: 0 }),
        },
        { additionalProperties: false, description: 'What waits on the node.' },
      ),
    ),
    sentBytes: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]*$' }), Type.Integer({ minimum: 0 }), {
        description: 'Bytes sent since the start of the agent, by class of what was sent.',
      }),
    ),
  },
  { additionalProperties: false, $id: 'NodeState' },
);
export type NodeState = Static<typeof NodeState>;
