import type { NodeState } from '@ngatu/contract';
import type { CameraCoverage, EventStore, NodeRecord } from '../store/event-store.ts';
import type { CameraOverview, TimelineBucket } from './api-schema.ts';

/** Six reports of a node (one every 10 s): a camera silent for longer is `unreported` now, whatever it said last. */
const REPORT_STALE_MS = 60_000;

type Coverage = Pick<EventStore, 'listCoverage' | 'listNodes'>;

export interface OverviewRequest {
  readonly fromMs: number;
  readonly toMs: number;
  /** Parts of the timeline; 0 for none. */
  readonly buckets: number;
  readonly now: number;
  /** Only cameras of these sites. */
  readonly sites?: readonly string[];
}

function keyOf({ site, node, camera }: { site: string; node: string; camera: string }): string {
  return `${site}/${node}/${camera}`;
}

function computeBounds({ fromMs, toMs, buckets }: OverviewRequest): { from: string; to: string }[] {
  const at = (index: number) =>
    new Date(Math.round(fromMs + ((toMs - fromMs) * index) / buckets)).toISOString();
  return Array.from({ length: buckets }, (_, index) => ({ from: at(index), to: at(index + 1) }));
}

/** Per camera the shares of each part of the period. Asked part by part, so that no stretch is guessed. */
function collectTimelines(store: Coverage, request: OverviewRequest): Map<string, TimelineBucket[]> {
  const timelines = new Map<string, TimelineBucket[]>();
  for (const bounds of computeBounds(request)) {
    for (const coverage of store.listCoverage(bounds, request.sites)) {
      const { analysedMs, degradedMs, blindMs, unreportedMs } = coverage;
      const timeline = timelines.get(keyOf(coverage)) ?? [];
      timeline.push({ ...bounds, analysedMs, degradedMs, blindMs, unreportedMs });
      timelines.set(keyOf(coverage), timeline);
    }
  }
  return timelines;
}

function describeNow(
  coverage: CameraCoverage,
  nodeState: NodeState['state'] | undefined,
  now: number,
): Pick<CameraOverview, 'now' | 'reason'> {
  const isStale = now - Date.parse(coverage.lastReportAt) > REPORT_STALE_MS;
  if (nodeState === 'offline' || isStale) return { now: 'unreported' };
  const { lastState, lastReason } = coverage;
  return { now: lastState, ...(lastReason === undefined ? {} : { reason: lastReason }) };
}

function describeReported(
  coverage: CameraCoverage,
  context: { nodeState: NodeState['state'] | undefined; now: number; timeline: TimelineBucket[] },
): CameraOverview {
  const { site, node, camera, lastReportAt, analysedMs, degradedMs, blindMs, unreportedMs } = coverage;
  return {
    site,
    node,
    camera,
    ...describeNow(coverage, context.nodeState, context.now),
    lastReportAt,
    ...(context.nodeState === undefined ? {} : { nodeState: context.nodeState }),
    analysedMs,
    degradedMs,
    blindMs,
    unreportedMs,
    blindByReason: { ...coverage.blindByReason },
    ...(coverage.readiness === undefined ? {} : { readiness: coverage.readiness }),
    blockedByRule: { ...coverage.blockedByRule },
    gaps: [...coverage.gaps],
    timeline: context.timeline,
  };
}

/** A camera that its node has named but never reported on: not looked at, and said so. */
function describeSilent(node: NodeRecord, camera: string, request: OverviewRequest): CameraOverview {
  const silent = (from: string, to: string) => ({
    analysedMs: 0,
    degradedMs: 0,
    blindMs: 0,
    unreportedMs: Date.parse(to) - Date.parse(from),
  });
  return {
    site: node.site,
    node: node.node,
    camera,
    now: 'unreported',
    nodeState: node.state.state,
    ...silent(new Date(request.fromMs).toISOString(), new Date(request.toMs).toISOString()),
    blindByReason: {},
    blockedByRule: {},
    gaps: [],
    timeline: computeBounds(request).map(({ from, to }) => ({ from, to, ...silent(from, to) })),
  };
}

/** Every camera that reported or that a node names, in the order of site, node and name. */
export function computeCameraOverviews(store: Coverage, request: OverviewRequest): CameraOverview[] {
  const nodes = store.listNodes().filter(({ site }) => request.sites?.includes(site) !== false);
  const nodeStates = new Map(nodes.map(({ site, node, state }) => [`${site}/${node}`, state.state]));
  const timelines = collectTimelines(store, request);
  const period = { from: new Date(request.fromMs).toISOString(), to: new Date(request.toMs).toISOString() };
  const overviews = new Map<string, CameraOverview>();
  for (const coverage of store.listCoverage(period, request.sites)) {
    const key = keyOf(coverage);
    const nodeState = nodeStates.get(`${coverage.site}/${coverage.node}`);
    const timeline = timelines.get(key) ?? [];
    overviews.set(key, describeReported(coverage, { nodeState, now: request.now, timeline }));
  }
  for (const node of nodes) {
    for (const camera of node.state.cameras) {
      const key = keyOf({ site: node.site, node: node.node, camera });
      if (!overviews.has(key)) overviews.set(key, describeSilent(node, camera, request));
    }
  }
  return [...overviews.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, overview]) => overview);
}
