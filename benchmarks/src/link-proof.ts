import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SqliteEventStore } from '@ngatu/cloud';
import { isOriginalRole } from '@ngatu/contract';
import {
  type AgentConfig,
  buildSealedFacts,
  CHAIN_MARK,
  EvidenceSealer,
  EvidenceUpload,
  Outbox,
  runUplink,
} from '@ngatu/edge';
import { type CongestionControlName, type LinkEmulator, openLinkEmulator } from '@ngatu/simulators';
import { type ClassFigures, describeDelays, type FetchFigures, type LinkFigures } from './link-figures.ts';
import {
  buildLinkCase,
  buildLinkTelemetry,
  type CaseSizes,
  LINK_SCENE,
  type LinkCase,
  type LinkNode,
} from './link-traffic.ts';
import { demandOriginal } from './original-demand.ts';

type Logger = Parameters<typeof runUplink>[0]['logger'];

/** The centre that the proof runs against: a real broker and a real ingestor, which the caller starts and stops. */
export interface LinkTarget extends LinkNode {
  readonly brokerPort: number;
  readonly credentials: Pick<AgentConfig['broker'], 'username' | 'password'>;
  readonly uploadPort: number;
  readonly uploadToken: string;
  readonly store: SqliteEventStore;
  /** Folder of the node's identity, issued by the authority that the centre trusts. */
  readonly identityDir: string;
}

export interface LinkProofOptions {
  readonly target: LinkTarget;
  readonly link: {
    readonly bitsPerSecond: number;
    readonly roundTripMs: number;
    readonly lossFraction: number;
    readonly congestionControl: CongestionControlName;
    readonly seed: number;
  };
  readonly flows: number;
  readonly budgetBitsPerSecond?: number;
  readonly cameras: number;
  readonly violationsPerCameraHour: number;
  /** Length of the stretch in which violations happen, s; nothing is compressed. */
  readonly seconds: number;
  /** From the decisive moment until stills and clip are cut, ms: the clip's end and the time to make it. */
  readonly evidenceDelayMs: number;
  readonly sizes: CaseSizes;
  /** So many originals are fetched while the violations go on. */
  readonly fetches: number;
  /** Empty folder of the node. The caller removes it. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Uniform in [0, 1): when violations happen. */
  readonly random: () => number;
  readonly say: (line: string) => void;
}

const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const TELEMETRY_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 50;
/** What has not arrived this long after the last violation counts as undelivered, ms. */
const DRAIN_MS = 90_000;
const EXPRESS_FLOWS = 2;
const DAY_SECONDS = 86_400;

interface OpenCase extends LinkCase {
  readonly startedAtMs: number;
  committedAtMs?: number;
  readonly arrivedAtMs: Map<string, number>;
  original?: {
    readonly sha256: string;
    readonly askedAtMs: number;
    readonly came?: { readonly tookMs: number; readonly travelMs: number; readonly carriedBytes: number };
  };
}

/** The node of a commune behind an emulated link, with the agent's own outbox, uplink and upload, and what came of its cases. */
class LinkNodeRun {
  readonly cases: OpenCase[] = [];
  telemetryBytes = 0;
  manifestBytes = 0;
  telemetryCount = 0;
  readonly #options: LinkProofOptions;
  readonly #outbox: Outbox;
  readonly #sealer: EvidenceSealer;
  /** Payload of all files that has come over the link, and of originals that has been sent, bytes. */
  readonly #carried: () => { readonly files: number; readonly originals: number };

  constructor(
    options: LinkProofOptions,
    parts: {
      outbox: Outbox;
      sealer: EvidenceSealer;
      carried: () => { readonly files: number; readonly originals: number };
    },
  ) {
    this.#options = options;
    this.#outbox = parts.outbox;
    this.#sealer = parts.sealer;
    this.#carried = parts.carried;
  }

