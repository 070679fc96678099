import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Measurement, NgatuError, type Telemetry } from '@ngatu/contract';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentSensors } from './agent-sensors.ts';
import { Outbox } from './outbox/outbox.ts';
import { aReading, aSensor } from './testing/sensor-builder.ts';

const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const logger = pino({ level: 'silent' });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-agent-sensors-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function openSensors(outbox: Pick<Outbox, 'append'>): AgentSensors {
  const path = join(folder, 'value');
  writeFileSync(path, '1\n');
  const source = { kind: 'input', pollMs: 10, debounceMs: 0 };
  const door = aReading({ metric: 'doorOpen', unit: '1', from: { kind: 'contact', path, activeLow: false } });
  const sensors = [aSensor({ name: 'cabinet', source, intervalMs: 100 }, [door])];
  return new AgentSensors({
    sensors,
    site: 'demo',
    node: 'gw-1',
    outbox,
    stateDir: join(folder, 'state'),
    clock: CLOCK,
    random: Math.random,
    logger,
  });
}

/** A digital input is read at once: what it says is told when the agent stops. */
describe('the sensors of an agent', () => {
  it('tell what they measured through the outbox, also what was measured last', async () => {
    using outbox = Outbox.open({
      file: join(folder, 'outbox.sqlite'),
      maxBytes: 16 * 1024 * 1024,
      origin: { site: 'demo', node: 'gw-1' },
      clock: CLOCK,
      logger,
    }).outbox;
    const stop = new AbortController();
    const running = openSensors(outbox).run(stop.signal);
    stop.abort();
    await running;
    const [entry] = outbox.lease(10, 1_000);
    const body = JSON.parse(entry?.body ?? '{}') as Telemetry;
    expect(body).toMatchObject({ site: 'demo', node: 'gw-1', intervals: [] });
    expect(body).not.toHaveProperty('camera');
    expect(body.measurements).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          metric: 'doorOpen',
          value: 1,
          unit: '1',
          quality: 'good',
          tags: { sensor: 'cabinet' },
        }),
      ]),
    );
  });

  it('keep what a full disk does not take, and tell it later', async () => {
    const taken: Measurement[] = [];
    let refusals = 0;
    const outbox: Pick<Outbox, 'append'> = {
      append: (messages) => {
        if (refusals++ === 0) throw new NgatuError('DISK_FULL', 'no space');
        for (const { body } of messages) taken.push(...(body as Telemetry).measurements);
        return [];
      },
    };
    const sensors = openSensors(outbox);
    for (let round = 0; round < 2; round++) {
      const stop = new AbortController();
      const running = sensors.run(stop.signal);
      stop.abort();
      await running;
    }
    expect(refusals).toBeGreaterThanOrEqual(2);
    expect(taken.filter(({ metric }) => metric === 'doorOpen')).toHaveLength(1);
  });
});
