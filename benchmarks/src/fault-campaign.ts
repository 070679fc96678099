import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NgatuError, type Scene } from '@ngatu/contract';
import { type Detector, runReplay } from '@ngatu/edge';
import {
  CentreReader,
  openEvidenceCheck,
  placeOf,
  readIntervals,
  readOutbox,
} from './fault-campaign-centre.ts';
import { planKills } from './fault-campaign-plan.ts';
import type { CampaignRecord, ClipLoop, Kill, ReferenceEvent, Victim } from './fault-campaign-record.ts';
import { LiveProduct } from './live-product.ts';

export interface FaultCampaignOptions {
  /** Program and arguments of the command line, as in `node cli/bin/ngatu.mjs`. */
  readonly program: readonly string[];
  /** The demonstration, and what it looks at with what. */
  readonly demo: {
    readonly name: string;
    readonly video: string;
    readonly scene: Scene;
    readonly sceneSha256: string;
    readonly detector: Detector;
  };
  /** Kills of each of agent, broker and ingestor. */
  readonly kills: number;
  readonly seed: number;
  /** Leaves the data folder of the product where it is, for a closer look. */
  readonly keepsData: boolean;
  readonly say: (line: string) => void;
}

const READY_LIMIT_MS = 240_000;
/** What the clip and its evidence need after the last event, and what a part that dies often may wait for its restart. */
const DRAIN_LIMIT_MS = 150_000;
const RESPAWN_LIMIT_MS = 60_000;
/** Calm before the first kill, so that the ledger has something to say of before, ms. */
const LEAD_MS = 5_000;
const DRAIN_POLL_MS = 250;
/** What was seen before the camera was held is appended within the rules' horizon, ms. */
const SETTLE_MS = 5_000;

/**
 * Runs the product on a clip that repeats, kills agent, broker and ingestor at random instants with SIGKILL, waits until
 * the centre has everything, stops, and records what each side says of it. `checkCampaign` judges the record.
 * @throws NgatuError CHILD_FAILED where the product itself ends, and those of `runReplay`
 */
