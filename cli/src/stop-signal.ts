/** npm passes on the Ctrl-C that the terminal has sent already: a second signal within this is the same wish, ms. */
const SAME_WISH_MS = 1_500;

let received: NodeJS.Signals | undefined;

/** The signal that asked this program to end; undefined where none came. */
export function getStopSignal(): NodeJS.Signals | undefined {
  return received;
}

export interface StopSignals {
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Aborts at one that comes later: stop by force. */
  readonly force: AbortSignal;
  /** Resolves when `signal` aborts. */
  readonly stopped: Promise<void>;
  dispose(): void;
}

/** Listens to the signals that end a program; `onStop` is called once, at the first. */
export function watchStopSignals(onStop: () => void): StopSignals {
  const stop = new AbortController();
  const force = new AbortController();
  let stoppedAt = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      received = name;
      stoppedAt = performance.now();
      onStop();
      stop.abort();
    } else if (performance.now() - stoppedAt > SAME_WISH_MS) force.abort();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    signal: stop.signal,
    force: force.signal,
    stopped: new Promise((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true })),
    dispose: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
