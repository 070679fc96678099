import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  computeGateService,
  errorMessage,
  type FeverGateProfile,
  type GateSelfCheck,
  type GateState,
  type GateStatus,
  NgatuError,
  type ScreeningRefusal,
} from '@ngatu/contract';
import type { Logger } from 'pino';
import { LatestMailbox } from '../camera/frame-mailbox.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { DEFAULT_FEVER_MODEL } from '../thermal/fever-decision.ts';
import { FeverGate, type GateMoment } from '../thermal/fever-gate.ts';
import { cueOf } from '../thermal/gate-cue.ts';
import { GateLedger } from '../thermal/gate-ledger.ts';
import { type GateMemory, SELF_CHECKS_KEPT } from '../thermal/gate-memory.ts';
import { GateMemoryFile, loadGateMemory } from '../thermal/gate-memory-file.ts';
import type { TimedAmbient } from '../thermal/gate-protocol.ts';
import { type GateInputConfig, openGateSource } from '../thermal/gate-source.ts';
import type { FrameJudgement } from '../thermal/passage.ts';
import type { RoomReadings } from '../thermal/room-reading.ts';
import { ScreeningOutlet } from '../thermal/screening-outlet.ts';
import type { SelfCheckRecord } from '../thermal/self-check.ts';
import { DEFAULT_SITE_OFFSET } from '../thermal/site-offset.ts';
import type { ThermalFrame } from '../thermal/thermal-frame.ts';
import type { CanthusHint } from '../thermal/visible-pairing.ts';
import { computeBackoffMs, pause } from '../uplink/backoff.ts';
import type { GateEyes, VisibleCameraConfig } from './gate-eyes.ts';
import type { ThermalThread } from './thermal-thread.ts';

/** A gate of the profile with its secrets resolved. */
export interface FeverGateConfig extends Omit<FeverGateProfile, 'input' | 'visible'> {
  readonly input: GateInputConfig;
  readonly visible?: VisibleCameraConfig;
}

/** Where a gate lies, and what it stands on. */
export interface GateWorkerOptions {
  readonly site: string;
  readonly node: string;
  readonly outbox: Pick<Outbox, 'append'>;
  readonly clock: { nowMs(): number; monotonicMs(): number };
  readonly random: () => number;
  readonly logger: Logger;
  readonly rooms: RoomReadings;
  /** What the visible camera beside it saw; absent where it has none. */
  readonly eyes?: Pick<GateEyes, 'hintAt' | 'run'> | undefined;
  /** What reads and judges its pictures; the caller ends it. */
  readonly thread: Pick<ThermalThread, 'read' | 'judge'>;
  /** Where it keeps what it learned; it must be there. */
  readonly folder: string;
}

const TICK_MS = 500;
const REPORT_EVERY_MS = 60_000;
const SAVE_EVERY_MS = 5_000;
/** Without a picture for longer, the camera may have been off: it warms up anew, ms. */
const CAMERA_OFF_AFTER_MS = 120_000;
/** What a place read a month ago says little of it today (season, heating), ms. */
const SITE_MEMORY_MS = 30 * 86_400_000;
const RETRY = { firstMs: 500, capMs: 30_000 } as const;
/** So long a thermal picture waits for the visible one of its instant, which comes over a stream and through a network, ms. */
const WAIT_FOR_EYES_MS = 400;
/** The same failure is said once in this time, ms. */
const SAY_EVERY_MS = 60_000;

/** A picture that is to be judged. */
interface DuePicture {
  readonly frame: ThermalFrame;
  readonly nowMs: number;
  readonly hint?: CanthusHint | undefined;
}

/** Camera and place: what was learned with others is not this gate's. */
function fingerprintOf({ input, distanceM, bandK }: FeverGateConfig): string {
  const { password: _, ...place } = { password: undefined, ...input };
  return createHash('sha256')
    .update(JSON.stringify([place, distanceM, bandK]))
    .digest('hex')
    .slice(0, 32);
}

