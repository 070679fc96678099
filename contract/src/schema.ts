import { KindGuard, type Static, type TSchema } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { Value } from '@sinclair/typebox/value';
import { type ErrorCode, NgatuError } from './error-code.ts';

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>();

function checkerOf(schema: TSchema): TypeCheck<TSchema> {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const checker = TypeCompiler.Compile(schema);
  compiled.set(schema, checker);
  return checker;
}

/** One mismatch between a value and its schema; `path` is a JSON pointer ('' is the whole value). */
export interface SchemaIssue {
  path: string;
  reason: string;
}

/**
 * Checks `value` against `schema` without changing it. Unknown properties are refused where the schema says so.
 * At most `limit` issues are returned.
 */
export function findSchemaIssues(schema: TSchema, value: unknown, limit = 5): SchemaIssue[] {
  const checker = checkerOf(schema);
  if (checker.Check(value)) return [];
  const issues: SchemaIssue[] = [];
  for (const error of checker.Errors(value)) {
    issues.push({ path: error.path, reason: listChoices(error.schema) ?? error.message });
    if (issues.length >= limit) break;
  }
  return issues;
}

/** Of a choice of fixed values the reason names them; undefined for any other schema. */
function listChoices({ anyOf }: TSchema): string | undefined {
  if (!Array.isArray(anyOf) || !anyOf.every((choice) => KindGuard.IsLiteral(choice))) return undefined;
  return `Expected one of ${anyOf.map((choice) => choice.const).join(', ')}`;
}

/** Nothing of ours is nested deeper; the library recurses into what it copies, and a message of brackets alone would use up the stack. */
const MAX_DEPTH = 64;

function isTooDeep(value: unknown): boolean {
  let level: object[] = typeof value === 'object' && value !== null ? [value] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= MAX_DEPTH) return true;
    const below: object[] = [];
    for (const part of level) {
      for (const inner of Object.values(part))
        if (typeof inner === 'object' && inner !== null) below.push(inner);
    }
    level = below;
  }
  return false;
}

/** A copy of `value` with the defaults of `schema` filled in, whether or not it matches; `value` itself where it is nested too deep. */
export function fillDefaults(schema: TSchema, value: unknown): unknown {
  return isTooDeep(value) ? value : Value.Default(schema, Value.Clone(value));
}

/**
 * Parses `value` with the defaults of `schema` filled in. The input is not changed.
 * @throws NgatuError with `code` that names every path and reason (at most five).
 */
export function parseWithSchema<T extends TSchema>(
  schema: T,
  value: unknown,
  refusal: { code: ErrorCode; what: string },
): Static<T> {
  if (isTooDeep(value))
    throw new NgatuError(
      refusal.code,
      `Cannot accept ${refusal.what}: it is nested deeper than ${MAX_DEPTH} levels`,
    );
  const filled = fillDefaults(schema, value);
  const issues = findSchemaIssues(schema, filled);
  if (issues.length > 0) {
    const list = issues.map((issue) => `${issue.path === '' ? '/' : issue.path}: ${issue.reason}`).join('; ');
    throw new NgatuError(refusal.code, `Cannot accept ${refusal.what}: ${list}`);
  }
  return filled as Static<T>;
}
