import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NgatuError } from '@ngatu/contract';
import { measureDecodeSeconds, measureInferenceSeconds } from './agent-parts.ts';
import { readChildrenCpuSeconds, readTreeCpuSeconds } from './process-cpu.ts';

export interface AgentCostOptions {
  /** Program and arguments of the command line, as in `node dist/ngatu.mjs`. */
  readonly program: readonly string[];
  /** The clip of the demonstration, its picture, and the detector's weights. */
  readonly video: string;
  readonly picture: { readonly width: number; readonly height: number };
  readonly model: string;
  readonly scene: string;
  /** Length of the measured stretch, s; warm-up before it, s. */
  readonly measureSeconds: number;
  readonly warmUpSeconds: number;
  readonly say: (line: string) => void;
}

export interface AgentCost {
  readonly framesDecoded: number;
  readonly framesAnalysed: number;
  readonly framesDropped: number;
  readonly wallSeconds: number;
  readonly agentCpuMsPerFrame: number;
  /** Of it, without the evidence: decoding, detecting, tracking, rules, sensors and delivery. */
  readonly watchCpuMsPerFrame: number;
  /** Clip, stills, blur and plate of one event: the process that makes pictures, and ffmpeg. */
  readonly evidenceCpuMsPerEvent: number;
  readonly decodeCpuMsPerFrame: number;
  readonly inferenceCpuMsPerFrame: number;
  /** Agent ÷ (decode + inference); the limit was measured in the same run. */
  readonly ratio: number;
  readonly eventsAppended: number;
}

/** The subcommand of the process that makes pictures. */
const PICTURES = 'pictures';
/** The target of the ratio. */
export const AGENT_COST_LIMIT = 1.5;

/** Threads of one inference in the demonstration's profile. */
const THREADS = 1;
const READY_TIMEOUT_MS = 240_000;

interface Counters {
  readonly framesDecoded: number;
  readonly framesAnalysed: number;
  readonly framesDropped: number;
}

interface LiveCost {
  readonly cpuSeconds: number;
  readonly evidenceCpuSeconds: number;
  readonly wallSeconds: number;
  readonly eventsAppended: number;
}

/**
 * CPU time of the whole live agent with its ffmpeg per frame that ran the detector, over that of decoding alone plus
 * inference alone on the same clip. The product runs as its users start it, with broker, ingestor and API beside it.
 */
