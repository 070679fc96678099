import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ErrorCode, errorMessage, NgatuError } from '@ngatu/contract';
import { type Document, isMap, isNode, isScalar, LineCounter } from 'yaml';
import { parseBoundedYaml } from './yaml-document.ts';

/** A larger file is no configuration. */
const MAX_BYTES = 1024 * 1024;
/** So many places are named; who has more wrong has another file. */
const MAX_ISSUES = 50;

/** Something that is wrong in a file; `path` is a JSON pointer into it ('' is the whole file). */
export interface FileIssue {
  readonly path: string;
  readonly reason: string;
}

/** A YAML file that was read; knows on which line each part of its value stands. */
export interface YamlFile {
  readonly file: string;
  readonly sha256: string;
  readonly value: unknown;
  /** Line from 1 of the part at a JSON pointer, or of the nearest part around it. */
  lineOf(path: string): number | undefined;
}

/**
 * Reads a YAML 1.2 file.
 * @throws NgatuError FILE_UNREADABLE, or `code` where it is not YAML (every place that is wrong)
 */
export async function readYamlFile(file: string, code: ErrorCode): Promise<YamlFile> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(error)}`, { cause: error });
  });
  if (bytes.length > MAX_BYTES)
    throw new NgatuError(code, `Cannot accept ${file}: larger than ${MAX_BYTES} bytes`);
  const lines = new LineCounter();
  let document: Document;
  let value: unknown;
  try {
    document = parseBoundedYaml(bytes.toString('utf8'), lines);
    refuseErrors(document, { file, code, lines });
    value = document.toJS();
  } catch (error) {
    if (error instanceof NgatuError) throw error;
    throw new NgatuError(code, `Cannot accept ${file}: ${errorMessage(error)}`, { cause: error });
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { file, sha256, value, lineOf: (path) => findLine(document, lines, path) };
}

function refuseErrors(
  { errors }: Document,
  { file, code, lines }: { file: string; code: ErrorCode; lines: LineCounter },
): void {
  if (errors.length === 0) return;
  const list = errors
    .slice(0, MAX_ISSUES)
    .map((error) => `line ${lines.linePos(error.pos[0]).line}: ${error.message}`)
    .join('; ');
  throw new NgatuError(code, `Cannot accept ${file}: ${list}`);
}

function findLine(document: Document, lines: LineCounter, path: string): number | undefined {
  const parts = path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  for (let length = parts.length; length >= 0; length--) {
    const node = findNode(document, parts.slice(0, length));
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

/** The key of a field, the entry of a list, or the whole document. */
function findNode(document: Document, parts: readonly (string | number)[]): unknown {
  const last = parts.at(-1);
  if (last === undefined) return document.contents;
  const parent = parts.length === 1 ? document.contents : document.getIn(parts.slice(0, -1), true);
  if (!isMap(parent)) return document.getIn(parts, true);
  return parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last))?.key;
}

/** One error that lists every issue with its line, its path and the reason, in the order of the lines. */
export function refuseFile(source: YamlFile, code: ErrorCode, issues: readonly FileIssue[]): NgatuError {
  const located = issues.map((issue) => ({ ...issue, line: source.lineOf(issue.path) ?? 0 }));
  located.sort((a, b) => a.line - b.line);
  const list = located.map(({ line, path, reason }) => {
    const where = path === '' ? '/' : path;
    return line === 0 ? `${where}: ${reason}` : `line ${line} ${where}: ${reason}`;
  });
  return new NgatuError(code, `Cannot accept ${source.file}: ${[...new Set(list)].join('; ')}`);
}
