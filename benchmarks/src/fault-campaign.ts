import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCentrePaths } from '@ngatu/cloud';
import { errorMessage, NgatuError, type Scene } from '@ngatu/contract';
import { type Detector, runReplay } from '@ngatu/edge';
import {
  CentreReader,
  checkDatabases,
  EvidenceOnDisk,
  openSealTrust,
  placeOf,
  readOutbox,
  sumWitnessCount,
} from './fault-campaign-centre.ts';
import { type PlannedFault, seedRandom } from './fault-campaign-plan.ts';
import type { CampaignRecord, ClipLoop, FaultRecord, ReferenceEvent } from './fault-campaign-record.ts';
import type { FaultLane } from './fault-injection.ts';
import { isRunning } from './fault-process.ts';
import { ProofReader } from './fault-proof.ts';
import type { FaultTarget } from './fault-target.ts';
import { Witness } from './fault-witness.ts';

export interface FaultCampaignOptions {
  readonly target: FaultTarget;
  /** What the camera looks at with what, for the reference. */
  readonly demo: {
    readonly video: string;
    readonly scene: Scene;
    readonly sceneSha256: string;
    readonly detector: Detector;
  };
  /** Names of the two nodes at the centre. */
  readonly nodes: { readonly edge: string; readonly node: string };
  readonly plan: readonly PlannedFault[];
  readonly seed: number;
  readonly say: (line: string) => void;
}

const READY_LIMIT_MS = 240_000;
/** After this long a fault counts as one that nothing came back from, ms. */
const BACK_LIMIT_MS = 120_000;
/** So many of them, and there is nothing left to disturb. */
const MAX_LOST = 3;
/** What the clip and its evidence need after the last event, and what a part that died often may wait for its restart. */
const DRAIN_LIMIT_MS = 300_000;
const DRAIN_POLL_MS = 250;
/** What was seen before the camera was held is appended within the rules' horizon, ms. */
const SETTLE_MS = 5_000;
const SAY_EVERY = 10;

/**
 * Does every fault of a plan to a running product, at most one in each lane at a time, and after each waits until everything works
 * again. Then waits until the centre has everything, stops the product, and records what each side says of it; `checkCampaign` judges
 * the record.
 * @throws NgatuError CHILD_FAILED where the product does not begin, and those of `runReplay`
 */
export async function runFaultCampaign(
  options: FaultCampaignOptions,
  signal: AbortSignal,
): Promise<CampaignRecord> {
  const { target, plan, seed, say } = options;
  const [loadBefore = 0] = loadavg();
  const witness = new Witness(target.journal);
  const proofs = new ProofReader(target, witness);
  say('replaying the clip for reference');
  const reference = await findReference(options.demo, signal);
  say('starting everything');
  const begunMs = Date.now();
  await target.start(signal);
  const begun = { afterMs: Date.now(), limitMs: READY_LIMIT_MS, signal };
  if ((await proofs.waitFor(['sight', 'delivery', 'api'], begun)) === undefined)
    throw new NgatuError(
      'CHILD_FAILED',
      `Cannot begin: not everything works after ${READY_LIMIT_MS / 1000} s`,
    );
  say(`${plan.length} faults, seed ${seed}`);
  const startedAt = performance.now();
  const faults = await new FaultRun(options, proofs, signal).run();
  const tookMs = performance.now() - startedAt;
  say('waiting until everything has arrived');
  const drainedMs = await drain(options, witness, { faults, signal });
  await target.stop();
  const endedMs = Date.now();
  const end = await readEnd(options, witness);
  const [loadAfter = 0] = loadavg();
  return {
    ...{ seed, faults, planned: plan.length, tookMs, begunMs, endedMs, reference, ...end },
    ...(drainedMs === undefined ? {} : { drainedMs }),
    load: [loadBefore, loadAfter],
  };
}

async function findReference(
  demo: FaultCampaignOptions['demo'],
  signal: AbortSignal,
): Promise<ReferenceEvent[]> {
  const { video, scene, sceneSha256, detector } = demo;
  const origin = { site: 'replay', node: 'replay', startMs: 0 };
  const { events } = await runReplay({ video, scene, sceneSha256, detector, ...origin }, signal);
  return events.map((event) => ({
    ...{ kind: event.kind, rule: event.rule, clipMs: event.frame.mediaTimeMs },
    ...placeOf(event),
  }));
}

