import { join } from 'node:path';
import {
  type CameraInterval,
  type CameraStateReason,
  type DirectiveLookup,
  type ErrorCode,
  errorMessage,
  type Measurement,
  NgatuError,
  type RuleBlindInterval,
  type Scene,
  type Telemetry,
} from '@ngatu/contract';
import type { Logger } from 'pino';
import { LatestMailbox } from '../camera/frame-mailbox.ts';
import { type CameraTransition, LiveCamera } from '../camera/live-camera.ts';
import type { Detector } from '../detect/detection.ts';
import { describeSight, type RoadUserLog } from '../evidence/road-user-sight.ts';
import { buildSealedFacts } from '../evidence/seal-facts.ts';
import type { SegmentRing } from '../evidence/segment-ring.ts';
import type { Frame } from '../frame/frame.ts';
import { CameraLedger } from '../health/camera-ledger.ts';
import { Heartbeat } from '../health/heartbeat.ts';
import type { Outbox, OutboxMessage } from '../outbox/outbox.ts';
import { CameraReadiness } from '../readiness/camera-readiness.ts';
import type { SignalSync } from '../readiness/readiness-verdict.ts';
import { decodeViewReference, encodeViewReference } from '../readiness/view-reference.ts';
import { type AnalysedFrame, Analysis, type FrameNets } from './analysis.ts';
import { buildEvent } from './event-builder.ts';
import { encodeEvidenceContext } from './evidence-context.ts';
import { FrameMeasures } from './frame-measures.ts';
import { decodeRuleMemory, encodeRuleMemory } from './rule-memory.ts';
import type { SignalSources } from './signal-sources.ts';

/** A camera of the gateway as the agent runs it. Secrets are resolved. */
export interface CameraConfig {
  readonly name: string;
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly scene: Scene;
  readonly sceneSha256: string;
  readonly stallTimeoutMs: number;
  readonly ringDurationMs: number;
}

export interface CameraWorkerOptions {
  readonly site: string;
  readonly node: string;
  readonly camera: CameraConfig;
  /** Of the software; it is sealed with every case. */
  readonly version: string;
  readonly detector: Detector;
  /** Look at lamps and heads; asked for with every picture. */
  readonly nets?: FrameNets | undefined;
  readonly ring: SegmentRing;
  /** Is told who was seen: evidence blurs everybody but its subject. */
  readonly roadUsers: RoadUserLog;
  readonly outbox: Outbox;
  /** The directives in force at an instant on the node's clock, ms since 1970. */
  readonly directivesAt?: DirectiveLookup;
  /** Sources of signal phases beside the lamps. */
  readonly signals?: Pick<SignalSources, 'of' | 'cut'>;
  /** Folder for the camera's heartbeat. */
  readonly stateDir: string;
  readonly clock: { nowMs(): number; monotonicMs(): number };
  readonly random: () => number;
  readonly logger: Logger;
  /** Called once, when the first frame was analysed. */
  readonly onFirstFrame: () => void;
  /** Is told what was stored of the camera as telemetry. */
  readonly onTelemetry?: (telemetry: Telemetry) => void;
}

const HEARTBEAT_MS = 250;
const TELEMETRY_MS = 10_000;
/** An event that the disk does not take waits in memory; beyond this many the oldest is given up, counted and logged. */
const MAX_WAITING_EVENTS = 1_000;
/** An instant that is corrected by more than this is of no use to a rule, ms. */
const CATCHING_UP_MS = 200;
/** Intervals of one report at most: the limit of the contract. */
const MAX_INTERVALS = 200;
/** A lamp that is unlit or unreadable for this long cannot rule a junction, ms. */
const SIGNAL_LOST_MS = 20_000;

const BLIND_REASONS: Partial<Record<ErrorCode, CameraStateReason>> = {
  CAMERA_UNREACHABLE: 'camera-unreachable',
  CAMERA_UNAUTHORIZED: 'camera-unauthorized',
  CAMERA_STALLED: 'camera-stalled',
  VIDEO_UNREADABLE: 'picture-unreadable',
};

type EventMessage = Extract<OutboxMessage, { channel: 'event' }>;

interface WaitingEvent {
  readonly message: EventMessage;
  /** Absent where the event was let pass: what flags nobody takes no pictures of anybody. */
  readonly job?: {
    eventId: string;
    camera: string;
    session: string;
    mediaTimeMs: number;
    capturedAtMs: number;
    /** The event itself, see `evidence-context.ts`. */
    context: string;
  };
}

/**
 * One camera from stream to outbox: takes the latest frame, analyses it, appends events with their evidence jobs in one
 * transaction, and keeps the camera's ledger. Failures of one camera stay with it.
 */