export async function measureAgentCost(options: AgentCostOptions, signal: AbortSignal): Promise<AgentCost> {
  const data = await mkdtemp(join(tmpdir(), 'ngatu-bench-'));
  try {
    const live = await runLive(options, data, signal);
    options.say('decoding alone, inference alone');
    const decode = await measureDecodeSeconds(options.video, signal);
    const inferenceCpuMs = (await measureInferenceSeconds({ ...options, threads: THREADS })) * 1000;
    const decodeCpuMs =
      ((decode.cpuSeconds / decode.frames) * live.framesDecoded * 1000) / live.framesAnalysed;
    const agentCpuMs = (live.cpuSeconds * 1000) / live.framesAnalysed;
    const watchCpuMs = ((live.cpuSeconds - live.evidenceCpuSeconds) * 1000) / live.framesAnalysed;
    const { framesDecoded, framesAnalysed, framesDropped, wallSeconds, eventsAppended } = live;
    return {
      ...{ framesDecoded, framesAnalysed, framesDropped, wallSeconds, eventsAppended },
      agentCpuMsPerFrame: agentCpuMs,
      watchCpuMsPerFrame: watchCpuMs,
      evidenceCpuMsPerEvent: (live.evidenceCpuSeconds * 1000) / Math.max(1, eventsAppended),
      decodeCpuMsPerFrame: decodeCpuMs,
      inferenceCpuMsPerFrame: inferenceCpuMs,
      ratio: agentCpuMs / (decodeCpuMs + inferenceCpuMs),
    };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

async function runLive(
  { program, scene, measureSeconds, warmUpSeconds, say }: AgentCostOptions,
  data: string,
  signal: AbortSignal,
): Promise<Counters & LiveCost> {
  const [command = '', ...args] = program;
  const product = spawn(command, [...args, 'start', '--port', '0', '--scene', scene, '--data', data], {
    stdio: 'ignore',
    env: { ...process.env, NGATU_LOG_LEVEL: 'debug' },
    signal,
  });
  product.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => product.once('close', () => resolve()));
  try {
    const log = join(data, 'run', 'logs', 'edge.log');
    await waitForReport(log, 0, READY_TIMEOUT_MS, signal);
    say(`warming up for ${warmUpSeconds} s`);
    await sleep(warmUpSeconds * 1000, undefined, { signal });
    const pid = readEdgePid(data);
    const begin = await takeSample(log, pid, signal);
    say(`measuring for ${measureSeconds} s`);
    await sleep(measureSeconds * 1000, undefined, { signal });
    const end = await takeSample(log, pid, signal);
    return {
      framesDecoded: end.framesDecoded - begin.framesDecoded,
      framesAnalysed: end.framesAnalysed - begin.framesAnalysed,
      framesDropped: end.framesDropped - begin.framesDropped,
      cpuSeconds: end.cpuSeconds - begin.cpuSeconds,
      evidenceCpuSeconds: end.evidenceCpuSeconds - begin.evidenceCpuSeconds,
      wallSeconds: (end.atMs - begin.atMs) / 1000,
      eventsAppended: end.events - begin.events,
    };
  } finally {
    product.kill('SIGINT');
    await exited;
  }
}

/** CPU time in the moment in which the agent reports its counters. */
async function takeSample(log: string, pid: number, signal: AbortSignal) {
  const counters = await waitForReport(log, countReports(log), 30_000, signal);
  return {
    ...counters,
    events: countEvents(log),
    cpuSeconds: readTreeCpuSeconds(pid),
    evidenceCpuSeconds: readChildrenCpuSeconds(pid, PICTURES),
    atMs: performance.now(),
  };
}

async function waitForReport(
  log: string,
  after: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Counters> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const reports = readReports(log);
    const newest = reports.at(-1);
    if (newest !== undefined && reports.length > after) return newest;
    await sleep(50, undefined, { signal });
  }
  throw new NgatuError(
    'CHILD_FAILED',
    `Cannot measure: the agent reported nothing within ${timeoutMs / 1000} s`,
  );
}

function readLog(log: string): Record<string, unknown>[] {
  if (!existsSync(log)) return [];
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
}

function readReports(log: string): Counters[] {
  return readLog(log)
    .filter((entry) => entry['msg'] === 'counters')
    .map((entry) => ({
      framesDecoded: Number(entry['framesDecoded']),
      framesAnalysed: Number(entry['framesAnalysed']),
      framesDropped: Number(entry['framesDropped']),
    }));
}

function countReports(log: string): number {
  return readReports(log).length;
}

function countEvents(log: string): number {
  return readLog(log).filter((entry) => entry['msg'] === 'event' && entry['outcome'] === 'appended').length;
}

function readEdgePid(data: string): number {
  const processes: { name?: string; part?: string; pid: number }[] = JSON.parse(
    readFileSync(join(data, 'run', 'processes.json'), 'utf8'),
  );
  const edge = processes.find((entry) => (entry.part ?? entry.name) === 'edge');
  if (edge === undefined)
    throw new NgatuError('CHILD_FAILED', 'Cannot measure: no process of the agent is listed');
  return edge.pid;
}

/** The table that `npm run bench` prints. */
export function formatAgentCost(cost: AgentCost): string {
  const ms = (value: number): string => `${value.toFixed(2)} ms`.padStart(10);
  return [
    `frames            ${cost.framesAnalysed} analysed of ${cost.framesDecoded} decoded in ${cost.wallSeconds.toFixed(0)} s, ${cost.framesDropped} dropped`,
    `events            ${cost.eventsAppended} appended`,
    `whole agent     ${ms(cost.agentCpuMsPerFrame)} CPU per analysed frame (with its ffmpeg)`,
    `  watching      ${ms(cost.watchCpuMsPerFrame)}, and ${cost.evidenceCpuMsPerEvent.toFixed(0)} ms for the evidence of an event`,
    `ffmpeg alone    ${ms(cost.decodeCpuMsPerFrame)}`,
    `inference alone ${ms(cost.inferenceCpuMsPerFrame)}`,
    `ratio             ${cost.ratio.toFixed(3)} (limit ${AGENT_COST_LIMIT}), watching alone ${(cost.watchCpuMsPerFrame / (cost.decodeCpuMsPerFrame + cost.inferenceCpuMsPerFrame)).toFixed(3)}`,
  ].join('\n');
}
