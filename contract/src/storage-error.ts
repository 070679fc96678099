import { NgatuError } from './error-code.ts';

/** The system's code of an error (`ENOSPC`), looked for through its causes; absent where there is none. */
export function systemCodeOf(error: unknown): string | undefined {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    const code = 'code' in current ? current.code : undefined;
    if (typeof code === 'string' && !(current instanceof NgatuError)) return code;
    current = current.cause;
  }
  return undefined;
}

/**
 * Names what the system said about a folder or file: `DISK_FULL` (no space, quota) or `PERMISSION_DENIED` (no access,
 * read-only). Any other error comes back as it is.
 */
export function asStorageError(error: unknown, action: string): unknown {
  if (error instanceof NgatuError) return error;
  switch (systemCodeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new NgatuError('DISK_FULL', `Cannot ${action}: no space is left on the disk`, {
        retryable: true,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new NgatuError('PERMISSION_DENIED', `Cannot ${action}: this user may not write there`, {
        cause: error,
      });
    default:
      return error;
  }
}

/** What the system says of a path that cannot be what it was named for. */
const PATH_REASONS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'a part of the path is no folder',
  ENOENT: 'there can be no such file',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'the path leads in a circle',
};

/**
 * The error of writing what somebody named: as `asStorageError`, and where the path cannot be written by anybody FILE_UNWRITABLE.
 * @param action what was tried: "write out.json"
 */
export function asOutputError(error: unknown, action: string): unknown {
  const known = asStorageError(error, action);
  const reason = known instanceof NgatuError ? undefined : PATH_REASONS[systemCodeOf(error) ?? ''];
  if (reason === undefined) return known;
  return new NgatuError('FILE_UNWRITABLE', `Cannot ${action}: ${reason}`, { cause: error });
}