export class CameraWorker {
  readonly #options: CameraWorkerOptions;
  readonly #mailbox = new LatestMailbox<Frame>();
  readonly #live: LiveCamera;
  readonly #ledger: CameraLedger;
  readonly #heartbeat: Heartbeat;
  readonly #measures = new FrameMeasures();
  readonly #readiness: CameraReadiness;
  /** Times in which single rules were blocked, not yet taken by the disk. */
  #ruleBlind: RuleBlindInterval[] = [];
  /** The reference as it stands, until the disk has it. */
  #viewReference: string | undefined;
  #analysis: Analysis;
  #session: string | undefined;
  /** Instant of media time 0 in this session, as it was known when its warm-up began, ms since 1970. */
  #anchorMs = 0;
  #analysed = 0;
  #eventsGivenUp = 0;
  #sawFrame = false;
  /** Whether the disk took the last heartbeat. */
  #beats = true;
  #checks: AnalysedFrame['signalChecks'] = [];
  #waiting: WaitingEvent[] = [];
  /** Cut from the ledger, and not yet taken by the disk. */
  #unreported: CameraInterval[] = [];

  constructor(options: CameraWorkerOptions) {
    this.#options = options;
    const { camera, clock, random, ring, logger } = options;
    this.#analysis = this.#openAnalysis();
    this.#heartbeat = Heartbeat.open(join(options.stateDir, `${camera.name}.heartbeat`));
    const memory = options.outbox.mark(this.#memoryMark);
    if (memory !== undefined) this.#analysis.recall(decodeRuleMemory(memory, camera.sceneSha256) ?? {});
    this.#readiness = this.#openReadiness();
    const tail = this.#heartbeat.read();
    const reported = options.outbox.mark(this.#reportedMark);
    this.#ledger = new CameraLedger({
      nowMs: clock.nowMs(),
      ...(tail === undefined ? {} : { tail }),
      ...(reported === undefined ? {} : { reportedMs: Number(reported) }),
      horizonMs: this.#analysis.horizonMs,
    });
    this.#live = new LiveCamera(
      {
        url: camera.url,
        ...(camera.username === undefined ? {} : { username: camera.username }),
        ...(camera.password === undefined ? {} : { password: camera.password }),
        stallTimeoutMs: camera.stallTimeoutMs,
        picture: camera.scene.picture,
        analysis: camera.scene.analysis,
        lamps: camera.scene.signals.map(({ name, box }) => ({ signal: name, box })),
        ring,
        mailbox: this.#mailbox,
        clock: () => clock.nowMs(),
        random,
        log: logger,
      },
      { onTransition: (transition) => this.#onTransition(transition) },
    );
  }

