import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anOnnxModel } from '../testing/model-builder.ts';
import { tryModel } from './model-trial.ts';

const MODEL = anOnnxModel({ input: 'images', output: 'output', shape: [1, 3, 64, 64] });

describe('the trial of a model', () => {
  it('lets a sound model pass', async () => {
    await expect(tryModel({ name: 'm', bytes: MODEL })).resolves.toBeUndefined();
  });

  it('says why the runtime refuses one', async () => {
    const trial = tryModel({ name: 'm', bytes: MODEL.slice(0, 40) });
    await expect(trial).rejects.toMatchObject({ code: 'MODEL_INVALID', retryable: false });
    await expect(trial).rejects.toThrow(/^Cannot load model "m": [^\n]+$/);
  });

  it('ends one that needs more memory than it may', async () => {
    const trial = tryModel({ name: 'm', bytes: MODEL, limitBytes: 1024 * 1024 });
    await expect(trial).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(trial).rejects.toThrow('needs more than 1 MiB');
  });

  it('ends one that works for longer than it may', async () => {
    const trial = tryModel({ name: 'm', bytes: MODEL, limitMs: 1 });
    await expect(trial).rejects.toThrow('was not loaded after 0.001 s of work');
  });

  it('outlives one that ends the runtime with a crash', async () => {
    const trial = tryModel({ name: 'm', bytes: MODEL });
    for (const pid of listChildren()) process.kill(pid, 'SIGSEGV');
    await expect(trial).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(trial).rejects.toThrow('the runtime ended while it was loaded (SIGSEGV)');
  });
});

/** Processes that any thread of this one has started. */
function listChildren(): number[] {
  const tasks = `/proc/${process.pid}/task`;
  return readdirSync(tasks).flatMap((task) =>
    readFileSync(`${tasks}/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
}