export async function runFaultCampaign(
  options: FaultCampaignOptions,
  signal: AbortSignal,
): Promise<CampaignRecord> {
  const { kills, seed, say } = options;
  const [loadBefore = 0] = loadavg();
  say('replaying the clip for reference');
  const reference = await findReference(options.demo, signal);
  const data = await mkdtemp(join(tmpdir(), 'ngatu-faults-'));
  const product = LiveProduct.start({ program: options.program, scene: options.demo.name, data });
  try {
    const limits = { limitMs: READY_LIMIT_MS, signal };
    await product.until('the agent', () => product.findLine('edge is ready'), limits);
    const url = await product.until('the console', () => product.url, limits);
    const loop = await product.until('the clock of the camera', () => findLoop(product), limits);
    say(`${3 * kills} kills on a clip of ${(loop.durationMs / 1000).toFixed(1)} s, seed ${seed}`);
    await sleep(LEAD_MS, undefined, { signal });
    const done = await killParts(product, options, signal);
    say('waiting until everything has arrived');
    const drainedMs = await drain(product, done, signal);
    const verify = await openEvidenceCheck(url, data, signal);
    using centre = new CentreReader(data);
    const committed = await centre.listCommitted(verify);
    const end = await stopAndRead(product, centre);
    const [loadAfter = 0] = loadavg();
    return {
      ...{ seed, loop, reference, committed, ...end },
      kills: done.map((kill) => addRecovery(kill, done, product)),
      ...(drainedMs === undefined ? {} : { drainedMs }),
      load: [loadBefore, loadAfter],
    };
  } finally {
    await product.stop();
    if (options.keepsData) say(`data folder kept: ${data}`);
    else await rm(data, { recursive: true, force: true });
  }
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

/** The camera's log says when its clip began to run. */
function findLoop(product: LiveProduct): ClipLoop | undefined {
  const line = product.readLog('camera').find(({ msg }) => msg === 'camera is live');
  if (line === undefined) return undefined;
  const { loopZeroEpochMs, loopDurationMs, loopStartsAtMs } = line;
  if (typeof loopZeroEpochMs !== 'number' || typeof loopDurationMs !== 'number') return undefined;
  const firstClipMs = typeof loopStartsAtMs === 'number' ? loopStartsAtMs : 0;
  return { zeroEpochMs: loopZeroEpochMs, durationMs: loopDurationMs, firstClipMs };
}

async function killParts(
  product: LiveProduct,
  { kills, seed, say }: FaultCampaignOptions,
  signal: AbortSignal,
): Promise<Kill[]> {
  const plan = planKills(kills, seed);
  const done: Kill[] = [];
  for (const { victim, waitMs } of plan) {
    await sleep(waitMs, undefined, { signal });
    done.push(await killPart(product, victim, done, signal));
    if (done.length % 10 === 0) say(`${done.length} of ${plan.length} kills`);
  }
  return done;
}

/** Kills the process that is this part now; where it is on its way back, as soon as there is one. */
async function killPart(
  product: LiveProduct,
  victim: Victim,
  done: readonly Kill[],
  signal: AbortSignal,
): Promise<Kill> {
  const earlier = new Set(done.map(({ pid }) => pid));
  const limits = { limitMs: RESPAWN_LIMIT_MS, signal };
  for (;;) {
    const findFresh = () => {
      const pid = product.findPid(victim);
      return pid === undefined || earlier.has(pid) ? undefined : pid;
    };
    const pid = await product.until(`a process of ${victim}`, findFresh, limits);
    if (sendKill(pid)) return { victim, pid, atMs: Date.now() };
  }
}

function sendKill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * When the part did its work again: the agent with its first analysed picture, the ingestor with its stores and listener
 * open, the broker when agent and ingestor were both connected to it again. Absent where it was killed again before.
 */
function addRecovery(kill: Kill, all: readonly Kill[], product: LiveProduct): Kill {
  const moments = [product.findLine(`${kill.victim} runs again`, kill.atMs)?.atMs];
  if (kill.victim === 'broker') {
    moments.push(findLogged(product, 'edge', 'uplink connected', kill.atMs));
    moments.push(findLogged(product, 'ingestor', 'ingestor connected', kill.atMs));
  }
  const known = moments.filter((atMs) => atMs !== undefined);
  const backAtMs = Math.max(...known);
  const next = all.find(({ victim, atMs }) => victim === kill.victim && atMs > kill.atMs);
  if (known.length < moments.length || (next !== undefined && next.atMs < backAtMs)) return kill;
  return { ...kill, backAtMs };
}

/** When a part's log says so for the first time after an instant, ms since 1970. */
function findLogged(
  product: LiveProduct,
  part: string,
  message: string,
  afterMs: number,
): number | undefined {
  const times = product
    .readLog(part)
    .flatMap(({ msg, time }) => (msg === message ? [Date.parse(String(time))] : []));
  return times.find((atMs) => atMs > afterMs);
}

/**
 * Waits until all parts run again and every event from before is at the centre with its evidence; returns how long that
 * took, ms, or undefined where it took too long. Then holds the camera in a moment in which nothing is on its way.
 */
async function drain(
  product: LiveProduct,
  kills: readonly Kill[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const begunAt = performance.now();
  using centre = new CentreReader(product.data);
  const before = [...listLoggedEvents(product), ...centre.listEventIds()];
  const isLate = () => performance.now() - begunAt >= DRAIN_LIMIT_MS;
  while (!(kills.every((kill) => isBack(kill, product)) && hasAll(before, centre))) {
    if (isLate()) return undefined;
    await sleep(DRAIN_POLL_MS, undefined, { signal });
  }
  const drainedMs = performance.now() - begunAt;
  const hasEverything = () => hasAll([...listLoggedEvents(product), ...centre.listEventIds()], centre);
  while (!isLate()) {
    await sleep(DRAIN_POLL_MS, undefined, { signal });
    if (!hasEverything()) continue;
    holdCamera(product, 'SIGSTOP');
    await sleep(SETTLE_MS, undefined, { signal });
    if (hasEverything()) return drainedMs;
    holdCamera(product, 'SIGCONT');
  }
  return undefined;
}

function hasAll(eventIds: readonly string[], centre: CentreReader): boolean {
  return centre.readDelivery().missing.length === 0 && eventIds.every((id) => centre.isComplete(id));
}

function isBack({ victim, atMs }: Kill, product: LiveProduct): boolean {
  return product.findLine(`${victim} runs again`, atMs) !== undefined;
}

function holdCamera(product: LiveProduct, signal: 'SIGSTOP' | 'SIGCONT'): void {
  const pid = product.findPid('camera');
  if (pid !== undefined) process.kill(pid, signal);
}

function listLoggedEvents(product: LiveProduct): string[] {
  return product.readLog('edge').flatMap(({ msg, outcome, eventId }) => {
    const isAppended = msg === 'event' && outcome === 'appended' && typeof eventId === 'string';
    return isAppended ? [eventId] : [];
  });
}

async function stopAndRead(
  product: LiveProduct,
  centre: CentreReader,
): Promise<Pick<CampaignRecord, 'centre' | 'outbox' | 'intervals' | 'loggedEventIds'>> {
  holdCamera(product, 'SIGCONT');
  const code = await product.stop();
  if (code !== 0) throw new NgatuError('CHILD_FAILED', `Cannot stop ngatu start: it ended with ${code}`);
  return {
    centre: centre.readDelivery(),
    outbox: readOutbox(product.data),
    intervals: readIntervals(product.data),
    loggedEventIds: listLoggedEvents(product),
  };
}
