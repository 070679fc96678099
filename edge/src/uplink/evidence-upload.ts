import { setMaxListeners } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { type ErrorCode, type EvidenceGone, NgatuError, type UploadBudget } from '@ngatu/contract';
import type { Logger } from 'pino';
import { pause } from './backoff.ts';
import { type BudgetClass, LinkBudget } from './link-budget.ts';
import { isIdentityFailure, openTlsIdentity } from './tls-identity.ts';
import { UploadExchange, type UploadFailure } from './upload-exchange.ts';
import { type PartState, UploadFile } from './upload-file.ts';
import { classifyUpload, compareUploads, isWithinWindows, type OrderedUpload } from './upload-order.ts';
import { type AskedFile, explainAbsence, UploadRequests } from './upload-request.ts';
import { UploadRetries } from './upload-retry.ts';

export interface UploadEntry extends OrderedUpload {
  readonly sha256: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** The manifest that named it was refused: what the centre does not know now it will never know. */
  readonly isDoubtful: 0 | 1;
}

/** What the upload needs of the outbox. */
export interface UploadQueue {
  listUploads(limit: number): UploadEntry[];
  wantUpload(sha256: string, atMs: number, priority?: number): boolean;
  holdsUpload(sha256: string): boolean;
  removeUpload(sha256: string): void;
  refuseUpload(sha256: string, code: ErrorCode, reason: string): void;
  append(messages: readonly [], extras: { readonly uploads: readonly WantedUpload[] }): unknown;
  onAppend(listener: () => void): () => void;
}

interface WantedUpload {
  readonly sha256: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly class: 'original';
  readonly priority: number;
  readonly wantedAtMs: number;
  readonly eventId: string;
}

export interface EvidenceUploadOptions {
  readonly queue: UploadQueue;
  readonly site: string;
  readonly node: string;
  /** Address of the ingestor, `http(s)://host:port`, below which `buildEvidencePath` lies. */
  readonly url: string;
  readonly token?: string;
  /** Folder of the identity that is shown to an `https://` address. */
  readonly identityDir?: string;
  readonly budget: UploadBudget;
  /** Where a file of this digest lies, or would lie. */
  readonly locate: (sha256: string) => string;
  readonly retentionDays: number;
  readonly logger: Logger;
  /** Wall clock, ms since 1970, and a clock that never steps back, ms. */
  readonly clock: { nowMs(): number; monotonicMs(): number };
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** No byte moved for this long ends an exchange, ms. */
  readonly idleTimeoutMs?: number;
}

/** Looked at in one round; the rest wait their turn on disk. */
const LISTED = 1_000;
/** A new look at least this often, ms: also without a new file, one may have become due. */
const LOOK_EVERY_MS = 1_000;
const IDLE_TIMEOUT_MS = 30_000;
/** Flows beside those of the profile that carry pictures only: they do not wait until an original gives way. */
const EXPRESS_FLOWS = 2;
/** A flow below this rate is too slow to be worth another connection, bit/s. */
const FLOW_MIN_BITS_PER_SECOND = 32_000;
/** Answers that wait to be sent; the centre asks again for what is not answered. */
const GONE_MAX = 1_000;

type Task =
  | { readonly kind: 'inspect'; readonly entry: UploadEntry }
  | {
      readonly kind: 'send';
      readonly entry: UploadEntry;
      readonly file: UploadFile;
      readonly part: PartState;
    }
  | { readonly kind: 'find'; readonly asked: AskedFile }
  | { readonly kind: 'gone'; readonly sha256: string; readonly gone: EvidenceGone };

/**
 * Sends evidence files to the centre: for a moment the original that somebody has just asked for, then pictures, then originals that
 * were asked for before, then, in the windows of the profile and when nothing else waits, the other originals; by several flows, within the budget of the link. An upload leaves the queue only
 * when the centre has answered that it holds the verified file; one that can never succeed is set aside with its reason.
 */
