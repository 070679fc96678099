import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { RingSegment } from './recording.ts';
import {
  appendToList,
  makeSessionFolder,
  probeSegment,
  readSessionFolder,
  type SessionAnchor,
  type StoredSegment,
  writeAnchor,
} from './session-folder.ts';

export interface SegmentRingOptions {
  /** Folder of this camera's ring: one folder a session in it. */
  readonly dir: string;
  /** How much of the stream is kept, ms: the sum over all sessions, not a time of the clock. */
  readonly maxDurationMs: number;
  /** Never more than this on disk, not even for holds, bytes. */
  readonly maxBytes: number;
  /** A segment is closed at the first keyframe past this length, ms. */
  readonly segmentMs: number;
  readonly log: Logger;
}

interface RingSession {
  readonly name: string;
  readonly dir: string;
  anchor?: SessionAnchor;
  isOpen: boolean;
  /** Rising by time. */
  segments: StoredSegment[];
}

/** A time on the media clock of a session, ms. */
interface SessionTime {
  readonly session: string;
  readonly mediaTimeMs: number;
}

/** A stretch of a session's media time, ms. */
interface SessionRange {
  readonly session: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const QUARANTINE = 'quarantine';
const QUARANTINE_MAX_FILES = 16;

/**
 * Index of the compressed segments of one camera. What a killed agent left is found again at `open`; a file that is no
 * video goes to `quarantine/` and is counted. The oldest segments leave first; session names sort by time.
 */
export class SegmentRing {
  /** Files that were found in the ring and are no video. */
  quarantined = 0;
  readonly #options: SegmentRingOptions;
  readonly #sessions = new Map<string, RingSession>();
  readonly #holds = new Set<SessionRange>();
  readonly #waiting = new Set<() => void>();
  /** Work on the disk, one thing after the other. */
  #work: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  private constructor(options: SegmentRingOptions) {
    this.#options = options;
  }

  /** @throws Error of the file system where the folder cannot be made or read */
  static async open(options: SegmentRingOptions): Promise<SegmentRing> {
    const ring = new SegmentRing(options);
    await mkdir(options.dir, { recursive: true });
    const entries = await readdir(options.dir, { withFileTypes: true });
    const names = entries
      .filter((entry) => entry.isDirectory() && entry.name !== QUARANTINE)
      .map(({ name }) => name);
    for (const name of names.sort()) await ring.#loadSession(name);
    await ring.#prune();
    return ring;
  }

  get sizeBytes(): number {
    return this.#listSegments().reduce((sum, { segment }) => sum + segment.sizeBytes, 0);
  }

  get durationMs(): number {
    return this.#listSegments().reduce((sum, { segment }) => sum + segment.endMs - segment.startMs, 0);
  }

  async openSession(session: string): Promise<{ readonly dir: string; readonly segmentMs: number }> {
    const dir = join(this.#options.dir, session);
    await makeSessionFolder(dir);
    this.#sessions.set(session, { name: session, dir, isOpen: true, segments: [] });
    return { dir, segmentMs: this.#options.segmentMs };
  }

  anchorSession(session: string, anchor: SessionAnchor): void {
    const found = this.#require(session);
    found.anchor = anchor;
    this.#queue('write the anchor', () => writeAnchor(found.dir, anchor));
  }

  addSegment(session: string, segment: { name: string; startMs: number; endMs: number }): void {
    const found = this.#require(session);
    this.#queue('note a segment', async () => {
      await this.#admit(found, segment);
      await appendToList(found.dir, segment);
      await this.#prune();
    });
  }

