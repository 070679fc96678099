import { errorMessage, NgatuError } from '@ngatu/contract';

/** What a supervised part tells its supervisor. */
export type PartMessage =
  | { readonly type: 'ready'; readonly detail?: unknown }
  | { readonly type: 'notice'; readonly detail: unknown }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly retryable: boolean };

export interface PartContext {
  /** Aborts on SIGINT and SIGTERM, and when the supervisor is gone. */
  readonly signal: AbortSignal;
  /** Says once that the part does its work. */
  ready(detail?: unknown): void;
  /** Tells the supervisor something else; nobody hears it where there is no supervisor. */
  notify(detail: unknown): void;
}

/** How long a part may take to stop; then it goes at once, with every process that it started. */
const STOP_LIMIT_MS = 5_000;

function send(message: PartMessage): void {
  // The supervisor may have died in this very moment: `disconnect` says so.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/**
 * Runs the body of a long-running command until it settles. A supervised part (one with an IPC channel) leads a process
 * group of its own and never outlives its supervisor: the channel closes even where that was killed.
 */
export async function runPart(body: (context: PartContext) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const isSupervised = process.connected === true;
  const onStop = () => {
    if (stop.signal.aborted) return;
    stop.abort();
    setTimeout(() => leaveAtOnce(isSupervised), STOP_LIMIT_MS).unref();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(name, onStop);
  try {
    await body({
      signal: stop.signal,
      ready: (detail) => send({ type: 'ready', detail }),
      notify: (detail) => send({ type: 'notice', detail }),
    });
  } catch (error) {
    if (!stop.signal.aborted) throw reportFailure(error);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.off(name, onStop);
    if (process.connected) process.disconnect();
  }
  // A handle that was left open must not keep the process.
  setTimeout(() => leaveAtOnce(isSupervised), STOP_LIMIT_MS).unref();
}

function reportFailure(error: unknown): unknown {
  const known = error instanceof NgatuError;
  send({
    type: 'failed',
    code: known ? error.code : 'INTERNAL',
    message: errorMessage(error),
    retryable: known ? error.retryable : true,
  });
  return error;
}

function leaveAtOnce(isSupervised: boolean): void {
  if (isSupervised) process.kill(0, 'SIGKILL');
  process.exit(1);
}
