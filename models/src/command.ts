import { spawn } from 'node:child_process';

interface CommandOptions {
  cwd: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

const TAIL_BYTES = 2_000;

/**
 * Runs a program to its end without a shell. Rejects with an `Error` that names the program and the last line it wrote,
 * also when it ran longer than `timeoutMs` or `signal` aborted (it is killed then).
 */
export function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    let tail = '';
    const keep = (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-TAIL_BYTES);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      if (code === 0) return resolve();
      if (options.signal?.aborted) return reject(options.signal.reason);
      const how =
        killedBy === null ? `exit code ${code}` : `killed by ${killedBy} after ${options.timeoutMs} ms`;
      reject(new Error(`${program}: ${lastMeaningfulLine(tail) ?? how}`));
    });
  });
}

function lastMeaningfulLine(text: string): string | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const errors = lines.filter(
    (line) => /^(E:|npm error|tar:|dpkg-deb:)/.test(line) && !/complete log|npm error$/.test(line),
  );
  return errors[0] ?? lines.filter((line) => line !== '').at(-1);
}