/** The camera's log says when its clip began to run, each time that the process was started. */
function findLoops(target: FaultTarget): ClipLoop[] {
  return target.readLog('camera').flatMap(({ msg, loopZeroEpochMs, loopDurationMs, loopStartsAtMs }) => {
    const isLine = msg === 'camera is live' && typeof loopZeroEpochMs === 'number';
    if (!isLine || typeof loopDurationMs !== 'number') return [];
    const firstClipMs = typeof loopStartsAtMs === 'number' ? loopStartsAtMs : 0;
    return { zeroEpochMs: loopZeroEpochMs, durationMs: loopDurationMs, firstClipMs };
  });
}

/** The faults of one campaign under way: two lanes side by side, each in the order of the plan. */
class FaultRun {
  readonly #options: FaultCampaignOptions;
  readonly #proofs: ProofReader;
  readonly #signal: AbortSignal;
  readonly #records: FaultRecord[] = [];
  readonly #lanes = new Map<FaultLane, Promise<void>>();
  #lost = 0;

  constructor(options: FaultCampaignOptions, proofs: ProofReader, signal: AbortSignal) {
    this.#options = options;
    this.#proofs = proofs;
    this.#signal = signal;
  }

  async run(): Promise<FaultRecord[]> {
    const { plan } = this.#options;
    const ofSight = plan.filter(({ kind }) => kind.lanes.includes('sight'));
    const others = plan.filter(({ kind }) => !kind.lanes.includes('sight'));
    await Promise.all([ofSight, others].map((queue) => this.#work(queue)));
    return this.#records.sort((a, b) => a.fromMs - b.fromMs);
  }

  async #work(queue: readonly PlannedFault[]): Promise<void> {
    for (const planned of queue) {
      if (this.#lost >= MAX_LOST) return;
      const release = await this.#take(planned.kind.lanes);
      try {
        this.#records.push(await this.#doOne(planned));
      } finally {
        release();
      }
      const done = this.#records.length;
      if (done % SAY_EVERY === 0) this.#options.say(`${done} of ${this.#options.plan.length} faults`);
    }
  }

  /** Waits for its turn in each lane. Lanes are always asked for in the same order, so that nobody waits for ever. */
  async #take(lanes: readonly FaultLane[]): Promise<() => void> {
    const releases: (() => void)[] = [];
    for (const lane of [...lanes].sort()) {
      const before = this.#lanes.get(lane) ?? Promise.resolve();
      const turn = new Promise<void>((resolve) => releases.push(resolve));
      this.#lanes.set(
        lane,
        before.then(() => turn),
      );
      await before;
    }
    return () => {
      for (const release of releases) release();
    };
  }

  async #doOne({ kind, index, waitMs }: PlannedFault): Promise<FaultRecord> {
    const { target, seed, say } = this.#options;
    const signal = this.#signal;
    await sleep(waitMs, undefined, { signal });
    const begunMs = Date.now();
    const base = { kind: kind.name, lanes: kind.lanes };
    const random = seedRandom(seed * 100_003 + index);
    const injected = await kind.inject({ target, random, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof NgatuError)) throw error;
      return { fromMs: begunMs, toMs: Date.now(), failed: errorMessage(error) };
    });
    if ('skipped' in injected) return { ...base, fromMs: begunMs, toMs: begunMs, skipped: injected.skipped };
    if ('failed' in injected) {
      this.#lost++;
      const { failed: detail, ...times } = injected;
      return { ...base, ...times, detail };
    }
    const backAtMs = await this.#proofs.waitFor(kind.proofs, {
      ...{ afterMs: injected.toMs, limitMs: BACK_LIMIT_MS, signal },
    });
    if (backAtMs === undefined) {
      this.#lost++;
      say(`${kind.name}: not back after ${BACK_LIMIT_MS / 1000} s`);
    }
    const { fromMs, toMs, detail, destroyed } = injected;
    return {
      ...{ ...base, fromMs, toMs },
      ...(backAtMs === undefined ? {} : { backAtMs }),
      ...(detail === undefined ? {} : { detail }),
      ...(destroyed === undefined ? {} : { destroyed }),
    };
  }
}

