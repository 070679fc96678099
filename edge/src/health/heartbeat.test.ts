import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Heartbeat } from './heartbeat.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-heartbeat-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('Heartbeat', () => {
  it('keeps the last instant over a new opening', () => {
    const path = join(folder, 'camera.heartbeat');
    {
      using heartbeat = Heartbeat.open(path);
      expect(heartbeat.read()).toBeUndefined();
      heartbeat.write(1_700_000_000_000);
      heartbeat.write(1_700_000_000_250.9);
    }
    using again = Heartbeat.open(path);
    expect(again.read()).toBe(1_700_000_000_250);
  });

  it.each(['', 'nonsense', '17000000', '000001700000000\n'.slice(0, 9)])(
    'takes %j for nothing',
    async (content) => {
      const path = join(folder, 'camera.heartbeat');
      await writeFile(path, content);
      using heartbeat = Heartbeat.open(path);
      expect(heartbeat.read()).toBeUndefined();
    },
  );

  it('says where it cannot write', () => {
    expect(() => Heartbeat.open(join(folder, 'missing', 'camera.heartbeat'))).toThrow(
      expect.objectContaining({ name: NgatuError.name, code: 'PERMISSION_DENIED' }),
    );
  });
});