function buildGate(
  config: FeverGateConfig,
  times: { poweredOnMs: number; openedMs: number },
  memory?: GateMemory,
) {
  const { x, y, width, height, ...blackbody } = config.blackbody;
  const { distanceM, minFaceWidthPx, uniformityC, bandK: band, learnPassages: minReadings } = config;
  return new FeverGate({
    gate: config.name,
    optics: {
      blackbody: { ...blackbody, region: { x, y, width, height } },
      ...{ distanceM, minFaceWidthPx, uniformityC, band },
    },
    limits: config.limits,
    model: { ...DEFAULT_FEVER_MODEL, thresholdC: config.thresholdC },
    site: {
      windowReadings: Math.max(DEFAULT_SITE_OFFSET.windowReadings, minReadings),
      minReadings,
    },
    ...times,
    ...(memory === undefined ? {} : { memory }),
    ...(memory?.checkedMs === undefined ? {} : { checkedMs: memory.checkedMs }),
  });
}

/**
 * One gate. All that is measured in time runs on a clock that begins with the node's and never jumps; what is told carries the node's own.
 */
export class GateWorker {
  readonly #config: FeverGateConfig;
  readonly #options: GateWorkerOptions;
  readonly #logger: Logger;
  readonly #gate: FeverGate;
  readonly #outlet: ScreeningOutlet;
  readonly #file: GateMemoryFile;
  readonly #ledger: GateLedger;
  readonly #baseMs: number;
  #shown: { state: GateState; refusal?: ScreeningRefusal; sinceMs: number; cue: GateMoment['cue'] };
  #selfChecks: GateSelfCheck[];
  /** When pictures came; the last one that was looked at. */
  #lastFrameMs: number;
  #hasPicture = false;
  #takenMs = Number.NEGATIVE_INFINITY;
  #last: Float32Array | undefined;
  #isFrozen = false;
  /** One is judged, one waits: the newest. */
  readonly #due = new LatestMailbox<DuePicture>();
  /** Rises when pictures stop: what was taken before is not looked at any more. */
  #generation = 0;
  #judged = 0;
  #dropped = 0;
  readonly #held: { readonly frame: ThermalFrame; readonly nowMs: number; readonly capturedAtMs: number }[] =
    [];
  /** What the source failed with since the last picture. */
  #fault: string | undefined;
  readonly #failures = new Map<string, { count: number; saidMs: number }>();
  #reportedMs: number;
  #savedMs = 0;
  #isUnsaved = false;

  static async open(config: FeverGateConfig, options: GateWorkerOptions): Promise<GateWorker> {
    const logger = options.logger.child({ gate: config.name });
    const file = join(options.folder, `${config.name}.json`);
    const memory = await loadGateMemory(file, logger);
    const nowMs = options.clock.nowMs();
    const isKnown = memory?.fingerprint === fingerprintOf(config);
    const isFresh = isKnown && nowMs - memory.lastFrameMs < SITE_MEMORY_MS && memory.lastFrameMs <= nowMs;
    if (memory !== undefined && !isFresh)
      logger.warn('the gate learns its site anew: another camera or place, or too long ago');
    return new GateWorker(config, { ...options, logger }, { file, ...(isFresh ? { memory } : {}) });
  }

