/** Tags of the product's own, and the prefix of the tags of a measurement. */
const TAG_PREFIX = 't_';
/** What a line of the protocol cannot carry in a tag, or reads otherwise: control signs, a backslash before a separator. */
const UNSAFE = /[%\\\p{Cc}]/gu;
/** An empty tag is no tag to InfluxDB. */
const EMPTY = '%';

/** Name of a measurement's tag as InfluxDB's. */
export const nameTag = (name: string): string => `${TAG_PREFIX}${name}`;

/** The measurement's tag behind a column of InfluxDB; undefined for other columns. */
export function nameOfTag(column: string): string | undefined {
  return column.startsWith(TAG_PREFIX) ? column.slice(TAG_PREFIX.length) : undefined;
}

/** A tag's value such that every text survives the line protocol. */
export function encodeTagValue(value: string): string {
  if (value === '') return EMPTY;
  return value.replace(UNSAFE, (sign) => `%${(sign.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
}

/** Inverse of `encodeTagValue`. */
export function decodeTagValue(value: string): string {
  if (value === EMPTY) return '';
  return value.replace(/%([0-9a-f]{2})/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  );
}

/** An identifier of InfluxQL: in double quotes, with quotes and backslashes escaped. */
export function quoteName(name: string): string {
  return `"${escapeSigns(name).replaceAll('"', '\\"')}"`;
}

/** A text of InfluxQL: in single quotes, with quotes and backslashes escaped. */
export function quoteText(text: string): string {
  return `'${escapeSigns(text).replaceAll("'", "\\'")}'`;
}

function escapeSigns(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
