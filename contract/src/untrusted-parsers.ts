import type { TSchema } from '@sinclair/typebox';
import { DirectiveSet } from './directive.ts';
import { buildDropMeasurements, DROP_MANNERS, readDropRanges } from './drop-record.ts';
import { Ack, ENVELOPES } from './envelope.ts';
import { EVENT_KINDS, Event, ROAD_USER_LABELS } from './event.ts';
import { EvidenceGone, EvidenceRequest } from './evidence-request.ts';
import { type LawQuestion, resolveLaw } from './law/resolve-law.ts';
import { ModelManifest } from './model-manifest.ts';
import { parseModelManifest } from './model-manifest-check.ts';
import { GatewayProfile } from './profile.ts';
import { Scene } from './scene.ts';
import { findSchemaIssues, parseWithSchema } from './schema.ts';
import { buildSchemaExample } from './schema-example.ts';
import { ScreeningAggregate, ScreeningResult, TemperatureMatrix, ThermometerReading } from './screening.ts';
import { SignalMessage } from './signal-message.ts';
import { NodeState, Telemetry } from './telemetry.ts';
import { buildTopic, CHANNELS, parseTopic } from './topic.ts';
import type { UntrustedParser } from './untrusted-parser.ts';

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decode = (input: Uint8Array): string => new TextDecoder().decode(input);

/** JSON of the wire and of files, without what an operating part checks beyond its schema. */
const SCHEMAS: Readonly<Record<string, TSchema>> = {
  Ack,
  EventEnvelope: ENVELOPES.event,
  EvidenceEnvelope: ENVELOPES.evidence,
  TelemetryEnvelope: ENVELOPES.telemetry,
  ScreeningEnvelope: ENVELOPES.screening,
  NodeState,
  DirectiveSet,
  EvidenceRequest,
  EvidenceGone,
  SignalMessage,
  GatewayProfile,
  Scene,
  ModelManifest,
  TemperatureMatrix,
  ScreeningResult,
  ScreeningAggregate,
  ThermometerReading,
};

/** JSON of text; undefined where it is none. */
function parseJson(input: Uint8Array): unknown {
  try {
    return JSON.parse(decode(input));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const schemaParser: UntrustedParser = {
  name: 'contract-schema',
  covers: ['contract/src/schema.ts#parseWithSchema'],
  source: 'every message and file that has a schema',
  form: 'json',
  pace: 'process',
  open: async () => {
    const samples = Object.entries(SCHEMAS).flatMap(([schema, type]) =>
      [true, false].map((withOptional) =>
        encode({ schema, value: buildSchemaExample(type, { withOptional }) }),
      ),
    );
    return {
      samples,
      parse: (input) => {
        const given = parseJson(input);
        if (typeof given !== 'object' || given === null) return 'NOT_JSON';
        const { schema, value } = given as { schema?: unknown; value?: unknown };
        const name = typeof schema === 'string' && Object.hasOwn(SCHEMAS, schema) ? schema : 'Scene';
        const type = SCHEMAS[name] ?? Scene;
        findSchemaIssues(type, value, 50);
        parseWithSchema(type, value, { code: 'MESSAGE_INVALID', what: 'an input' });
        return undefined;
      },
    };
  },
};

const topicParser: UntrustedParser = {
  name: 'mqtt-topic',
  covers: ['contract/src/topic.ts#parseTopic'],
  source: 'whoever may publish at the broker',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: CHANNELS.map((channel) =>
      new TextEncoder().encode(buildTopic({ site: 'hanoi', node: 'gate-1', channel })),
    ),
    parse: (input) => (parseTopic(decode(input)) === undefined ? 'TOPIC_INVALID' : undefined),
  }),
};

const dropParser: UntrustedParser = {
  name: 'drop-record',
  covers: ['contract/src/drop-record.ts#readDropRanges'],
  source: 'a node, in its telemetry',
  form: 'json',
  pace: 'process',
  open: async () => {
    const at = '2025-11-22T03:00:00.000Z';
    const measurements = buildDropMeasurements(
      DROP_MANNERS.map((manner, index) => ({ from: 3 * index + 1, to: 3 * index + 2, manner })),
      at,
    );
    const telemetry = { schemaVersion: 1, site: 'hanoi', node: 'gate-1', intervals: [], measurements };
    return {
      samples: [encode({ seq: 20, telemetry })],
      parse: (input) => {
        const { seq, telemetry: value } = (parseJson(input) ?? {}) as { seq?: unknown; telemetry?: unknown };
        if (typeof seq !== 'number' || findSchemaIssues(Telemetry, value).length > 0)
          return 'MESSAGE_INVALID';
        const ranges = readDropRanges(value as Telemetry, seq);
        if (ranges.some(({ from, to }) => !(from >= 1 && from <= to && to < seq)))
          throw new RangeError('a stretch that does not lie below its number');
        return undefined;
      },
    };
  },
};

const lawParser: UntrustedParser = {
  name: 'law-question',
  covers: [],
  source: 'a node: kind, class, measures and instant of an event decide what law is shown',
  form: 'json',
  pace: 'process',
  open: async () => {
    const questions: LawQuestion[] = EVENT_KINDS.flatMap((kind) =>
      ROAD_USER_LABELS.map((label) => ({
        kind,
        label,
        measures: { limitKmh: 50, speedLowKmh: 71.3 },
        atMs: Date.parse('2025-11-22T03:00:00.000Z'),
      })),
    );
    return {
      samples: questions.map(encode),
      parse: (input) => {
        const value = (parseJson(input) ?? {}) as Partial<LawQuestion>;
        const { kind, label, measures, atMs } = value;
        // what the schema of an event lets through
        if (typeof kind !== 'string' || typeof label !== 'string' || typeof atMs !== 'number')
          return 'MESSAGE_INVALID';
        if (findSchemaIssues(Event.properties.measures, measures).length > 0) return 'MESSAGE_INVALID';
        const question = { kind, label, measures, atMs } as LawQuestion;
        resolveLaw(question);
        return undefined;
      },
    };
  },
};

const modelParser: UntrustedParser = {
  name: 'model-manifest',
  covers: ['contract/src/model-manifest-check.ts#parseModelManifest'],
  source: 'who may put a model before a node',
  form: 'json',
  pace: 'process',
  open: async () => {
    const example = buildSchemaExample(ModelManifest, { withOptional: true }) as ModelManifest;
    const sound: ModelManifest = {
      ...example,
      task: 'road-user-detector',
      runtime: { kind: 'onnx', opset: 11 },
      outputs: [{ name: 'output', dtype: 'float32', shape: [1, 'rows', 13] }],
      preprocessing: { ...example.preprocessing, colourOrder: 'bgr' },
      decoding: { format: 'yolox', classes: 8, strides: [8, 16, 32] },
      labels: { 0: 'person', 6: 'traffic-light', 7: 'plate' },
      thresholds: { minConfidence: 0.1, perLabel: { plate: 0.3 } },
    };
    const reader: ModelManifest = {
      ...sound,
      task: 'plate-reader',
      decoding: { format: 'ctc', alphabet: ['-', 'A', '1'], blankIndex: 0 },
      labels: {},
      thresholds: {},
    };
    return {
      samples: [sound, reader].map(encode),
      parse: (input) => {
        parseModelManifest(parseJson(input), 'a manifest');
        return undefined;
      },
    };
  },
};

/** Parsers of the contract that meet untrusted input. */
export const CONTRACT_PARSERS: readonly UntrustedParser[] = [
  schemaParser,
  topicParser,
  dropParser,
  lawParser,
  modelParser,
];