  /** Violations of all cameras as a Poisson process, until the stretch or the signal ends. */
  async runViolations(signal: AbortSignal): Promise<void> {
    const { cameras, violationsPerCameraHour, seconds, random } = this.#options;
    const perMs = (cameras * violationsPerCameraHour) / 3_600_000;
    const endAtMs = performance.now() + seconds * 1_000;
    const finishing: Promise<void>[] = [];
    while (!signal.aborted) {
      const waitMs = -Math.log(1 - random()) / perMs;
      if (performance.now() + waitMs > endAtMs) break;
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) finishing.push(this.#violate(`cam-${1 + Math.floor(random() * cameras)}`, signal));
    }
    await sleep(Math.max(0, endAtMs - performance.now()), undefined, { signal }).catch(() => undefined);
    await Promise.all(finishing);
  }

  async runTelemetry(signal: AbortSignal): Promise<void> {
    const { cameras, target } = this.#options;
    for (let turn = 0; !signal.aborted; turn++) {
      const body = buildLinkTelemetry(target, `cam-${1 + (turn % cameras)}`, Date.now());
      this.#outbox.append([{ channel: 'telemetry', body }]);
      this.telemetryBytes += JSON.stringify(body).length;
      this.telemetryCount++;
      await sleep(TELEMETRY_EVERY_MS / cameras, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Fetches originals one after another, spread over the stretch. */
  async runFetches(signal: AbortSignal): Promise<void> {
    const { fetches, seconds } = this.#options;
    for (let turn = 1; turn <= fetches && !signal.aborted; turn++) {
      await sleep((seconds * 1_000) / (fetches + 1), undefined, { signal }).catch(() => undefined);
      await this.#until(() => this.#findFetchable() !== undefined, signal);
      const opened = this.#findFetchable();
      if (opened !== undefined) await this.#fetch(opened, signal);
    }
  }

  /** Notes what has arrived, until the signal. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.look();
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  look(): void {
    const { store } = this.#options.target;
    for (const opened of this.cases) {
      if (this.isDone(opened)) continue;
      const record = store.getEvent(opened.event.eventId);
      if (record === undefined) continue;
      opened.committedAtMs ??= Date.parse(record.ingestedAt);
      for (const { sha256, arrived } of record.evidence?.files ?? [])
        if (arrived && !opened.arrivedAtMs.has(sha256)) opened.arrivedAtMs.set(sha256, Date.now());
    }
  }

  isDone({ committedAtMs, files, arrivedAtMs, original }: OpenCase): boolean {
    if (committedAtMs === undefined) return false;
    return files.every(
      ({ file }) =>
        arrivedAtMs.has(file.sha256) || (isOriginalRole(file.role) && original?.sha256 !== file.sha256),
    );
  }

  #findFetchable(): OpenCase | undefined {
    return this.cases.find((opened) => opened.original === undefined && opened.arrivedAtMs.size > 0);
  }

  async #fetch(opened: OpenCase, signal: AbortSignal): Promise<void> {
    const { target, say } = this.#options;
    const original = opened.files.find(({ file }) => isOriginalRole(file.role));
    if (original === undefined) return;
    const { sha256, sizeBytes } = original.file;
    const asked = { sha256, askedAtMs: Date.now() };
    const sentBefore = this.#carried().originals;
    opened.original = asked;
    const { store, site, node } = target;
    demandOriginal(store, { sha256, eventId: opened.event.eventId, site, node }, asked.askedAtMs);
    await this.#until(() => this.#carried().originals > sentBefore, signal);
    const begun = { atMs: Date.now(), files: this.#carried().files };
    await this.#until(() => opened.arrivedAtMs.has(sha256), signal);
    const arrivedAtMs = opened.arrivedAtMs.get(sha256);
    if (arrivedAtMs === undefined) return;
    const tookMs = arrivedAtMs - asked.askedAtMs;
    const carriedBytes = this.#carried().files - begun.files;
    opened.original = { ...asked, came: { tookMs, travelMs: arrivedAtMs - begun.atMs, carriedBytes } };
    say(`original of ${sizeBytes} bytes fetched in ${tookMs} ms`);
  }

  async #until(check: () => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !check())
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }

  async #violate(camera: string, signal: AbortSignal): Promise<void> {
    const { target, sizes, evidenceDelayMs, dataDir } = this.#options;
    const startedAtMs = Date.now();
    const made = buildLinkCase(target, { camera, capturedAtMs: startedAtMs, sizes });
    this.#outbox.append([{ channel: 'event', body: made.event }]);
    this.cases.push({ ...made, startedAtMs, arrivedAtMs: new Map() });
    await sleep(evidenceDelayMs, undefined, { signal }).catch(() => undefined);
    const uploads = made.files.map(({ file: { role, sha256, sizeBytes }, content }) => {
      const path = join(dataDir, sha256);
      writeFileSync(path, content);
      const kind = isOriginalRole(role) ? ('original' as const) : ('derived' as const);
      return { sha256, path, sizeBytes, role, class: kind, eventId: made.event.eventId, priority: 2 };
    });
    const facts = buildSealedFacts(made.event, { scene: LINK_SCENE, softwareVersion: 'bench' });
    const { outboxId } = this.#outbox;
    const place = { facts, outboxId, head: this.#outbox.mark(CHAIN_MARK) };
    const { manifest, head } = this.#sealer.seal(made.manifest, place);
    this.manifestBytes += JSON.stringify(manifest).length;
    this.#outbox.append([{ channel: 'evidence', body: manifest }], {
      uploads,
      marks: { [CHAIN_MARK]: head },
    });
  }
}

/** Runs the stretch and measures it. @throws what the agent's parts throw */
export async function runLinkProof(options: LinkProofOptions, signal: AbortSignal): Promise<LinkFigures> {
  const { target, link, logger, dataDir, flows, budgetBitsPerSecond } = options;
  mkdirSync(dataDir, { recursive: true });
  const emulator = await openLinkEmulator({
    target: { host: '127.0.0.1', port: target.brokerPort },
    conditions: link,
    ...link,
  });
  const uploadPort = await emulator.openPort({ host: '127.0.0.1', port: target.uploadPort });
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  using outbox = Outbox.open({
    file: join(dataDir, 'outbox.sqlite'),
    maxBytes: 64 * 1024 * 1024,
    origin: target,
    clock: CLOCK,
    logger,
  }).outbox;
  const shared = { site: target.site, node: target.node, logger, clock: CLOCK, random: Math.random };
  const upload = new EvidenceUpload({
    ...{ ...shared, queue: outbox, token: target.uploadToken, retentionDays: 30 },
    url: `http://127.0.0.1:${uploadPort}`,
    budget: {
      flows,
      originalsAt: [],
      ...(budgetBitsPerSecond === undefined ? {} : { bitsPerSecond: budgetBitsPerSecond }),
    },
    locate: (sha256) => join(dataDir, sha256),
  });
  const broker = { url: `mqtt://127.0.0.1:${emulator.port}`, ...target.credentials };
  const { site, node, identityDir } = target;
  const sealer = await EvidenceSealer.open({ dir: identityDir, site, node, logger });
  const carried = () => ({
    files: emulator.statistics().ports.find(({ port }) => port === uploadPort)?.upBytes ?? 0,
    originals: upload.sentBytes.wanted,
  });
  const run = new LinkNodeRun(options, { outbox, sealer, carried });
  const parts = [
    runUplink({ ...shared, outbox, broker, cameras: [], version: 'bench', requests: upload }, both),
    upload.run(both),
    run.watch(both),
    run.runTelemetry(both),
  ].map((part) => part.finally(() => stop.abort()));
  try {
    await Promise.all([run.runViolations(both), run.runFetches(AbortSignal.any([both, deadline(options)]))]);
    const drainUntil = performance.now() + DRAIN_MS;
    while (!both.aborted && performance.now() < drainUntil && !run.cases.every((one) => run.isDone(one)))
      await sleep(LOOK_EVERY_MS);
  } finally {
    stop.abort();
    await Promise.all(parts);
    await emulator.close();
  }
  signal.throwIfAborted();
  return describe(options, run, emulator);
}

function deadline({ seconds }: LinkProofOptions): AbortSignal {
  return AbortSignal.timeout(seconds * 1_000 + DRAIN_MS);
}

function describe(options: LinkProofOptions, run: LinkNodeRun, emulator: LinkEmulator): LinkFigures {
  const { link, flows, cameras, seconds, violationsPerCameraHour, budgetBitsPerSecond } = options;
  const { up } = emulator.statistics();
  const delaysOf = (select: (one: OpenCase) => number | undefined) =>
    describeDelays(
      run.cases.flatMap((one) => {
        const at = select(one);
        return at === undefined ? [] : [at - one.startedAtMs];
      }),
    );
  const lastOf = (one: OpenCase, roles: readonly string[]): number | undefined => {
    const times = one.files
      .filter(({ file }) => roles.includes(file.role))
      .map(({ file }) => one.arrivedAtMs.get(file.sha256));
    return times.includes(undefined) || times.length === 0
      ? undefined
      : Math.max(...times.filter((time) => time !== undefined));
  };
  return {
    ...{ link, flows, cameras, violationsPerCameraHour, seconds, expressFlows: EXPRESS_FLOWS },
    ...(budgetBitsPerSecond === undefined ? {} : { budgetBitsPerSecond }),
    events: delaysOf(({ committedAtMs }) => committedAtMs),
    stills: delaysOf((one) => lastOf(one, ['still-before', 'still-at', 'still-after', 'subject-crop'])),
    previews: delaysOf((one) => lastOf(one, ['preview'])),
    originals: run.cases.flatMap((one) => describeFetch(one, link.bitsPerSecond)),
    undelivered: run.cases.filter((one) => !run.isDone(one)).length,
    classes: describeClasses(options, run),
    wireBytesPerCameraDay: Math.round((up.bytes / seconds / cameras) * DAY_SECONDS),
    lostPackets: up.lostPackets,
    droppedPackets: up.droppedPackets,
    lostShare: up.lostPackets / Math.max(1, up.packets),
  };
}

function describeFetch({ original, files }: OpenCase, bitsPerSecond: number): FetchFigures[] {
  const sizeBytes = files.find(({ file }) => file.sha256 === original?.sha256)?.file.sizeBytes;
  if (original?.came === undefined || sizeBytes === undefined) return [];
  const { tookMs, travelMs, carriedBytes } = original.came;
  const shareOf = (bytes: number): number => (bytes * 8_000) / travelMs / bitsPerSecond;
  return [{ sizeBytes, tookMs, travelMs, ownShare: shareOf(sizeBytes), linkShare: shareOf(carriedBytes) }];
}

/** Payload by class; what an event brings with it is counted at the rate of violations, whatever the stretch happened to hold. */
function describeClasses(
  { cameras, seconds, sizes, violationsPerCameraHour }: LinkProofOptions,
  run: LinkNodeRun,
): ClassFigures[] {
  const perDay = violationsPerCameraHour * 24;
  const mean = (select: (one: OpenCase) => unknown): number => {
    const total = run.cases.reduce((sum, one) => sum + JSON.stringify(select(one)).length, 0);
    return total / Math.max(1, run.cases.length);
  };
  const ofEvent = (name: string, bytes: number): ClassFigures => {
    const bytesEach = Math.round(bytes);
    return {
      class: name,
      bytesEach,
      bytesPerEvent: bytesEach,
      bytesPerCameraDay: Math.round(bytes * perDay),
    };
  };
  const telemetryPerDay = (run.telemetryBytes / Math.max(1, seconds) / cameras) * DAY_SECONDS;
  return [
    ofEvent(
      'event',
      mean(({ event }) => event),
    ),
    ofEvent('manifest', run.manifestBytes / Math.max(1, run.cases.length)),
    {
      class: 'telemetry',
      bytesEach: Math.round(run.telemetryBytes / Math.max(1, run.telemetryCount)),
      bytesPerCameraDay: Math.round(telemetryPerDay),
    },
    ...Object.entries(sizes).map(([role, size]) => ofEvent(role, size)),
  ];
}
