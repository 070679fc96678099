import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import {
  DIRECTIVE_MEMORY_MS,
  type Directive,
  DirectiveSet,
  type ErrorCode,
  errorMessage,
  findSchemaIssues,
  isInForce,
  MESSAGE_MAX_BYTES,
} from '@ngatu/contract';
import type { Logger } from 'pino';

export interface DirectiveBookOptions {
  /** Where the last set is kept; its folder must be there. */
  readonly file: string;
  readonly clock: { nowMs(): number };
  readonly logger: Logger;
}

/** What became of a set that the centre sent. */
export type DirectiveOutcome =
  | { readonly outcome: 'taken' | 'known' }
  | { readonly outcome: 'refused'; readonly code: ErrorCode; readonly reason: string };

/**
 * The directives of one node: the last set that the centre sent, on disk before it counts, so that a restart without a broker
 * still knows that an officer directs. What ended long ago is dropped.
 */
export class DirectiveBook {
  readonly #options: DirectiveBookOptions;
  #revision: number | undefined;
  #directives: readonly Directive[] = [];

  private constructor(options: DirectiveBookOptions) {
    this.#options = options;
  }

  /** A file that cannot be read is said and left aside: the centre's retained set brings it again. */
  static open(options: DirectiveBookOptions): DirectiveBook {
    const book = new DirectiveBook(options);
    const { file, logger } = options;
    try {
      const set = decodeSet(readFileSync(file));
      if ('code' in set)
        logger.warn({ code: set.code, file }, `Cannot use the kept directives: ${set.reason}`);
      else book.#hold(set);
    } catch (error) {
      const isNew = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isNew)
        logger.warn({ code: 'FILE_UNREADABLE', file }, `Cannot read directives: ${errorMessage(error)}`);
    }
    return book;
  }

  /** Revision of the set that is kept on disk; undefined before the first one. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /** Takes a set as the centre published it. Where the disk refuses it, it is not taken: the centre will see that. */
  take(payload: Uint8Array): DirectiveOutcome {
    const { file, logger } = this.#options;
    const set = decodeSet(payload);
    if ('code' in set) return { outcome: 'refused', ...set };
    if (this.#revision !== undefined && set.revision <= this.#revision) return { outcome: 'known' };
    try {
      writeWhole(file, JSON.stringify(set));
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC';
      return {
        outcome: 'refused',
        code: isFull ? 'DISK_FULL' : 'PERMISSION_DENIED',
        reason: errorMessage(error),
      };
    }
    this.#hold(set);
    logger.info({ revision: set.revision, directives: this.#directives.length }, 'directives taken');
    return { outcome: 'taken' };
  }

  /** The directives of `camera` that were in force at `capturedAtMs` on the node's clock, ms since 1970. */
  at(camera: string, capturedAtMs: number): readonly Directive[] {
    return this.#directives.filter((known) => known.camera === camera && isInForce(known, capturedAtMs));
  }

  #hold({ revision, directives }: DirectiveSet): void {
    const oldestMs = this.#options.clock.nowMs() - DIRECTIVE_MEMORY_MS;
    this.#revision = revision;
    this.#directives = directives.filter(({ until }) => Date.parse(until) > oldestMs);
  }
}

function decodeSet(payload: Uint8Array): DirectiveSet | { code: ErrorCode; reason: string } {
  if (payload.length > MESSAGE_MAX_BYTES) {
    return { code: 'MESSAGE_TOO_LARGE', reason: `${payload.length} bytes, limit ${MESSAGE_MAX_BYTES}` };
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (error) {
    return { code: 'MESSAGE_NOT_JSON', reason: errorMessage(error) };
  }
  const [issue] = findSchemaIssues(DirectiveSet, value, 1);
  if (issue !== undefined) return { code: 'MESSAGE_INVALID', reason: `${issue.path}: ${issue.reason}` };
  const set = value as DirectiveSet;
  // A window that is no time would never be in force, and nobody would know why.
  const odd = set.directives.find(({ from, until }) => !(Date.parse(from) <= Date.parse(until)));
  if (odd === undefined) return set;
  return { code: 'MESSAGE_INVALID', reason: `directive ${odd.directiveId} ends before it begins, or never` };
}

/** The file is whole or as it was, also after a power cut. */
function writeWhole(file: string, text: string): void {
  const part = `${file}.part`;
  const handle = openSync(part, 'w');
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(part, file);
}
