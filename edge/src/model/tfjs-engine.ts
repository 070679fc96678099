import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export type TfjsEngine = typeof import('@tensorflow/tfjs-core');

let opened: Promise<TfjsEngine> | undefined;

/**
 * Loads TensorFlow.js with its WebAssembly backend. TensorFlow.js is one engine per process by its own design: it is opened once, and
 * only where something needs it, because loading takes a second.
 */
export function openTfjsEngine(): Promise<TfjsEngine> {
  opened ??= startEngine();
  return opened;
}

async function startEngine(): Promise<TfjsEngine> {
  const [core, wasm] = await Promise.all([
    import('@tensorflow/tfjs-core'),
    import('@tensorflow/tfjs-backend-wasm'),
  ]);
  const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  wasm.setWasmPaths(join(dirname(manifest), 'dist/'));
  const restore = keepProcessListeners();
  try {
    if (!(await core.setBackend('wasm'))) throw new Error('the WebAssembly backend did not start');
    await core.ready();
  } finally {
    restore();
  }
  return core;
}

/**
 * Emscripten's start-up code hangs its own listeners on uncaught errors of the whole process. How the process ends is not for a
 * library to decide: what was added in between is taken off again.
 */
function keepProcessListeners(): () => void {
  const before = {
    uncaughtException: new Set<unknown>(process.listeners('uncaughtException')),
    unhandledRejection: new Set<unknown>(process.listeners('unhandledRejection')),
  };
  return () => {
    for (const listener of process.listeners('uncaughtException')) {
      if (!before.uncaughtException.has(listener)) process.off('uncaughtException', listener);
    }
    for (const listener of process.listeners('unhandledRejection')) {
      if (!before.unhandledRejection.has(listener)) process.off('unhandledRejection', listener);
    }
  };
}