export class EvidenceUpload {
  readonly #options: EvidenceUploadOptions;
  readonly #budget: LinkBudget;
  readonly #requests: UploadRequests;
  readonly #retries: UploadRetries;
  readonly #files = new Map<string, UploadFile>();
  readonly #inspecting = new Set<string>();
  readonly #gone = new Map<string, EvidenceGone>();
  #exchange: UploadExchange | undefined;
  #listing: UploadEntry[] | undefined;
  #busy = 0;
  #woken = new AbortController();

  constructor(options: EvidenceUploadOptions) {
    const { queue, clock, logger, budget } = options;
    this.#options = options;
    this.#budget = new LinkBudget({
      clock,
      ...(budget.bitsPerSecond === undefined ? {} : { bitsPerSecond: budget.bitsPerSecond }),
    });
    this.#retries = new UploadRetries(options.random);
    this.#requests = new UploadRequests({
      want: (sha256, atMs, priority) => queue.wantUpload(sha256, atMs, priority),
      onAsked: () => this.#wake(),
      clock,
      logger,
    });
  }

  /** Payload bytes sent so far, by class. */
  get sentBytes(): Readonly<Record<BudgetClass, number>> {
    return this.#budget.sent;
  }

  /** Takes the payload of the `request` channel. */
  take(payload: Uint8Array): void {
    this.#requests.take(payload);
  }

  /** Runs until `signal` aborts. @throws NgatuError of the outbox */
  async run(signal: AbortSignal): Promise<void> {
    const { queue, url, token, idleTimeoutMs = IDLE_TIMEOUT_MS } = this.#options;
    const flows = this.#countFlows();
    const openAgent = (): Agent => openUploadAgent(this.#options, flows + EXPRESS_FLOWS);
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    // Each flow listens with its wait for the budget, its request and its stream.
    setMaxListeners(8 * (flows + EXPRESS_FLOWS), both);
    this.#exchange = new UploadExchange({ url, token, idleTimeoutMs, budget: this.#budget, openAgent });
    const stopListening = queue.onAppend(() => this.#wake());
    try {
      const express = Array.from({ length: EXPRESS_FLOWS }, () => this.#runFlow(true, both));
      const all = Array.from({ length: flows }, () => this.#runFlow(false, both));
      await Promise.all([...express, ...all].map((flow) => flow.finally(() => stop.abort())));
    } finally {
      stopListening();
      this.#exchange.close();
    }
  }

  #countFlows(): number {
    const { flows, bitsPerSecond } = this.#options.budget;
    if (bitsPerSecond === undefined) return flows;
    return Math.min(flows, Math.max(1, Math.floor(bitsPerSecond / FLOW_MIN_BITS_PER_SECOND)));
  }

  async #runFlow(isExpress: boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const task = this.#nextTask(isExpress);
      if (task === undefined) {
        await this.#waitForWork(signal);
        continue;
      }
      this.#busy++;
      try {
        await this.#perform(task, signal);
      } finally {
        this.#busy--;
      }
    }
  }

  #nextTask(isExpress: boolean): Task | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    if (!this.#retries.isCentreDue(nowMs)) return undefined;
    const asked = this.#requests.next();
    if (asked !== undefined) return { kind: 'find', asked };
    for (const [sha256, gone] of this.#gone) {
      this.#gone.delete(sha256);
      return { kind: 'gone', sha256, gone };
    }
    const isIdleOpen = !isExpress && this.#isIdleOpen();
    for (const entry of this.#list()) {
      const turn = classifyUpload(entry, this.#options.clock.nowMs());
      if (isExpress && turn === 'awaited') continue;
      if (turn === 'idle' ? !isIdleOpen : isExpress && turn !== 'derived') break;
      const task = this.#retries.isFileDue(entry.sha256, nowMs) ? this.#taskOf(entry) : undefined;
      if (task !== undefined) return task;
    }
    return undefined;
  }

  #taskOf(entry: UploadEntry): Task | undefined {
    const file = this.#files.get(entry.sha256);
    if (file === undefined) {
      if (this.#inspecting.has(entry.sha256)) return undefined;
      this.#inspecting.add(entry.sha256);
      return { kind: 'inspect', entry };
    }
    const part = file.nextPart();
    if (part === undefined) return undefined;
    part.busy = true;
    return { kind: 'send', entry, file, part };
  }

  #list(): readonly UploadEntry[] {
    const { queue, clock } = this.#options;
    const nowMs = clock.nowMs();
    this.#listing ??= queue.listUploads(LISTED).sort((left, right) => compareUploads(left, right, nowMs));
    return this.#listing;
  }

  #isIdleOpen(): boolean {
    const now = new Date(this.#options.clock.nowMs());
    return isWithinWindows(this.#options.budget.originalsAt, now.getHours() * 60 + now.getMinutes());
  }

  async #perform(task: Task, signal: AbortSignal): Promise<void> {
    switch (task.kind) {
      case 'inspect':
        await this.#inspect(task.entry, signal);
        this.#inspecting.delete(task.entry.sha256);
        return this.#wake();
      case 'send':
        await this.#sendPart(task, signal);
        return;
      case 'find':
        return this.#find(task.asked);
      case 'gone': {
        const failure = await this.#exchange?.reportGone(task.sha256, task.gone, signal);
        if (failure?.outcome !== 'unavailable') return;
        if (!this.#gone.has(task.sha256)) this.#gone.set(task.sha256, task.gone);
        this.#noteUnavailable(failure, signal);
      }
    }
  }

  async #inspect(entry: UploadEntry, signal: AbortSignal): Promise<void> {
    const { sha256, path, sizeBytes } = entry;
    const size = await readSize(path);
    if (size !== sizeBytes) {
      const found = size === undefined ? 'not there' : `${size} bytes`;
      const reason = `Cannot upload evidence "${path}": ${found}, expected ${sizeBytes} bytes`;
      this.#refuse(sha256, { outcome: 'refused', code: 'FILE_UNREADABLE', reason }, 'lost');
      return;
    }
    const result = await this.#exchange?.inspect(sha256, signal);
    if (result === undefined || signal.aborted) return;
    if (result.outcome === 'arrived') this.#finish(sha256);
    else if (result.outcome === 'absent') {
      this.#retries.noteSuccess();
      this.#files.set(sha256, new UploadFile(entry, result.parts));
    } else this.#fail(entry, result, signal);
  }

  async #sendPart(
    { entry, file, part }: Extract<Task, { kind: 'send' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const turn = classifyUpload(entry, this.#options.clock.nowMs());
    const result = await this.#exchange?.sendPart(part, { path: entry.path, turn }, signal);
    part.busy = false;
    if (result === undefined || signal.aborted) return;
    if (result.outcome !== 'sent') {
      if (result.outcome !== 'unavailable') file.isStale = true;
      this.#fail(entry, result, signal);
      return this.#settleFile(entry.sha256, file);
    }
    if (result.isFileStored) {
      this.#finish(entry.sha256);
      return;
    }
    this.#retries.noteSuccess();
    this.#settleFile(entry.sha256, file);
  }

  /** Asked anew what the centre has: all was sent, or something was not as it was thought. */
  #settleFile(sha256: string, file: UploadFile): void {
    if (file.isIdle && (file.isStale || file.isComplete)) this.#files.delete(sha256);
    this.#wake();
  }

  /** Looks for a file that was asked for and does not wait. */
  async #find(asked: AskedFile): Promise<void> {
    const { sha256, eventId, priority, capturedAt } = asked;
    const { queue, clock, locate, retentionDays } = this.#options;
    if (asked.erase === true) return this.#erase(sha256);
    if (queue.holdsUpload(sha256)) {
      // Asked for while it waited, or refused by the centre before.
      if (!queue.wantUpload(sha256, clock.nowMs(), priority)) this.#noteGone(sha256, 'refused');
      return;
    }
    const path = locate(sha256);
    const sizeBytes = await readSize(path);
    if (sizeBytes === undefined || sizeBytes === 0) {
      this.#noteGone(sha256, explainAbsence(capturedAt, { retentionDays, nowMs: clock.nowMs() }));
      return;
    }
    const wanted = { class: 'original', priority, wantedAtMs: clock.nowMs(), eventId } as const;
    queue.append([], { uploads: [{ sha256, path, sizeBytes, ...wanted }] });
  }

  /** Its case was deleted at the centre: the copy goes, and nothing of it is sent any more. */
  async #erase(sha256: string): Promise<void> {
    const { queue, locate } = this.#options;
    await rm(locate(sha256), { force: true });
    queue.removeUpload(sha256);
    this.#forget(sha256);
    this.#noteGone(sha256, 'erased');
  }

  #fail({ sha256, isDoubtful }: UploadEntry, failure: UploadFailure, signal: AbortSignal): void {
    const { logger, clock } = this.#options;
    const { outcome, code, reason } = failure;
    if (outcome === 'unavailable') this.#noteUnavailable(failure, signal);
    else if (outcome === 'refused' || (isDoubtful === 1 && code === 'EVIDENCE_UNKNOWN'))
      this.#refuse(sha256, failure, 'refused');
    else {
      logger.debug({ sha256, code }, reason);
      const mayTryAgain = this.#retries.noteFile(sha256, code, clock.monotonicMs());
      if (!mayTryAgain) this.#refuse(sha256, failure, 'damaged');
    }
  }

  #noteUnavailable({ code, reason }: UploadFailure, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#options.logger.debug({ code }, reason);
    this.#retries.noteUnavailable(this.#options.clock.monotonicMs());
    // Others may still be getting through; what waits begins with new connections.
    if (this.#busy <= 1) this.#exchange?.renew();
  }

  #refuse(sha256: string, { code, reason }: UploadFailure, why: EvidenceGone['reason']): void {
    this.#options.logger.error({ sha256, code }, reason);
    this.#options.queue.refuseUpload(sha256, code, reason);
    this.#noteGone(sha256, why);
    this.#forget(sha256);
  }

  #finish(sha256: string): void {
    this.#retries.noteSuccess();
    this.#options.queue.removeUpload(sha256);
    this.#forget(sha256);
  }

  #forget(sha256: string): void {
    this.#retries.forget(sha256);
    this.#files.delete(sha256);
    this.#wake();
  }

  #noteGone(sha256: string, reason: EvidenceGone['reason']): void {
    const { site, node } = this.#options;
    if (this.#gone.size < GONE_MAX) this.#gone.set(sha256, { schemaVersion: 1, site, node, reason });
    this.#wake();
  }

  #wake(): void {
    this.#listing = undefined;
    this.#woken.abort();
    this.#woken = new AbortController();
  }

  async #waitForWork(signal: AbortSignal): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const dueMs = this.#retries.nextDueMs(nowMs) ?? Number.POSITIVE_INFINITY;
    const waitMs = Math.max(10, Math.min(LOOK_EVERY_MS, dueMs - nowMs));
    const woken = this.#woken.signal;
    await pause(waitMs, AbortSignal.any([signal, woken]));
    // What changes without a word (a window that opens) is seen by a new look.
    if (!woken.aborted) this.#listing = undefined;
  }
}

async function readSize(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.size,
    () => undefined,
  );
}

/** Connections stay open between parts: a new one begins slowly. */
function openUploadAgent({ url, identityDir, logger }: EvidenceUploadOptions, flows: number): Agent {
  const options = { keepAlive: true, maxSockets: flows, maxFreeSockets: flows };
  if (!url.startsWith('https:')) return new Agent(options);
  if (identityDir === undefined) return new TlsAgent(options);
  try {
    return new TlsAgent({ ...options, ...openTlsIdentity(identityDir).credentials });
  } catch (error) {
    if (!(error instanceof NgatuError) || !isIdentityFailure(error)) throw error;
    // The centre will refuse it, and the next agent reads the folder again.
    logger.error({ code: error.code }, error.message);
    return new TlsAgent(options);
  }
}