  /** Also takes in the last segment where ffmpeg could not finish it. An empty session leaves nothing behind. */
  closeSession(session: string): void {
    const found = this.#require(session);
    this.#queue('close a session', async () => {
      try {
        await this.#takeUnlisted(found, (await readSessionFolder(found.dir)).unlisted);
      } finally {
        found.isOpen = false;
        this.#wake();
      }
      await this.#prune();
    });
  }

  /** Keeps the segments of this range from being pruned by age until it is released; the limit of bytes still holds. */
  hold(range: SessionRange): () => void {
    const hold = { ...range };
    this.#holds.add(hold);
    return () => {
      this.#holds.delete(hold);
    };
  }

  /**
   * Waits until everything that is presented by `mediaTimeMs` is in closed segments.
   * @returns false where the session ended before
   */
  async waitUntilCovered({ session, mediaTimeMs }: SessionTime, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      const found = this.#sessions.get(session);
      if (found !== undefined && (found.segments.at(-1)?.endMs ?? Number.NEGATIVE_INFINITY) >= mediaTimeMs)
        return true;
      if (found === undefined || !found.isOpen) return false;
      await this.#nextChange(signal);
    }
  }

  /**
   * The segments that hold [fromMs, toMs] of a session's media time, from the one with the last keyframe at or before
   * `fromMs`. Where the session began later or ended earlier, those that there are.
   * @throws NgatuError CLIP_UNAVAILABLE; retryable where the last segment is not closed yet
   */
  find(range: SessionRange): RingSegment[] {
    const found = this.#sessions.get(range.session);
    if (found?.isOpen === true && (found.segments.at(-1)?.endMs ?? Number.NEGATIVE_INFINITY) < range.toMs) {
      const why = 'the segment is not closed yet';
      throw new NgatuError('CLIP_UNAVAILABLE', `${describeRange(range)}: ${why}`, { retryable: true });
    }
    return this.findClosed(range);
  }

  /**
   * As `find`, without regard to what the session may still bring.
   * @throws NgatuError CLIP_UNAVAILABLE where no closed segment holds any of it
   */
  findClosed(range: SessionRange): RingSegment[] {
    const segments = this.#sessions.get(range.session)?.segments ?? [];
    const begin = Math.max(
      0,
      segments.findLastIndex(({ startMs }) => startMs <= range.fromMs),
    );
    const wanted = segments
      .slice(begin)
      .filter(({ startMs, endMs }) => startMs <= range.toMs && endMs >= range.fromMs);
    if (wanted.length > 0) return wanted;
    throw new NgatuError('CLIP_UNAVAILABLE', `${describeRange(range)}: the ring does not hold it`);
  }

  /** The session that was streaming at an instant of the node's clock (ms since 1970), and its media time then. */
  locate(epochMs: number): SessionTime | undefined {
    for (const { name, anchor, segments } of this.#sessions.values()) {
      if (anchor === undefined) continue;
      const mediaTimeMs = epochMs - anchor.anchorMs;
      const [first, last] = [segments[0], segments.at(-1)];
      if (first === undefined || last === undefined) continue;
      if (mediaTimeMs >= first.startMs && mediaTimeMs <= last.endMs) return { session: name, mediaTimeMs };
    }
    return undefined;
  }

  /** Waits for the work on the disk and ends all waiting. */
  async close(): Promise<void> {
    await this.#work;
    this.#closing.abort();
    this.#wake();
  }

  async #loadSession(name: string): Promise<void> {
    const dir = join(this.#options.dir, name);
    const { anchor, segments, unlisted } = await readSessionFolder(dir);
    const session: RingSession = {
      name,
      dir,
      isOpen: false,
      segments: [...segments],
      ...(anchor && { anchor }),
    };
    this.#sessions.set(name, session);
    await this.#takeUnlisted(session, unlisted);
  }

  async #takeUnlisted(session: RingSession, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const path = join(session.dir, name);
      const times = await probeSegment(path, this.#closing.signal);
      if (times === undefined) {
        await this.#quarantine(session, name);
        continue;
      }
      await this.#admit(session, { name, ...times });
      await appendToList(session.dir, { name, ...times });
    }
  }

  async #admit(
    session: RingSession,
    segment: { name: string; startMs: number; endMs: number },
  ): Promise<void> {
    const path = join(session.dir, segment.name);
    const { size } = await stat(path);
    session.segments.push({ ...segment, path, sizeBytes: size });
    session.segments.sort((a, b) => a.startMs - b.startMs);
    this.#wake();
  }

  /** An empty file is what a killed ffmpeg leaves of a segment it had only opened: that is nothing to look at. */
  async #quarantine(session: RingSession, name: string): Promise<void> {
    const path = join(session.dir, name);
    if ((await stat(path)).size === 0) return rm(path);
    this.quarantined++;
    const folder = join(this.#options.dir, QUARANTINE);
    await mkdir(folder, { recursive: true });
    await rename(path, join(folder, `${session.name}-${name}`));
    const kept = (await readdir(folder)).sort();
    for (const old of kept.slice(0, -QUARANTINE_MAX_FILES)) await rm(join(folder, old), { force: true });
    this.#options.log.warn({ session: session.name, file: name }, 'segment is no video; moved to quarantine');
  }

  #listSegments(): { session: RingSession; segment: StoredSegment }[] {
    const sessions = [...this.#sessions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return sessions.flatMap((session) => session.segments.map((segment) => ({ session, segment })));
  }

  async #prune(): Promise<void> {
    let { sizeBytes, durationMs } = this;
    for (const { session, segment } of this.#listSegments()) {
      const tooLarge = sizeBytes > this.#options.maxBytes;
      if (!tooLarge && durationMs <= this.#options.maxDurationMs) break;
      if (!tooLarge && this.#isHeld(session.name, segment)) continue;
      session.segments = session.segments.filter((kept) => kept !== segment);
      sizeBytes -= segment.sizeBytes;
      durationMs -= segment.endMs - segment.startMs;
      await rm(segment.path, { force: true });
    }
    for (const session of this.#sessions.values()) {
      if (session.isOpen || session.segments.length > 0) continue;
      this.#sessions.delete(session.name);
      await rm(session.dir, { recursive: true, force: true });
    }
  }

  #isHeld(session: string, segment: StoredSegment): boolean {
    for (const hold of this.#holds) {
      if (hold.session === session && segment.endMs >= hold.fromMs && segment.startMs <= hold.toMs)
        return true;
    }
    return false;
  }

  #require(session: string): RingSession {
    const found = this.#sessions.get(session);
    if (found === undefined) throw new Error(`session "${session}" was not opened in the ring`);
    return found;
  }

  /** Failures of the disk cost this one step; they are logged, and what was not noted is found at the next `open`. */
  #queue(what: string, step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: unknown) => {
      this.#options.log.error({ err: error }, `ring: cannot ${what}`);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #nextChange(signal: AbortSignal): Promise<void> {
    if (this.#closing.signal.aborted)
      throw new NgatuError('CLIP_UNAVAILABLE', 'Cannot wait for the ring: it is closed', { retryable: true });
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function describeRange({ session, fromMs, toMs }: SessionRange): string {
  return `Cannot cut ${fromMs}–${toMs} ms of session "${session}"`;
}
