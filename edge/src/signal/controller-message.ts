import {
  type ErrorCode,
  findSchemaIssues,
  type MqttSignalSource,
  SIGNAL_MESSAGE_MAX_BYTES,
  SignalMessage,
} from '@ngatu/contract';

/** A message as the controller meant it; instants on the controller's clock, ms since 1970. */
export interface ControllerStatement {
  readonly state: SignalMessage['state'];
  readonly sentAtMs?: number;
  readonly sinceMs?: number;
  readonly validMs?: number;
}

export interface MessageRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

type Mapping = Pick<MqttSignalSource, 'fields' | 'states'>;

const FIELDS = ['state', 'sentAt', 'since', 'validMs'] as const;

/** Reads a controller's payload through the mapping of its profile. Never throws. */
export function decodeControllerMessage(
  payload: Uint8Array,
  mapping: Mapping,
): ControllerStatement | MessageRefusal {
  if (payload.length > SIGNAL_MESSAGE_MAX_BYTES) {
    const reason = `${payload.length} bytes, limit ${SIGNAL_MESSAGE_MAX_BYTES}`;
    return { code: 'MESSAGE_TOO_LARGE', reason };
  }
  const value = decodeJson(payload);
  if (value === undefined) return { code: 'MESSAGE_NOT_JSON', reason: 'the payload is not UTF-8 JSON' };
  const message = mapMessage(value, mapping);
  const [issue] = findSchemaIssues(SignalMessage, message, 1);
  if (issue !== undefined) {
    return { code: 'MESSAGE_INVALID', reason: `${issue.path === '' ? '/' : issue.path}: ${issue.reason}` };
  }
  const { state, sentAt, since, validMs } = message as SignalMessage;
  const sentAtMs = toInstant(sentAt);
  const sinceMs = toInstant(since);
  if (Number.isNaN(sentAtMs) || Number.isNaN(sinceMs)) {
    return { code: 'MESSAGE_INVALID', reason: 'a time that does not exist' };
  }
  return {
    state,
    ...(sentAtMs === undefined ? {} : { sentAtMs }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(validMs === undefined ? {} : { validMs }),
  };
}

function decodeJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}

function mapMessage(value: unknown, { fields, states }: Mapping): unknown {
  const message: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const found = readPointer(value, fields?.[field] ?? `/${field}`);
    if (found !== undefined) message[field] = found;
  }
  const word = message['state'];
  if (states !== undefined && (typeof word === 'string' || typeof word === 'number')) {
    // A word that the profile does not name is not guessed: the schema refuses it.
    message['state'] = Object.hasOwn(states, String(word)) ? states[String(word)] : undefined;
  }
  return message;
}

/** RFC 6901; undefined where nothing is there. */
function readPointer(value: unknown, pointer: string): unknown {
  let place = value;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return undefined;
    place = (place as Record<string, unknown>)[name];
  }
  return place;
}

function toInstant(time: string | number | undefined): number | undefined {
  return typeof time === 'string' ? Date.parse(time) : time;
}
