import { type Static, Type } from '@sinclair/typebox';
import { SIGNAL_STATES, SignalState } from './event.ts';
import { Slug } from './id.ts';

const restart = { apply: 'restart' } as const;

const JsonPointer = Type.String({
  pattern: '^(/[^/]*)+$',
  maxLength: 200,
  description: 'JSON pointer (RFC 6901) into the message.',
});

/** Where a controller's own message holds what `SignalMessage` calls so. */
const SignalFields = Type.Object(
  {
    state: Type.Optional(JsonPointer),
    sentAt: Type.Optional(JsonPointer),
    since: Type.Optional(JsonPointer),
    validMs: Type.Optional(JsonPointer),
  },
  {
    additionalProperties: false,
    description: 'Where the controller’s message holds each field; `/state` and so on where it is absent.',
    ...restart,
  },
);

export const MqttSignalSource = Type.Object(
  {
    kind: Type.Literal('mqtt'),
    topic: Type.String({
      pattern: '^[^+#\\s]+$',
      maxLength: 200,
      description: 'Topic of this one signal, without wildcards.',
      ...restart,
    }),
    broker: Type.Optional(
      Type.Object(
        {
          url: Type.String({ pattern: '^mqtts?://[^@\\s]+$', ...restart }),
          username: Type.Optional(Type.String({ minLength: 1, ...restart })),
          password: Type.Optional(
            Type.Object(
              {
                env: Type.String({
                  pattern: '^[A-Z][A-Z0-9_]*$',
                  description: 'Environment variable that holds the secret.',
                }),
              },
              { additionalProperties: false, ...restart },
            ),
          ),
        },
        {
          additionalProperties: false,
          description: 'The controller’s broker, where it is not the gateway’s.',
        },
      ),
    ),
    clock: Type.Union([Type.Literal('controller'), Type.Literal('node')], {
      default: 'controller',
      description:
        '`controller`: times of the message count, and must agree with the node’s clock. `node`: the message carries no ' +
        'time, the instant of its arrival counts, and retained messages are refused because nobody knows their age.',
      ...restart,
    }),
    maxClockErrorMs: Type.Number({
      minimum: 50,
      maximum: 10_000,
      default: 1_500,
      description: 'A live message whose `sentAt` differs from the node’s clock by more is refused, ms.',
      ...restart,
    }),
    validMs: Type.Number({
      minimum: 200,
      maximum: 600_000,
      default: 5_000,
      description: 'How long a message holds where it does not say so itself, ms.',
      ...restart,
    }),
    fields: Type.Optional(SignalFields),
    states: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), SignalState, {
        description: 'The controller’s word or number for each state: `{"3": "green"}`.',
        ...restart,
      }),
    ),
  },
  { additionalProperties: false, description: 'A signal controller that publishes its phase over MQTT.' },
);
export type MqttSignalSource = Static<typeof MqttSignalSource>;

export const InputSignalSource = Type.Object(
  {
    kind: Type.Literal('input'),
    contacts: Type.Array(
      Type.Object(
        {
          path: Type.String({
            pattern: '^/',
            maxLength: 400,
            description: 'File that reads 0 or 1 (`/sys/class/gpio/gpio17/value`).',
            ...restart,
          }),
          state: Type.Union(
            SIGNAL_STATES.filter((state) => state === 'red' || state === 'amber' || state === 'green').map(
              (state) => Type.Literal(state),
            ),
            { description: 'The lens that the contact stands for.' },
          ),
          activeLow: Type.Boolean({
            default: false,
            description: 'True where 0 means that the lens is lit.',
            ...restart,
          }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 3, description: 'One contact a lens.' },
    ),
    otherwise: Type.Union(
      SIGNAL_STATES.map((state) => Type.Literal(state)),
      {
        default: 'unknown',
        description:
          'The state where no contact says that its lens is lit: `green` behind a single contact of the red lens, `off` ' +
          'where every lens has one.',
        ...restart,
      },
    ),
    pollMs: Type.Number({
      minimum: 2,
      maximum: 20,
      default: 10,
      description: 'How often the contacts are read, ms.',
      ...restart,
    }),
    debounceMs: Type.Number({
      minimum: 0,
      maximum: 500,
      default: 50,
      description: 'A contact counts as changed once it has held for this long, ms.',
      ...restart,
    }),
  },
  { additionalProperties: false, description: 'Contacts parallel to the lenses, on digital inputs.' },
);
export type InputSignalSource = Static<typeof InputSignalSource>;

/** One more source of a signal of a camera's scene, beside the lamp in its picture. */
export const SignalSource = Type.Object(
  {
    camera: Slug,
    signal: Slug,
    source: Type.Union([MqttSignalSource, InputSignalSource]),
    lamp: Type.Union([Type.Literal('check'), Type.Literal('ignore')], {
      default: 'check',
      description:
        '`check`: the lamp in the picture is read as well and must agree. `ignore`: only the sources named here count.',
      ...restart,
    }),
    maxOffsetMs: Type.Number({
      minimum: 100,
      maximum: 10_000,
      default: 2_000,
      description: 'Two sources whose changes lie further apart than this on the median disagree, ms.',
      ...restart,
    }),
    maxDisagreementMs: Type.Number({
      minimum: 100,
      maximum: 30_000,
      default: 1_500,
      description: 'Two sources that show different states for longer than this disagree, ms.',
      ...restart,
    }),
  },
  {
    additionalProperties: false,
    description: 'A source of a signal’s phase beside the lamp in the picture.',
  },
);
export type SignalSource = Static<typeof SignalSource>;
