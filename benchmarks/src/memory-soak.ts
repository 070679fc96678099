import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NgatuError } from '@ngatu/contract';
import { LiveProduct } from './live-product.ts';
import { fitSlope, type Slope } from './memory-slope.ts';

/** What the agent may grow after its warm-up, MB (10⁶ bytes) a minute. */
export const MEMORY_SLOPE_LIMIT = 1;

export interface MemorySoakOptions {
  /** Program and arguments of the command line, as in `node cli/bin/ngatu.mjs`. */
  readonly program: readonly string[];
  readonly scene: string;
  /** Length of the run, and of its part before the measurement, min. */
  readonly minutes: number;
  readonly warmUpMinutes: number;
  readonly say: (line: string) => void;
}

/** Resident memory, MB. */
export interface MemorySample {
  readonly minutes: number;
  readonly agentMb: number;
  /** All children of the agent: ffmpeg, one a camera, and what makes evidence. */
  readonly childrenMb: number;
}

export interface MemorySoak {
  readonly samples: readonly MemorySample[];
  readonly agent: Slope;
  readonly children: Slope;
  readonly eventsAppended: number;
  readonly load: readonly [number, number];
  readonly holds: boolean;
}

const SAMPLE_MS = 5_000;
const READY_LIMIT_MS = 240_000;
const SAY_EVERY = 12;

/**
 * Runs the product live and measures how the resident memory of the agent changes after its warm-up.
 * @throws NgatuError CHILD_FAILED where the product ends, or the agent was restarted
 */
export async function measureMemory(options: MemorySoakOptions, signal: AbortSignal): Promise<MemorySoak> {
  const { program, scene, warmUpMinutes, say } = options;
  const data = await mkdtemp(join(tmpdir(), 'ngatu-soak-'));
  const product = LiveProduct.start({ program, scene, data });
  try {
    const [loadBefore = 0] = loadavg();
    await product.until('the agent', () => product.findLine('edge is ready'), {
      limitMs: READY_LIMIT_MS,
      signal,
    });
    say(`sampling for ${options.minutes} min`);
    const samples = await takeSamples(product, options, signal);
    const measured = samples.filter(({ minutes }) => minutes >= warmUpMinutes);
    const agent = fitSlope(measured.map(({ minutes, agentMb }) => ({ minutes, value: agentMb })));
    const children = fitSlope(measured.map(({ minutes, childrenMb }) => ({ minutes, value: childrenMb })));
    const eventsAppended = product
      .readLog('edge')
      .filter(({ msg, outcome }) => msg === 'event' && outcome === 'appended').length;
    const [loadAfter = 0] = loadavg();
    return {
      ...{ samples, agent, children, eventsAppended },
      load: [loadBefore, loadAfter],
      holds: agent.perMinute <= MEMORY_SLOPE_LIMIT && eventsAppended > 0,
    };
  } finally {
    await product.stop();
    await rm(data, { recursive: true, force: true });
  }
}

async function takeSamples(
  product: LiveProduct,
  { minutes, say }: MemorySoakOptions,
  signal: AbortSignal,
): Promise<MemorySample[]> {
  const pid = product.findPid('edge');
  const begunAt = performance.now();
  const samples: MemorySample[] = [];
  const count = Math.floor((minutes * 60_000) / SAMPLE_MS);
  for (let index = 0; index <= count; index++) {
    await sleep(Math.max(0, begunAt + index * SAMPLE_MS - performance.now()), undefined, { signal });
    if (pid === undefined || product.findPid('edge') !== pid) {
      throw new NgatuError('CHILD_FAILED', 'Cannot measure the memory of the agent: it was restarted');
    }
    const sample = {
      minutes: (performance.now() - begunAt) / 60_000,
      agentMb: readResidentMb(pid),
      childrenMb: listChildren(pid).reduce((sum, child) => sum + readResidentMb(child), 0),
    };
    samples.push(sample);
    if (index % SAY_EVERY === 0) {
      const { agentMb, childrenMb } = sample;
      say(
        `${sample.minutes.toFixed(0)} min: agent ${agentMb.toFixed(0)} MB, children ${childrenMb.toFixed(0)} MB`,
      );
    }
  }
  return samples;
}

/** proc(5), `VmRSS` of status, kB of 1,024 bytes; 0 where the process has ended. */
function readResidentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`))?.[1] ?? '0';
  return (Number(kib) * 1_024) / 1e6;
}

function listChildren(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const lists = tasks.map((task) => readProc(`${pid}/task/${task}/children`));
  return lists.flatMap((list) => (list.trim() === '' ? [] : list.trim().split(' ').map(Number)));
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    // Its process ended in this moment.
    return '';
  }
}

/** The figures as lines of text. */
export function formatMemorySoak({
  samples,
  agent,
  children,
  eventsAppended,
  load,
  holds,
}: MemorySoak): string {
  const last = samples.at(-1);
  const line = (name: string, { perMinute, marginPerMinute }: Slope, lastMb: number) =>
    `${name.padEnd(20)} ${perMinute.toFixed(2)} ± ${marginPerMinute.toFixed(2)} MB/min (95 %), ${lastMb.toFixed(0)} MB at the end`;
  return [
    line('agent', agent, last?.agentMb ?? 0),
    line('children (ffmpeg)', children, last?.childrenMb ?? 0),
    `${'samples'.padEnd(20)} ${agent.samples}, worth ${agent.effectiveSamples.toFixed(0)} independent ones`,
    `${'events appended'.padEnd(20)} ${eventsAppended}`,
    `${'load average'.padEnd(20)} ${load.map((value) => value.toFixed(2)).join(' and ')}`,
    `${holds ? '✓' : '✗'} the agent grows by at most ${MEMORY_SLOPE_LIMIT} MB/min`,
  ].join('\n');
}
