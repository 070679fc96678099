import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Heartbeat } from './heartbeat.ts';

const T0 = 1_700_000_000_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-heartbeat-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('Heartbeat', () => {
  it('keeps the last interval over a new opening, also where it is shorter than the one before', () => {
    const path = join(folder, 'camera.heartbeat');
    {
      using heartbeat = Heartbeat.open(path);
      expect(heartbeat.read()).toBeUndefined();
      heartbeat.write({ fromMs: T0, toMs: T0 + 5, state: 'degraded', reason: 'signal-unreadable' });
      heartbeat.write({ fromMs: T0, toMs: T0 + 250, state: 'analysed' });
    }
    using again = Heartbeat.open(path);
    expect(again.read()).toEqual({ fromMs: T0, toMs: T0 + 250, state: 'analysed' });
  });

  const fill = (value: unknown) => `${JSON.stringify(value).padEnd(159)}\n`;
  it.each([
    '',
    'nonsense',
    '000001700000000\n',
    fill({ fromMs: T0, toMs: T0 + 1, state: 'analysed' }).slice(0, 100),
    fill({ fromMs: T0, toMs: T0 - 1, state: 'analysed' }),
    fill({ fromMs: T0, toMs: T0 + 1, state: 'asleep' }),
    fill({ fromMs: T0, toMs: T0 + 1, state: 'blind', reason: 'tired' }),
    fill({ fromMs: '2026', toMs: T0, state: 'blind' }),
    fill(null),
  ])('takes %j for nothing', async (content) => {
    const path = join(folder, 'camera.heartbeat');
    await writeFile(path, content);
    using heartbeat = Heartbeat.open(path);
    expect(heartbeat.read()).toBeUndefined();
  });

  it('says that a full disk did not take it, and goes on', () => {
    using heartbeat = Heartbeat.open('/dev/full');
    expect(heartbeat.write({ fromMs: T0, toMs: T0 + 250, state: 'analysed' })).toBe(false);
    using other = Heartbeat.open(join(folder, 'camera.heartbeat'));
    expect(other.write({ fromMs: T0, toMs: T0 + 250, state: 'analysed' })).toBe(true);
  });

  it('says where it cannot write', () => {
    expect(() => Heartbeat.open(join(folder, 'missing', 'camera.heartbeat'))).toThrow(
      expect.objectContaining({ name: NgatuError.name, code: 'PERMISSION_DENIED' }),
    );
  });
});
