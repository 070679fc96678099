import { findSchemaIssues, NgatuError, NodeNetwork, Telemetry } from '@ngatu/contract';
import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { ModelRecord } from './model-record.ts';
import { ModelSeat, runReloads } from './model-seat.ts';

interface Model {
  readonly name: string;
  readonly sha256: string;
  readonly fault?: NgatuError;
}

const aModel = (name: string, fault?: NgatuError): Model => ({
  ...{ name, sha256: 'a'.repeat(64) },
  ...(fault === undefined ? {} : { fault }),
});

let told: Telemetry[];
let placed: string[];
let logged: { level: number; code?: string }[];
beforeEach(() => {
  told = [];
  placed = [];
  logged = [];
});

/** A seat whose models say themselves what is wrong with them. */
function aSeat(append: () => void = () => undefined) {
  const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const record = new ModelRecord(
    {
      ...{
        site: 'hanoi',
        node: 'gate-1',
        logger,
        clock: { nowMs: () => Date.parse('2026-11-22T08:00:00Z') },
      },
      outbox: {
        append: (entries) => {
          append();
          for (const { body } of entries) told.push(body as Telemetry);
        },
      },
    },
    { use: 'plate-reader', without: 'plates are read without it' },
  );
  const seat = new ModelSeat<Model>({
    record,
    place: async ({ name, fault }) => {
      if (fault !== undefined) throw fault;
      placed.push(name);
    },
    identify: ({ name, sha256 }) => ({ name, sha256 }),
  });
  return { seat, record };
}

const metrics = (): unknown[] =>
  told.flatMap(({ measurements }) => measurements.map(({ metric, tags }) => [metric, tags]));

describe('the seat of a model', () => {
  it('keeps who serves for whatever is wrong with another, says why, and takes the next sound one', async () => {
    const { seat, record } = aSeat();
    await seat.ask(async () => aModel('old'));
    expect(record.state).toMatchObject({ name: 'old', since: '2026-11-22T08:00:00.000Z' });
    expect(metrics()).toEqual([]);
    const fault = new NgatuError('MODEL_INVALID', `opset 9 expected ${'x'.repeat(900)}`);
    await seat.ask(async () => aModel('new', fault));
    expect(record.state).toMatchObject({ name: 'old', refused: { name: 'new', code: 'MODEL_INVALID' } });
    const absent = new NgatuError('MODEL_DIGEST_MISMATCH', 'another file');
    await seat.ask(() => Promise.reject(absent), 'newer');
    expect(record.state).toMatchObject({ name: 'old', refused: { name: 'newer', code: absent.code } });
    expect(findSchemaIssues(NodeNetwork, { use: 'plate-reader', ...record.state })).toEqual([]);
    await seat.ask(async () => aModel('newest'));
    expect(record.state).toEqual({
      ...{ name: 'newest', sha256: 'a'.repeat(64), since: '2026-11-22T08:00:00.000Z' },
    });
    expect(placed).toEqual(['old', 'newest']);
    expect(metrics()).toEqual([
      ['modelRefused', { model: 'new', use: 'plate-reader', code: 'MODEL_INVALID' }],
      ['modelRefused', { model: 'newer', use: 'plate-reader', code: 'MODEL_DIGEST_MISMATCH' }],
      ['modelTaken', { model: 'newest', use: 'plate-reader' }],
    ]);
    expect(told.flatMap((body) => findSchemaIssues(Telemetry, body))).toEqual([]);
  });

  it('forgets a refusal when the profile names again who serves, and does not seat it twice', async () => {
    const { seat, record } = aSeat();
    await seat.ask(async () => aModel('old'));
    await seat.ask(() => Promise.reject(new NgatuError('ASSET_UNKNOWN', 'no "new"')), 'new');
    expect(record.state?.refused?.code).toBe('ASSET_UNKNOWN');
    await seat.ask(async () => aModel('old'));
    expect(record.state).not.toHaveProperty('refused');
    expect(placed).toEqual(['old']);
  });

  it('says of a model that was not supplied no more than that, and takes it when it is', async () => {
    const { seat, record } = aSeat();
    record.ask('reader');
    expect(record.state).toEqual({ name: 'reader' });
    await seat.ask(() => Promise.reject(new NgatuError('ASSET_UNAVAILABLE', 'offline')), 'reader');
    expect(record.state).toMatchObject({ name: 'reader', refused: { code: 'ASSET_UNAVAILABLE' } });
    expect(record.state).not.toHaveProperty('sha256');
    expect(metrics()).toEqual([]);
    expect(logged.map(({ level }) => level)).toEqual([pino.levels.values['warn']]);
    await seat.ask(async () => aModel('reader'));
    expect(record.state).toMatchObject({ name: 'reader', sha256: 'a'.repeat(64) });
    expect(metrics()).toEqual([['modelTaken', { model: 'reader', use: 'plate-reader' }]]);
  });

  it('tries anew what was lost', async () => {
    const { seat, record } = aSeat();
    await seat.ask(async () => aModel('reader'));
    seat.lose(new NgatuError('FILE_UNREADABLE', 'gone'));
    expect(seat.serving).toBeUndefined();
    expect(record.state).toMatchObject({
      name: 'reader',
      refused: { name: 'reader', code: 'FILE_UNREADABLE' },
    });
    expect(record.state).not.toHaveProperty('since');
    await seat.ask(async () => aModel('reader'));
    expect(placed).toEqual(['reader', 'reader']);
    expect(record.state).not.toHaveProperty('refused');
  });

  it('goes on where the disk takes no telemetry, and hides no mistake of the code', async () => {
    const { seat, record } = aSeat(() => {
      throw new NgatuError('DISK_FULL', 'no space', { retryable: true });
    });
    await seat.ask(() => Promise.reject(new NgatuError('MODEL_INVALID', 'no graph')), 'reader');
    expect(record.state?.refused?.code).toBe('MODEL_INVALID');
    expect(logged.map(({ code }) => code)).toEqual(['MODEL_INVALID', 'DISK_FULL']);
    await expect(seat.ask(() => Promise.reject(new TypeError('a mistake')))).rejects.toThrow('a mistake');
  });
});

describe('a reload', () => {
  it('asks all places in turn once they are open, and ends with the signal', async () => {
    const stop = new AbortController();
    const asked: string[] = [];
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const place = (name: string) => ({ opened, reload: async () => void asked.push(name) });
    async function* bell() {
      yield 1;
      yield 2;
      stop.abort();
      throw new Error('the signal came');
    }
    const running = runReloads([place('detector'), place('networks')], bell(), stop.signal);
    await Promise.resolve();
    expect(asked).toEqual([]);
    open();
    await running;
    expect(asked).toEqual(['detector', 'networks', 'detector', 'networks']);
  });

  it('hands on that the first model cannot serve', async () => {
    const failed = Promise.reject(new NgatuError('MODEL_INVALID', 'no graph'));
    const place = { opened: failed, reload: () => Promise.resolve() };
    const { signal } = new AbortController();
    async function* bell() {}
    await expect(runReloads([place], bell(), signal)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});