  private constructor(
    config: FeverGateConfig,
    options: GateWorkerOptions,
    { file, memory }: { file: string; memory?: GateMemory },
  ) {
    this.#config = config;
    this.#options = options;
    this.#logger = options.logger;
    this.#baseMs = options.clock.nowMs() - options.clock.monotonicMs();
    const nowMs = this.#nowMs();
    // Warming up begins with the first picture, unless the camera ran a moment ago.
    this.#lastFrameMs = memory?.lastFrameMs ?? Number.NEGATIVE_INFINITY;
    this.#gate = buildGate(config, { poweredOnMs: memory?.poweredOnMs ?? nowMs, openedMs: nowMs }, memory);
    this.#selfChecks = [...(memory?.selfChecks ?? [])];
    this.#file = new GateMemoryFile(file, this.#logger);
    this.#ledger = new GateLedger('blind', 'no-picture', nowMs);
    this.#shown = {
      state: 'blind',
      refusal: 'no-picture',
      sinceMs: nowMs,
      cue: cueOf('blind', 'no-picture'),
    };
    this.#reportedMs = nowMs;
    const { site, node, outbox } = options;
    this.#outlet = new ScreeningOutlet({
      ...{ site, node, gate: config.name, logger: this.#logger },
      append: (body) => void outbox.append([{ channel: 'screening', body }]),
    });
    this.#noteStatus();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { name, input } = this.#config;
    const { readings, phase } = this.#gate.site;
    this.#logger.info({ gate: name, input: input.kind, readings, phase }, 'fever gate opened');
    await Promise.all([
      ...[this.#watch(signal), this.#tick(signal), this.#releaseHeld(signal), this.#judgeDue(signal)],
      this.#options.eyes?.run(signal),
    ]);
    this.#report();
    await this.#save();
  }

  /** On the clock of the gate, ms. */
  #nowMs(): number {
    return this.#baseMs + this.#options.clock.monotonicMs();
  }

  /** An instant of the gate's clock as the node would tell it. */
  #tell(ms: number): string {
    const offsetMs = this.#options.clock.nowMs() - this.#nowMs();
    return new Date(Math.round(ms + offsetMs)).toISOString();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { input, stallTimeoutMs } = this.#config;
    const { thread } = this.#options;
    const feed = {
      ...{ input, stallTimeoutMs, read: thread.read.bind(thread) },
      onError: (error: NgatuError): void => {
        if (!signal.aborted) this.#fail(error);
      },
      onDrop: (): void => void this.#dropped++,
    };
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for await (const frame of openGateSource(feed, signal)) {
          failures = -1;
          this.#take(frame);
        }
      } catch (error) {
        if (!(error instanceof NgatuError)) throw error;
        if (!signal.aborted) this.#fail(error);
        failures = Math.max(0, failures);
      }
      // a recording that has ended begins anew
      if (failures >= 0) await pause(computeBackoffMs(failures, RETRY, this.#options.random), signal);
    }
  }

  /** What is shown changes at once; the log hears of each code once a minute, with how often it came. */
  #fail({ code, message }: NgatuError): void {
    const nowMs = this.#nowMs();
    if (this.#fault !== code) {
      this.#fault = code;
      this.#noteStatus();
    }
    const { count, saidMs } = this.#failures.get(code) ?? { count: 0, saidMs: Number.NEGATIVE_INFINITY };
    const isDue = nowMs - saidMs >= SAY_EVERY_MS;
    if (isDue) this.#logger.warn({ code, count: count + 1 }, message);
    this.#failures.set(code, isDue ? { count: 0, saidMs: nowMs } : { count: count + 1, saidMs });
  }

  #take(frame: ThermalFrame): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#takenMs < 900 / this.#config.maxFramesPerSecond) return;
    this.#takenMs = nowMs;
    // a camera has noise: what equals the last picture in every pixel is no new one
    this.#isFrozen = isSame(this.#last, frame.celsius);
    if (this.#isFrozen) return;
    this.#last = frame.celsius;
    const { eyes, clock } = this.#options;
    if (eyes === undefined) this.#due.put({ frame, nowMs });
    else this.#held.push({ frame, nowMs, capturedAtMs: frame.capturedAtMs ?? clock.nowMs() });
  }

  /** Thermal pictures that wait for what the visible camera saw at their instant, in order; as many as come within the wait. */
  async #releaseHeld(signal: AbortSignal): Promise<void> {
    const { eyes } = this.#options;
    while (eyes !== undefined && !signal.aborted) {
      const waitMs = (this.#held[0]?.nowMs ?? this.#nowMs()) + WAIT_FOR_EYES_MS - this.#nowMs();
      if (waitMs > 0) {
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
        continue;
      }
      const held = this.#held.shift();
      if (held === undefined) continue;
      const { frame, nowMs, capturedAtMs } = held;
      this.#due.put({ frame, nowMs, hint: eyes.hintAt(capturedAtMs) });
    }
  }

  /** Pictures one after the other; which come faster than they are judged give way to the newest, and are counted. */
  async #judgeDue(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#due.close(), { once: true });
    if (signal.aborted) return;
    let failures = 0;
    for await (const { frame, nowMs, hint } of this.#due) {
      const generation = this.#generation;
      const ambient = this.#readRoom(nowMs);
      try {
        const judgement = await this.#options.thread.judge(frame, this.#gate.viewOf({ ambient, hint }));
        failures = 0;
        if (signal.aborted) return;
        if (generation === this.#generation) this.#observe({ frame, judgement }, nowMs, ambient);
      } catch (error) {
        if (!(error instanceof NgatuError)) throw error;
        if (signal.aborted) return;
        this.#fail(error);
        await pause(computeBackoffMs(failures++, RETRY, this.#options.random), signal);
      }
    }
  }

  /** Takes a picture as it was judged; what is shown, told and learned follows from it. */
  #observe(
    seen: { readonly frame: ThermalFrame; readonly judgement: FrameJudgement },
    nowMs: number,
    ambient: TimedAmbient | undefined,
  ): void {
    if (nowMs - this.#lastFrameMs >= CAMERA_OFF_AFTER_MS) this.#gate.restart(nowMs);
    this.#lastFrameMs = nowMs;
    this.#hasPicture = true;
    this.#fault = undefined;
    this.#judged++;
    const moment = this.#gate.take(seen, nowMs, ambient);
    this.#show(moment.state, moment.refusal, moment.cue, nowMs);
    if (moment.selfCheck !== undefined) this.#noteSelfCheck(moment.selfCheck);
    if (moment.result !== undefined) {
      this.#outlet.addResult({ ...moment.result, at: this.#tell(nowMs) }, nowMs);
      this.#isUnsaved = true;
    }
    this.#outlet.flush(nowMs);
  }

  /** On the clock of the gate. */
  #readRoom(nowMs: number) {
    const room = this.#options.rooms.of(this.#config.roomSensor);
    if (room === undefined) return undefined;
    const ageMs = Math.max(0, this.#options.clock.nowMs() - room.atMs);
    return { ...room, atMs: nowMs - ageMs };
  }

  #goBlind(refusal: 'no-picture' | 'picture-frozen', nowMs: number): void {
    this.#hasPicture = false;
    this.#generation++;
    this.#gate.interrupt();
    this.#show('blind', refusal, cueOf('blind', refusal), nowMs);
    this.#outlet.flush(nowMs);
  }

  #show(
    state: GateState,
    refusal: ScreeningRefusal | undefined,
    cue: GateMoment['cue'],
    nowMs: number,
  ): void {
    if (this.#shown.state === state && this.#shown.refusal === refusal) return;
    if (computeGateService(state) !== computeGateService(this.#shown.state))
      this.#logger.info({ service: computeGateService(state) }, 'fever gate changed');
    this.#ledger.enter(computeGateService(state), refusal, nowMs);
    this.#shown = { state, sinceMs: nowMs, cue, ...(refusal === undefined ? {} : { refusal }) };
    this.#noteStatus();
  }

  #noteSelfCheck(record: SelfCheckRecord): void {
    const check: GateSelfCheck = {
      at: this.#tell(record.atMs),
      passed: record.passed,
      items: record.items.map(({ value, ...item }) => ({
        ...item,
        ...(Number.isFinite(value) ? { value: Math.round(value * 1e4) / 1e4 } : {}),
      })),
    };
    this.#selfChecks = [...this.#selfChecks, check].slice(-SELF_CHECKS_KEPT);
    this.#outlet.addSelfCheck(check);
    this.#noteStatus();
    this.#isUnsaved = true;
    this.#logger.info({ passed: check.passed }, 'self-check of the fever gate');
  }

  #noteStatus(): void {
    const { state, refusal, sinceMs, cue } = this.#shown;
    const nowMs = this.#nowMs();
    const room = this.#options.rooms.of(this.#config.roomSensor);
    const { warmUntilMs } = this.#gate.times;
    const { drift } = this.#gate;
    const selfCheck = this.#selfChecks.at(-1);
    this.#outlet.setStatus({
      ...{ at: this.#tell(nowMs), since: this.#tell(sinceMs), state, cue, site: this.#gate.site },
      ...(refusal === undefined ? {} : { refusal }),
      ...(state === 'warming-up' ? { warmUntil: this.#tell(warmUntilMs) } : {}),
      ...(room === undefined ? {} : { room: tellRoom(room) }),
      ...(drift === undefined ? {} : { offsetC: Math.round(drift.offsetC * 100) / 100 }),
      ...(drift?.perHourC === undefined ? {} : { driftCPerHour: Math.round(drift.perHourC * 100) / 100 }),
      ...(selfCheck === undefined ? {} : { selfCheck }),
      ...(state !== 'blind' || this.#fault === undefined ? {} : { fault: this.#fault }),
    });
  }

  async #tick(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nowMs = this.#nowMs();
      if (this.#hasPicture && nowMs - this.#lastFrameMs > this.#config.stallTimeoutMs)
        this.#goBlind(this.#isFrozen ? 'picture-frozen' : 'no-picture', nowMs);
      if (nowMs - this.#reportedMs >= REPORT_EVERY_MS) this.#report();
      else this.#outlet.flush(nowMs);
      await this.#acceptIfAsked();
      if (this.#isUnsaved && nowMs - this.#savedMs >= SAVE_EVERY_MS) await this.#save();
      await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /**
   * Staff on the node have checked with thermometers that people are healthy, and say so with a file `GATE.accept`: what everybody reads
   * now is the site.
   */
  async #acceptIfAsked(): Promise<void> {
    const file = join(this.#options.folder, `${this.#config.name}.accept`);
    try {
      await unlink(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#fail(new NgatuError('FILE_UNREADABLE', `Cannot take ${file}: ${errorMessage(error)}`));
      return;
    }
    this.#gate.acceptSite();
    this.#isUnsaved = true;
    this.#noteStatus();
    this.#logger.info(this.#gate.site, 'the site is accepted by staff');
  }

  /** The counts and the time since the last report, with what is shown now. */
  #report(): void {
    const nowMs = this.#nowMs();
    this.#reportedMs = nowMs;
    const counts = this.#gate.takeAggregate(nowMs);
    const from = this.#tell(Date.parse(counts.from));
    this.#outlet.addWindow({
      counts: { ...counts, from, to: this.#tell(nowMs) },
      time: this.#ledger.take(nowMs),
    });
    this.#tellPictures(nowMs);
    this.#noteStatus();
    this.#outlet.flush(nowMs);
    this.#isUnsaved = true;
  }

  /** How many pictures were judged since the last report, and how many gave way to a newer one: figures of the node, not of health. */
  #tellPictures(nowMs: number): void {
    const dropped = this.#dropped + this.#due.dropped;
    this.#dropped = 0;
    this.#due.dropped = 0;
    const counts = { framesJudged: this.#judged, framesDropped: dropped };
    this.#judged = 0;
    if (dropped > 0) this.#logger.warn(counts, 'pictures came faster than they could be judged');
    const { site, node, outbox } = this.#options;
    const at = this.#tell(nowMs);
    const tags = { gate: this.#config.name };
    const measurements = Object.entries(counts).map(([metric, value]) => ({ at, metric, value, tags }));
    try {
      outbox.append([
        { channel: 'telemetry', body: { schemaVersion: 1, site, node, intervals: [], measurements } },
      ]);
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      this.#logger.error({ code: error.code, ...counts }, 'the counts of pictures could not be stored');
    }
  }

  async #save(): Promise<void> {
    const nowMs = this.#nowMs();
    this.#savedMs = nowMs;
    this.#isUnsaved = false;
    // a gate that never had a picture knows nothing new
    if (this.#lastFrameMs === Number.NEGATIVE_INFINITY) return;
    const offsetMs = this.#options.clock.nowMs() - nowMs;
    const wall = (ms: number): number => Math.max(0, Math.round(ms + offsetMs));
    const { poweredOnMs, checkedMs } = this.#gate.times;
    const { sites, tally } = this.#gate.memory;
    await this.#file.save({
      schemaVersion: 1,
      fingerprint: fingerprintOf(this.#config),
      poweredOnMs: wall(poweredOnMs),
      lastFrameMs: wall(this.#lastFrameMs),
      ...(checkedMs === undefined ? {} : { checkedMs: wall(checkedMs) }),
      selfChecks: this.#selfChecks,
      sites,
      tally: { ...tally, fromMs: wall(tally.fromMs) },
    });
  }
}

function tellRoom({ celsius, relativeHumidity, atMs }: TimedAmbient): NonNullable<GateStatus['room']> {
  return { celsius, relativeHumidity, at: new Date(atMs).toISOString() };
}

/** Ends at the first pixel that differs: with noise, at once. */
function isSame(a: Float32Array | undefined, b: Float32Array): boolean {
  if (a === undefined || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++)
    if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  return true;
}