/**
 * Waits until everything that was appended is at the centre with its evidence; returns how long that took, ms, or undefined where it
 * took too long. Then holds the camera in a moment in which nothing is on its way.
 */
async function drain(
  { target, nodes }: FaultCampaignOptions,
  witness: Witness,
  { faults, signal }: { readonly faults: readonly FaultRecord[]; readonly signal: AbortSignal },
): Promise<number | undefined> {
  const begunAt = performance.now();
  target.quietNode();
  // With an event the node's disk forgot that its evidence was to be made.
  const destroyed = new Set(faults.flatMap((fault) => fault.destroyed?.eventIds ?? []));
  using centre = new CentreReader(target.folders.cloud);
  const hasEverything = () => {
    witness.refresh();
    const there = new Set(centre.listEventIds(nodes.node));
    const listed = new Set([...listLoggedEvents(target), ...centre.listEventIds(nodes.edge)]);
    return (
      // A campaign that saw no road user at all would show nothing.
      listed.size > 0 &&
      witness.appended.every(({ eventId }) => there.has(eventId)) &&
      [nodes.edge, nodes.node].every((node) => centre.readState(node).missing.length === 0) &&
      [...listed].every((id) => destroyed.has(id) || centre.isComplete(id))
    );
  };
  const isLate = () => performance.now() - begunAt >= DRAIN_LIMIT_MS;
  let drainedMs: number | undefined;
  while (!isLate()) {
    await sleep(DRAIN_POLL_MS, undefined, { signal });
    if (!hasEverything()) continue;
    drainedMs ??= performance.now() - begunAt;
    holdCamera(target, 'SIGSTOP');
    await sleep(SETTLE_MS, undefined, { signal });
    const isStill = hasEverything();
    holdCamera(target, 'SIGCONT');
    if (isStill) return drainedMs;
  }
  return undefined;
}

function holdCamera(target: FaultTarget, signal: 'SIGSTOP' | 'SIGCONT'): void {
  const pid = target.pidOf('camera');
  if (pid !== undefined && isRunning(pid)) process.kill(pid, signal);
}

function listLoggedEvents(target: FaultTarget): string[] {
  return target.readLog('edge').flatMap(({ msg, outcome, eventId }) => {
    const isAppended = msg === 'event' && outcome === 'appended' && typeof eventId === 'string';
    return isAppended ? [eventId] : [];
  });
}

async function readEnd(
  { target, nodes }: FaultCampaignOptions,
  witness: Witness,
): Promise<
  Pick<
    CampaignRecord,
    'centre' | 'outboxes' | 'intervals' | 'loggedEventIds' | 'committed' | 'witness' | 'loops'
  >
> {
  const { folders } = target;
  witness.refresh();
  const outboxes = { edge: readOutbox(folders.edge), node: readOutbox(folders.node) };
  const counted = await sumWitnessCount(folders.cloud);
  using centre = new CentreReader(folders.cloud);
  const there = new Set(centre.listEventIds(nodes.node));
  const databases = [
    buildCentrePaths(folders.cloud).events,
    ...[folders.edge, folders.node].map((folder) => join(folder, 'outbox.sqlite')),
  ];
  return {
    outboxes,
    centre: {
      edge: centre.readState(nodes.edge),
      node: centre.readState(nodes.node),
      deadLetters: centre.countDeadLetters(),
      damage: checkDatabases(databases),
      chainGaps: centre.listChainGaps(nodes.edge),
    },
    loops: findLoops(target),
    intervals: [...centre.listIntervals(), ...outboxes.edge.intervals],
    loggedEventIds: listLoggedEvents(target),
    committed: await centre.listCommitted(nodes.edge, {
      files: new EvidenceOnDisk(folders),
      trust: openSealTrust(folders.cloud),
    }),
    witness: {
      tried: witness.tried.size,
      appended: witness.appended.length,
      committed: there.size,
      absent: witness.appended.flatMap(({ eventId }) => (there.has(eventId) ? [] : [eventId])),
      foreign: [...there].filter((id) => !witness.tried.has(id)),
      counted,
    },
  };
}
