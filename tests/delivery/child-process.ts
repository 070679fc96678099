import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const EXTERNAL = ['better-sqlite3', '@duckdb/node-api', 'mqtt', 'fastify', 'pino', '@tus/server'];

/** Bundles a TypeScript entry of this folder into one file that Node runs, and returns its path. */
export function bundleEntry(entry: string, folder: string): Promise<string> {
  return bundleProgram(join(import.meta.dirname, `${entry}.ts`), folder);
}

/** Bundles the thread of fever gates. */
export function bundleThermalProgram(folder: string): Promise<string> {
  return bundleProgram(join(REPOSITORY, 'edge/src/thermal-program.ts'), folder);
}

async function bundleProgram(source: string, folder: string): Promise<string> {
  const outfile = join(folder, `${basename(source, '.ts')}.mjs`);
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: EXTERNAL,
    logLevel: 'error',
  });
  const modules = join(folder, 'node_modules');
  if (!existsSync(modules)) symlinkSync(join(REPOSITORY, 'node_modules'), modules);
  return outfile;
}

/** A Node process whose standard output is read line by line. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #errors = '';

  private constructor(child: ChildProcess, onLine: (line: string) => void) {
    this.#child = child;
    this.#exit = once(child, 'exit').then(([code]) => code as number | null);
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4_000);
    });
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', onLine);
  }

  static start(script: string, config: unknown, onLine: (line: string) => void): LineProcess {
    const child = spawn(process.execPath, [script, JSON.stringify(config)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new LineProcess(child, onLine);
  }

  /** The end of what it wrote to standard error. */
  get errors(): string {
    return this.#errors;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends it and returns its exit code; null where the signal ended it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (!this.hasExited) this.#child.kill(signal);
    return this.#exit;
  }
}