  /** Runs until the signal, then closes the camera's books. @throws NgatuError SCENE_INVALID */
  async run(signal: AbortSignal): Promise<void> {
    const beat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    const report = setInterval(() => this.#report(), TELEMETRY_MS);
    try {
      await Promise.all([this.#live.run(signal), this.#analyse()]);
    } finally {
      clearInterval(beat);
      clearInterval(report);
      this.#ledger.endStream('agent-stopped');
      this.#measures.addMeasurements(this.#analysis.finish());
      this.#report();
      this.#beat();
      this.#heartbeat[Symbol.dispose]();
    }
  }

  /** Name under which the outbox keeps how far the ledger was reported, in one transaction with the report. */
  get #reportedMark(): string {
    return `camera-ledger.${this.#options.camera.name}`;
  }

  /** Name under which the outbox keeps what the rules remember, in one transaction with the cases. */
  get #memoryMark(): string {
    return `rule-memory.${this.#options.camera.name}`;
  }

  get #memoryMarks(): Record<string, string> {
    const memory = encodeRuleMemory(this.#analysis.remember(), this.#options.camera.sceneSha256);
    return { [this.#memoryMark]: memory };
  }

  /** The heartbeat holds one interval: where the state has turned, what was before is reported first. */
  #beat(): void {
    if (this.#ledger.hasTurned) this.#report();
    const beats = this.#heartbeat.write(this.#ledger.tail);
    if (beats !== this.#beats) this.#options.logger.warn({ beats }, 'heartbeat on disk');
    this.#beats = beats;
  }

  async #analyse(): Promise<void> {
    const { logger, clock } = this.#options;
    for await (const frame of this.#mailbox) {
      if (frame.session !== this.#session) this.#beginSession(frame);
      this.#followClock(frame);
      const startedAt = clock.monotonicMs();
      try {
        const analysed = await this.#analysis.process(frame);
        this.#analysed += 1;
        this.#measures.addFrame(clock.monotonicMs() - startedAt, clock.nowMs() - frame.capturedAtMs);
        this.#ledger.addFrame(frame.capturedAtMs, this.#findImpairment(analysed));
        this.#checks = analysed.signalChecks;
        const { detections, tracks } = analysed;
        this.#options.roadUsers.add(frame.session, describeSight(frame.mediaTimeMs, detections, tracks));
        this.#readiness.addFrame(frame, { signals: this.#listSignals(analysed) });
        this.#record(analysed, frame);
      } catch (error) {
        if (!(error instanceof NgatuError) || error.code !== 'MODEL_INVALID') throw error;
        logger.error({ code: error.code }, error.message);
        this.#ledger.endStream('detector-failed');
        this.#session = undefined;
      }
      if (!this.#sawFrame) {
        this.#sawFrame = true;
        this.#options.onFirstFrame();
      }
    }
  }

  #beginSession(frame: Frame): void {
    this.#session = frame.session;
    this.#anchorMs = frame.capturedAtMs - frame.mediaTimeMs;
    this.#measures.addMeasurements(this.#analysis.finish());
    const memory = this.#analysis.remember();
    this.#analysis = this.#openAnalysis();
    this.#analysis.recall(memory);
    this.#ledger.startStream(this.#options.clock.nowMs());
  }

  /** A stream that joined with a backlog catches up: until then its pictures are stamped too late. */
  #followClock({ capturedAtMs, mediaTimeMs }: Frame): void {
    const anchorMs = capturedAtMs - mediaTimeMs;
    if (this.#anchorMs - anchorMs <= CATCHING_UP_MS) return;
    this.#anchorMs = anchorMs;
    this.#ledger.warmAnew(this.#options.clock.nowMs(), capturedAtMs);
  }

  #onTransition({ state, code }: CameraTransition): void {
    if (state === 'streaming') return;
    if (state === 'connecting' && this.#session === undefined) return;
    this.#session = undefined;
    // without a failure a session ends only because stream and node clock have run apart
    this.#ledger.endStream(
      code === undefined ? 'clock-moved' : (BLIND_REASONS[code] ?? 'camera-unreachable'),
    );
  }

  #openAnalysis(): Analysis {
    const { camera, detector, directivesAt, signals, nets } = this.#options;
    return new Analysis(camera.scene, detector, {
      get lampNet() {
        return nets?.lampNet;
      },
      get helmetNet() {
        return nets?.helmetNet;
      },
      get occupantNet() {
        return nets?.occupantNet;
      },
      ...(directivesAt === undefined ? {} : { directivesAt: (atMs) => directivesAt(camera.name, atMs) }),
      ...(signals === undefined ? {} : { signals: signals.of(camera.name) }),
    });
  }

  /** What kept rules from judging by this frame. */
  #findImpairment(analysed: AnalysedFrame): CameraStateReason | undefined {
    const { camera, directivesAt } = this.#options;
    const declared = directivesAt?.(camera.name, analysed.frame.capturedAtMs) ?? [];
    if (declared.some(({ kind }) => kind === 'rules-suspended')) return 'rules-suspended';
    if (analysed.signalChecks.some(({ outcome }) => outcome === 'disagrees')) return 'signal-disagrees';
    return this.#isSignalLost(analysed) ? 'signal-unreadable' : undefined;
  }

  /** Compares with the view that was kept of this very scene, where there is one. */
  #openReadiness(): CameraReadiness {
    const { camera, outbox } = this.#options;
    const kept = outbox.mark(this.#viewMark);
    const reference = kept === undefined ? undefined : decodeViewReference(kept, camera.sceneSha256);
    return new CameraReadiness(camera.scene, reference === undefined ? {} : { reference });
  }

