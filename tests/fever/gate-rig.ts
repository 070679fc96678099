import {
  FeverGateProfile,
  fillDefaults,
  type GateState,
  type Measurement,
  parseWithSchema,
  type ScreeningReport,
} from '@ngatu/contract';
import { type PlannedScene, takeThermalPictures } from '@ngatu/simulators';
import { pino } from 'pino';
import { AgentFever, type FeverGateConfig } from '../../edge/src/agent-fever.ts';
import type { Outbox } from '../../edge/src/outbox/outbox.ts';
import { until as untilSoon } from '../delivery/loopback-broker.ts';
import { NODE, SITE } from '../delivery/message-builder.ts';

/** So many passages teach a gate of the tests its site. */
export const LEARNING = 5;

/** Pictures are judged as fast as the machine can: a busy one takes its time. */
export const until = (what: string, check: () => boolean | Promise<boolean>): Promise<void> =>
  untilSoon(what, check, 60_000);

/** What a thermal camera sees, °C by row. */
export interface Seen {
  readonly width: number;
  readonly height: number;
  readonly celsius: Float32Array;
}

/** Eight pictures of the one person of a scene with canthi `byC` warmer than it has them; of nobody where undefined. */
export function drawPictures({ scene }: PlannedScene, byC: number | undefined): Seen[] {
  const [person] = scene.people;
  if (person === undefined) throw new Error('nobody in the scene');
  const people =
    byC === undefined
      ? []
      : [{ ...person, movesX: 0, movesY: 0, face: { ...person.face, canthusC: person.face.canthusC + byC } }];
  return [...takeThermalPictures({ ...scene, people, frames: 8 })];
}

/** A picture as a `TemperatureMatrix`. */
export function toMatrix({ width, height, celsius }: Seen): string {
  return JSON.stringify({ schemaVersion: 1, unit: 'Cel', width, height, values: [...celsius] });
}

/** A gate of the scene with a quick warm-up; `input` as in a profile. */
export function aGate(
  { blackbody }: PlannedScene,
  input: Record<string, unknown>,
  parts: Record<string, unknown> = {},
): FeverGateConfig {
  const given = fillDefaults(FeverGateProfile, {
    name: 'hall-1',
    input,
    blackbody: { ...blackbody, accuracyC: 0.1 },
    roomSensor: 'hall',
    minFaceWidthPx: 90,
    maxFramesPerSecond: 30,
    stallTimeoutMs: 4_000,
    limits: { warmUpMs: 0 },
    ...parts,
  });
  const profile = parseWithSchema(FeverGateProfile, given, {
    code: 'PROFILE_INVALID',
    what: 'the gate of the test',
  });
  const { visible: _, input: source, ...rest } = profile;
  if (source.kind !== 'mqtt') return { ...rest, input: source, learnPassages: LEARNING };
  const { password: __, ...open } = source;
  return { ...rest, input: open, learnPassages: LEARNING };
}

/** Runs gates as an agent does, in a room that is as it must be, and keeps what they told. */
export class GateRun {
  readonly reports: ScreeningReport[] = [];
  readonly figures: Measurement[] = [];
  readonly logged: { readonly code?: string; readonly msg: string }[] = [];
  readonly #folder: string;
  readonly #program: string;
  readonly #append: Outbox['append'];
  #stop: (() => Promise<void>) | undefined;

  /** @param append takes what the gates tell; nowhere where absent */
  constructor(folder: string, program: string, append: Outbox['append'] = () => []) {
    this.#folder = folder;
    this.#program = program;
    this.#append = append;
  }

  start(...gates: readonly FeverGateConfig[]): void {
    const stop = new AbortController();
    const logger = pino(
      { level: 'debug' },
      { write: (line: string) => void this.logged.push(JSON.parse(line)) },
    );
    const fever = new AgentFever({
      ...{ gates, site: SITE, node: NODE, stateDir: this.#folder, thermalProgram: this.#program, logger },
      ...{ clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() }, random: Math.random },
      outbox: {
        append: (messages, extras) => {
          const outcomes = this.#append(messages, extras);
          for (const message of messages) {
            if (message.channel === 'screening') this.reports.push(message.body);
            if (message.channel === 'telemetry') this.figures.push(...message.body.measurements);
          }
          return outcomes;
        },
      },
    });
    const tellRoom = (): void => {
      const at = new Date().toISOString();
      const tags = { sensor: 'hall' };
      fever.noteSensors([
        { at, metric: 'airTemperature', value: 22, unit: 'Cel', quality: 'good', tags },
        { at, metric: 'airHumidity', value: 40, unit: '%', quality: 'good', tags },
      ]);
    };
    tellRoom();
    const timer = setInterval(tellRoom, 1_000);
    const running = fever.run(stop.signal);
    this.#stop = async () => {
      clearInterval(timer);
      stop.abort();
      await running;
    };
  }

  async stop(): Promise<void> {
    const stop = this.#stop;
    this.#stop = undefined;
    await stop?.();
  }

  /** Forgets what was told. */
  clear(): void {
    this.reports.length = 0;
    this.figures.length = 0;
    this.logged.length = 0;
  }

  get results(): readonly ScreeningReport['results'][number][] {
    return this.reports.flatMap((report) => report.results);
  }

  /** What the gate shows. */
  get shown(): GateState | undefined {
    return this.#status?.state;
  }

  /** Why it is blind or stands aside, and what its camera failed with. */
  get reason(): { readonly refusal: string | undefined; readonly fault: string | undefined } {
    return { refusal: this.#status?.refusal, fault: this.#status?.fault };
  }

  get #status(): ScreeningReport['status'] {
    return this.reports.findLast(({ status }) => status !== undefined)?.status;
  }

  /** One person comes, is told something, and leaves. */
  async pass<T>(show: (who: T | 'nobody') => void, who: T): Promise<ScreeningReport['results'][number]> {
    const before = this.results.length;
    show(who);
    await until(`a result of somebody who is ${who}`, () => this.results.length > before);
    show('nobody');
    await until('the gate is free', () => this.shown === 'idle');
    const result = this.results.at(-1);
    if (result === undefined) throw new Error('no result');
    return result;
  }
}
