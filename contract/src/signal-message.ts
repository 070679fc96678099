import { type Static, Type } from '@sinclair/typebox';
import { SignalState } from './event.ts';
import { Timestamp } from './id.ts';

/** A larger payload of a signal controller is refused unread, bytes. */
export const SIGNAL_MESSAGE_MAX_BYTES = 4 * 1024;

/**
 * What a signal controller says of one signal, on the topic that the profile names. Published at every change and again at
 * least once within `validMs`, best retained. A controller that speaks otherwise is read through the `fields` and `states` of
 * the profile, which map its message to this one.
 */
export const SignalMessage = Type.Object(
  {
    state: SignalState,
    sentAt: Type.Optional(
      Type.Union([Timestamp, Type.Number({ minimum: 0 })], {
        description: 'When it was sent, on the controller’s clock: RFC 3339, or ms since 1970.',
      }),
    ),
    since: Type.Optional(
      Type.Union([Timestamp, Type.Number({ minimum: 0 })], {
        description:
          'Since when the state is shown, on the same clock. Absent: since the first message of it.',
      }),
    ),
    validMs: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 600_000,
        description: 'How long it holds from `sentAt` on unless another one follows, ms.',
      }),
    ),
  },
  {
    additionalProperties: true,
    $id: 'SignalMessage',
    description: 'What a signal controller says of one signal. Other properties are ignored.',
  },
);
export type SignalMessage = Static<typeof SignalMessage>;