  /** Name under which the outbox keeps the picture without traffic that the view is compared with. */
  get #viewMark(): string {
    return `view-reference.${this.#options.camera.name}`;
  }

  get #viewMarks(): Record<string, string> {
    return this.#viewReference === undefined ? {} : { [this.#viewMark]: this.#viewReference };
  }

  #isSignalLost(analysed: AnalysedFrame): boolean {
    return this.#options.camera.scene.signals.some(({ name }) => isUnread(analysed, name));
  }

  /** How the sources of each signal stand to each other; one that is unread for long is silent whatever they say. */
  #listSignals(analysed: AnalysedFrame): SignalSync[] {
    return this.#options.camera.scene.signals.map(({ name }) => {
      const check = analysed.signalChecks.find(({ signal }) => signal === name);
      if (isUnread(analysed, name) && check?.outcome !== 'disagrees')
        return { signal: name, outcome: 'silent' };
      return check ?? { signal: name, outcome: 'single' };
    });
  }

  #record(analysed: AnalysedFrame, frame: Frame): void {
    const { site, node, camera, detector, clock } = this.#options;
    this.#measures.addCrossings(analysed.crossings);
    this.#measures.addMeasurements(analysed.measurements);
    const origin = {
      site,
      node,
      camera: camera.name,
      session: frame.session,
      sourceWidth: frame.sourceWidth,
      sourceHeight: frame.sourceHeight,
      clockErrorMs: frame.clockErrorMs,
      model: detector.model,
      scene: camera.scene,
      sceneSha256: camera.sceneSha256,
    };
    const blocked = this.#readiness.blockedRules();
    for (const match of analysed.matches) {
      const { mediaTimeMs, capturedAtMs } = match.observation.frame;
      if (!this.#ledger.isWatched(capturedAtMs) || blocked.has(match.rule)) continue;
      const body = { ...buildEvent(match, origin), detectedAt: new Date(clock.nowMs()).toISOString() };
      const message = { channel: 'event', body } as const;
      if (body.letPass !== undefined) {
        this.#waiting.push({ message });
        continue;
      }
      const job = {
        eventId: body.eventId,
        camera: camera.name,
        session: frame.session,
        mediaTimeMs,
        capturedAtMs,
        context: encodeEvidenceContext({
          event: body,
          facts: buildSealedFacts(body, { scene: camera.scene, softwareVersion: this.#options.version }),
        }),
      };
      this.#waiting.push({ message, job });
    }
    this.#appendWaiting();
  }

  /** Events go to disk before they are announced anywhere; what the disk refuses now is tried again with every frame. */
  #appendWaiting(): void {
    const { outbox, logger } = this.#options;
    while (this.#waiting[0] !== undefined) {
      const { message, job } = this.#waiting[0];
      try {
        const [outcome] = outbox.append([message], {
          evidenceJobs: job === undefined ? [] : [job],
          marks: this.#memoryMarks,
        });
        const { kind, eventId, letPass } = message.body;
        logger.info({ kind, eventId, letPass: letPass?.reason, outcome: outcome?.outcome }, 'event');
      } catch (error) {
        const retryable =
          error instanceof NgatuError && (error.code === 'DISK_FULL' || error.code === 'OUTBOX_FULL');
        if (!retryable) throw error;
        if (this.#waiting.length <= MAX_WAITING_EVENTS) return;
        this.#eventsGivenUp += 1;
        logger.error({ code: error.code, eventsGivenUp: this.#eventsGivenUp }, 'event given up: no space');
      }
      this.#waiting.shift();
    }
  }

  #measureSignals(nowMs: number): Measurement[] {
    const { camera, signals } = this.#options;
    const at = new Date(Math.round(nowMs)).toISOString();
    const offsets = this.#checks.flatMap(({ signal, offsetMs }): Measurement[] => {
      return offsetMs === undefined
        ? []
        : [{ at, metric: 'signalOffsetMs', value: offsetMs, tags: { signal } }];
    });
    return [...offsets, ...(signals?.cut(camera.name, nowMs) ?? [])];
  }

  #report(): void {
    const { site, node, camera, outbox, clock, logger } = this.#options;
    const nowMs = clock.nowMs();
    const { framesDecoded, framesDropped } = this.#live.counters;
    logger.debug({ framesDecoded, framesAnalysed: this.#analysed, framesDropped }, 'counters');
    const counts = { decoded: framesDecoded, analysed: this.#analysed, dropped: framesDropped };
    this.#measures.addMeasurements(this.#measureSignals(nowMs));
    const measurements: Measurement[] = this.#measures.cut(nowMs, counts);
    this.#unreported = [...this.#unreported, ...this.#ledger.cut(nowMs, counts)].slice(-MAX_INTERVALS);
    this.#ruleBlind = [...this.#ruleBlind, ...this.#readiness.cutBlindIntervals(nowMs)].slice(-MAX_INTERVALS);
    const telemetry: Telemetry = {
      schemaVersion: 1,
      site,
      node,
      camera: camera.name,
      intervals: this.#unreported,
      measurements,
      readiness: this.#readiness.report(nowMs),
      ruleBlindIntervals: this.#ruleBlind,
    };
    const view = this.#readiness.takeNewReference();
    if (view !== undefined) this.#viewReference = encodeViewReference(view, camera.sceneSha256);
    try {
      const marks = {
        [this.#reportedMark]: String(this.#ledger.coveredMs),
        ...this.#memoryMarks,
        ...this.#viewMarks,
      };
      outbox.append([{ channel: 'telemetry', body: telemetry }], { marks });
      this.#unreported = [];
      this.#ruleBlind = [];
      this.#viewReference = undefined;
      this.#options.onTelemetry?.(telemetry);
    } catch (error) {
      logger.error({ err: errorMessage(error) }, 'telemetry could not be stored');
    }
  }
}

function isUnread({ signals, frame }: AnalysedFrame, name: string): boolean {
  const view = signals.get(name);
  const unread = view === undefined || view.state === 'unknown' || view.state === 'off';
  return unread && frame.mediaTimeMs - (view?.sinceMs ?? 0) > SIGNAL_LOST_MS;
}
