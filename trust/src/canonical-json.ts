import { NgatuError } from '@ngatu/contract';
import canonicalize from 'canonicalize';

/** Nothing of ours nests deeper; a hostile text must not exhaust the stack. */
const MAX_DEPTH = 32;

/**
 * The one form of a JSON value that is signed: RFC 8785 (JCS), UTF-8. Two values have the same bytes exactly if they are the
 * same JSON.
 * @throws NgatuError MESSAGE_INVALID where the value is none that JSON can hold: a number that is not finite, half a surrogate
 *   pair, `undefined` in a list, a nesting deeper than 32
 */
export function encodeCanonicalJson(value: unknown): Uint8Array {
  requireJson(value, 0);
  const text = canonicalize(value);
  if (text === undefined) throw refuse('it is no value');
  return new TextEncoder().encode(text);
}

function requireJson(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw refuse(`it nests deeper than ${MAX_DEPTH}`);
  switch (typeof value) {
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw refuse('a number is not finite');
      return;
    case 'string':
      if (!isWellFormed(value)) throw refuse('a text holds half a character');
      return;
    case 'object':
      break;
    default:
      throw refuse(`a ${typeof value} is no JSON`);
  }
  if (value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) requireJson(item, depth + 1);
    return;
  }
  for (const [name, field] of Object.entries(value)) {
    if (!isWellFormed(name)) throw refuse('a name holds half a character');
    if (field !== undefined) requireJson(field, depth + 1);
  }
}

/** RFC 8785 section 3.2.2.2: a lone surrogate has no UTF-8 form, and must not be replaced in silence. */
function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}

function refuse(reason: string): NgatuError {
  return new NgatuError('MESSAGE_INVALID', `Cannot write a value as canonical JSON: ${reason}`);
}
