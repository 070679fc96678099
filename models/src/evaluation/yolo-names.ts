const KEY = /^names[ \t]*:[ \t]*(.*)$/m;
const ITEM = /^\s*-\s+(.*)$/;
const ENTRY = /^\s*(['"]?)(\d{1,5})\1\s*:\s*(.*)$/;

/**
 * Class names of a `data.yaml` by class index: `names` as a list or as a mapping from the index, in block or flow style. An index
 * that the mapping leaves out is a hole. Other keys are not looked at.
 */
export function parseYoloYamlNames(text: string): string[] {
  const lines = text.split(/\r?\n/).map(stripComment);
  const start = lines.findIndex((line) => KEY.test(line));
  if (start < 0) return [];
  const head = KEY.exec(lines[start] ?? '')?.[1]?.trim() ?? '';
  const rest = lines.slice(start + 1);
  if (head !== '') return parseFlow([head, ...rest].join(' '));
  // the block ends at the next key without indentation
  const end = rest.findIndex((line) => /^[A-Za-z_"']/.test(line));
  return collect((end < 0 ? rest : rest.slice(0, end)).map((line) => line.trimEnd()));
}

/** Class names of a `classes.txt`, one a line; empty lines at its end do not count. */
export function parseClassList(text: string): string[] {
  const names = text.split(/\r?\n/).map((line) => line.trim());
  while (names.length > 0 && names.at(-1) === '') names.pop();
  return toSparse(names.entries());
}

function collect(lines: readonly string[]): string[] {
  const named: [index: number, name: string][] = [];
  let next = 0;
  for (const line of lines) {
    const item = ITEM.exec(line);
    const entry = item === null ? ENTRY.exec(line) : null;
    if (item !== null) named.push([next++, unquote(item[1] ?? '')]);
    else if (entry !== null) named.push([Number(entry[2]), unquote(entry[3] ?? '')]);
  }
  return toSparse(named);
}

/** A hole where the name is empty. */
function toSparse(named: Iterable<[index: number, name: string]>): string[] {
  const names: string[] = [];
  for (const [index, name] of named) if (name !== '') names[index] = name;
  return names;
}

/** `[a, 'b']` or `{0: a, 1: b}`, up to its closing bracket. */
function parseFlow(text: string): string[] {
  const open = text[0];
  if (open !== '[' && open !== '{') return [];
  const parts = splitFlow(text.slice(1), open === '[' ? ']' : '}');
  return collect(parts.map((part) => (open === '[' ? `- ${part}` : part)));
}

function splitFlow(text: string, close: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quote = '';
  for (const sign of text) {
    if (quote === '' && sign === close) break;
    if (quote === '' && sign === ',') {
      parts.push(part.trim());
      part = '';
      continue;
    }
    if (quote === '' && (sign === "'" || sign === '"')) quote = sign;
    else if (sign === quote) quote = '';
    part += sign;
  }
  return [...parts, part.trim()].filter((word) => word !== '');
}

function stripComment(line: string): string {
  return line.replace(/(^|\s)#.*$/, '');
}

function unquote(text: string): string {
  return text.trim().replaceAll(/^(['"])(.*)\1$/g, '$2');
}
