import type { Event, NodeState } from '@ngatu/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  aManifest,
  anEvent,
  anEventId,
  aTelemetry,
  aTime,
  NODE,
  SITE,
  sha256Of,
} from '../../../tests/delivery/message-builder.ts';
import type { CommitItem, EventStore, Review } from './event-store.ts';

const OUTBOX = '11111111-1111-4111-8111-111111111111';
const NOW = aTime(3_600_000);

function item(seq: number, message: CommitItem['message'], origin: Partial<CommitItem> = {}): CommitItem {
  return { site: SITE, node: NODE, outboxId: OUTBOX, seq, message, ...origin };
}

function eventItem(seq: number, key = seq, change: Partial<Event> = {}): CommitItem {
  return item(seq, { channel: 'event', body: anEvent(key, change) });
}

function aState(change: Partial<NodeState> = {}): NodeState {
  return {
    schemaVersion: 1,
    state: 'online',
    bootId: 'boot-1',
    at: NOW,
    version: '0.1.0',
    cameras: ['cam-1'],
    ...change,
  };
}

const review: Review = { decision: 'confirmed', reason: 'clear', reviewer: 'lan', decidedAt: NOW };

/** What every event store does. `open` gives a store on the same data each time; `reset` forgets the data. */
export function describeEventStore(
  name: string,
  backend: { open: () => EventStore; reset: () => void },
): void {
  describe(`event store contract: ${name}`, () => {
    let store: EventStore;
    beforeEach(() => {
      backend.reset();
      store = backend.open();
    });
    afterEach(() => store[Symbol.dispose]());
    const outcomes = (...items: CommitItem[]) => store.commit(items, NOW).map(({ outcome }) => outcome);
    const readNode = () => {
      store.setNodeState(SITE, NODE, aState());
      const { committedThrough, missing } = store.listNodes()[0] ?? {};
      return { committedThrough, missing };
    };

    describe('numbers', () => {
      it('are committed once, in any order, and stay so after reopening', () => {
        expect(outcomes(eventItem(2), eventItem(1), eventItem(2))).toEqual([
          'committed',
          'committed',
          'duplicate',
        ]);
        store[Symbol.dispose]();
        store = backend.open();
        expect(outcomes(eventItem(1), eventItem(3))).toEqual(['duplicate', 'committed']);
        expect(store.listEvents({ limit: 10 }).items).toHaveLength(3);
        expect(readNode()).toEqual({ committedThrough: 3, missing: [] });
      });

      it('that are missing are named until they come', () => {
        outcomes(eventItem(1), eventItem(4), eventItem(6), eventItem(7));
        expect(readNode()).toEqual({ committedThrough: 1, missing: [2, 3, 5] });
        outcomes(eventItem(5), eventItem(2));
        expect(readNode()).toEqual({ committedThrough: 2, missing: [3] });
        outcomes(eventItem(3));
        expect(readNode()).toEqual({ committedThrough: 7, missing: [] });
      });

      it('that a drop record explains are settled, but only below its own', () => {
        const dropped = (from: string, to: string) => ({
          at: NOW,
          metric: 'outboxDropped',
          value: 1,
          tags: { fromSeq: from, toSeq: to },
        });
        const body = aTelemetry(1, {
          measurements: [dropped('2', '5'), dropped('8', '90'), dropped('x', '3')],
        });
        outcomes(eventItem(1), item(7, { channel: 'telemetry', body }));
        expect(readNode()).toEqual({ committedThrough: 5, missing: [6] });
      });

      it('of an outbox cannot be settled by another node', () => {
        outcomes(eventItem(1));
        const foreign = item(
          2,
          { channel: 'telemetry', body: aTelemetry(2, { node: 'gw-2' }) },
          { node: 'gw-2' },
        );
        expect(store.commit([foreign], NOW)).toMatchObject([{ outcome: 'rejected', code: 'TOPIC_INVALID' }]);
        const letter = {
          topic: 't',
          code: 'TOPIC_INVALID' as const,
          reason: 'r',
          payload: new Uint8Array(),
          receivedAt: NOW,
        };
        store.appendDeadLetters([{ ...letter, settles: foreign }]);
        expect(outcomes(eventItem(2))).toEqual(['committed']);
      });

      it('begin anew with a new outbox', () => {
        outcomes(eventItem(1), eventItem(2));
        const next = item(
          1,
          { channel: 'telemetry', body: aTelemetry(9) },
          { outboxId: OUTBOX.replace(/^1/, '2') },
        );
        expect(outcomes(next)).toEqual(['committed']);
        expect(readNode()).toEqual({ committedThrough: 1, missing: [] });
      });
    });

    describe('events', () => {
      it('of the same content under another number are one event', () => {
        expect(outcomes(eventItem(1, 7), eventItem(2, 7, { detectedAt: aTime(99_000) }))).toEqual([
          'committed',
          'committed',
        ]);
        expect(store.listEvents({ limit: 10 }).items).toHaveLength(1);
      });

      it('of another content are refused, and the refusal is remembered with its dead letter', () => {
        outcomes(eventItem(1, 7));
        const conflicting = eventItem(2, 7, { kind: 'STOP_LINE' });
        const [outcome] = store.commit([conflicting], NOW);
        expect(outcome).toMatchObject({ outcome: 'rejected', code: 'EVENT_CONFLICT' });
        if (outcome?.outcome !== 'rejected') throw new Error('not refused');
        const letter = {
          topic: 't',
          ...outcome,
          payload: new Uint8Array([1]),
          receivedAt: NOW,
          settles: conflicting,
        };
        store.appendDeadLetters([letter, letter]);
        expect(store.countDeadLetters()).toBe(1);
        expect(store.commit([conflicting], NOW)).toEqual([outcome]);
        expect(readNode()).toEqual({ committedThrough: 2, missing: [] });
        expect(store.getEvent(anEventId(7))?.event.kind).toBe('RED_LIGHT');
      });

      it('come back whole, and unknown ones do not', () => {
        outcomes(eventItem(1));
        expect(store.getEvent(anEventId(1))).toEqual({ event: anEvent(1), ingestedAt: NOW, reviews: [] });
        expect(store.getEvent(anEventId(2))).toBeUndefined();
      });

      it('are listed newest first in pages that neither lose nor repeat one, also of equal times', () => {
        const keys = Array.from({ length: 23 }, (_, index) => index + 1);
        outcomes(
          ...keys.map((key) => eventItem(key, key, { capturedAt: aTime(Math.floor(key / 4) * 1_000) })),
        );
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = store.listEvents({ limit: 5, ...(cursor === undefined ? {} : { cursor }) });
          seen.push(...page.items.map(({ capturedAt, eventId }) => `${capturedAt} ${eventId}`));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen).toHaveLength(23);
        expect(seen).toEqual([...new Set(seen)].sort().reverse());
      });

      it('are filtered by kind, camera, time and review', () => {
        outcomes(eventItem(1), eventItem(2, 2, { kind: 'WRONG_WAY' }), eventItem(3, 3, { camera: 'cam-2' }));
        store.appendReview(anEventId(3), review, 0);
        const ids = (filter: object) =>
          store.listEvents({ limit: 9, ...filter }).items.map(({ eventId }) => eventId);
        expect(ids({ kinds: ['WRONG_WAY'] })).toEqual([anEventId(2)]);
        expect(ids({ cameras: ['cam-2'] })).toEqual([anEventId(3)]);
        expect(ids({ review: 'confirmed' })).toEqual([anEventId(3)]);
        expect(ids({ review: 'open', from: aTime(1_000), to: aTime(2_000) })).toEqual([anEventId(1)]);
        expect(ids({ kinds: [] })).toEqual([]);
        expect(() => store.listEvents({ limit: 9, cursor: '%%%' })).toThrow(
          expect.objectContaining({ code: 'REQUEST_INVALID' }),
        );
      });
    });

    describe('reviews', () => {
      it('are appended, and a reviewer who did not see the last one is told', () => {
        outcomes(eventItem(1));
        const id = anEventId(1);
        expect(store.appendReview(id, review, 0)).toBe('appended');
        expect(store.appendReview(id, { ...review, reviewer: 'minh' }, 0)).toBe('conflict');
        expect(store.appendReview(id, { ...review, decision: 'rejected' }, 1)).toBe('appended');
        expect(store.appendReview(anEventId(2), review, 0)).toBe('unknown-event');
        expect(store.getEvent(id)?.reviews.map(({ decision }) => decision)).toEqual([
          'confirmed',
          'rejected',
        ]);
        expect(store.listEvents({ limit: 1 }).items[0]?.review).toBe('rejected');
      });
    });

    describe('evidence', () => {
      const still = Buffer.from('still');
      const digest = sha256Of(still);
      const manifestItem = (seq: number, change = {}) =>
        item(seq, { channel: 'evidence', body: aManifest(1, still, change) });

      it('is announced by its manifest, also before its event, and arrives once', () => {
        expect(store.isEvidenceAnnounced(digest)).toBe(false);
        expect(outcomes(manifestItem(1))).toEqual(['committed']);
        expect(store.isEvidenceAnnounced(digest)).toBe(true);
        const { site, node } = aManifest(1, still);
        expect(store.isEvidenceAnnounced(digest, { site, node })).toBe(true);
        expect(store.isEvidenceAnnounced(digest, { site, node: `${node}-x` })).toBe(false);
        outcomes(eventItem(2, 1));
        expect(store.getEvent(anEventId(1))?.evidence?.files[0]?.arrived).toBe(false);
        expect(store.listEvents({ limit: 1 }).items[0]).not.toHaveProperty('stillSha256');
        const before = store.latestChange();
        store.markEvidenceArrived(digest, NOW);
        store.markEvidenceArrived(digest, NOW);
        expect(store.latestChange()).toBe(before + 1);
        expect(store.listEvents({ limit: 1 }).items[0]?.stillSha256).toBe(digest);
        const evidence = store.getEvent(anEventId(1))?.evidence;
        expect(evidence?.files[0]).toMatchObject({ arrived: true, role: 'still-at' });
        expect(evidence?.missing).toEqual(aManifest(1, still).missing);
        expect(store.findEvidence(digest)).toEqual({
          eventId: anEventId(1),
          file: aManifest(1, still).files[0],
        });
        expect(store.findEvidence('0'.repeat(64))).toBeUndefined();
      });

      it('of the same content is taken again, of another content refused', () => {
        outcomes(manifestItem(1));
        expect(outcomes(manifestItem(2, { createdAt: NOW }))).toEqual(['committed']);
        expect(store.commit([manifestItem(3, { files: [] })], NOW)).toMatchObject([
          { code: 'EVENT_CONFLICT' },
        ]);
      });
    });

    describe('changes', () => {
      it('are told once each, oldest first, from any point', () => {
        outcomes(eventItem(1), eventItem(2));
        const first = store.listChanges(0, 10);
        expect(first.map(({ event }) => event.eventId)).toEqual([anEventId(1), anEventId(2)]);
        const seen = first.at(-1)?.change ?? 0;
        expect(store.listChanges(seen, 10)).toEqual([]);
        store.appendReview(anEventId(1), review, 0);
        expect(store.listChanges(seen, 10).map(({ event }) => [event.eventId, event.review])).toEqual([
          [anEventId(1), 'confirmed'],
        ]);
        expect(store.latestChange()).toBeGreaterThan(seen);
        expect(store.listChanges(0, 1)).toHaveLength(1);
      });
    });

    it('keeps dead letters with their bytes, newest first', () => {
      const letter = { topic: 't', code: 'MESSAGE_NOT_JSON' as const, reason: 'r', receivedAt: NOW };
      store.appendDeadLetters([
        { ...letter, payload: new Uint8Array([0, 255]) },
        { ...letter, payload: new Uint8Array([7]) },
      ]);
      expect(store.listDeadLetters(5).map(({ payload }) => [...payload])).toEqual([[7], [0, 255]]);
      expect(store.countDeadLetters()).toBe(2);
    });

    it('ignores the late death of an earlier start', () => {
      const stateOf = () => store.listNodes().map(({ state }) => `${state.bootId} ${state.state}`);
      store.setNodeState(SITE, NODE, aState());
      store.setNodeState(SITE, NODE, aState({ bootId: 'boot-2' }));
      store.setNodeState(SITE, NODE, aState({ state: 'offline' }));
      expect(stateOf()).toEqual(['boot-2 online']);
      store.setNodeState(SITE, NODE, aState({ bootId: 'boot-2', state: 'offline' }));
      expect(stateOf()).toEqual(['boot-2 offline']);
    });

    it('adds up the ledger of a camera: analysed, degraded, blind and unreported make the period', () => {
      const interval = (from: number, to: number, rest: object) => ({
        from: aTime(from),
        to: aTime(to),
        state: 'analysed' as const,
        framesDecoded: 10,
        framesAnalysed: 5,
        framesDropped: 1,
        ...rest,
      });
      const blind = { state: 'blind', reason: 'camera-stalled' };
      const body = aTelemetry(0, {
        intervals: [
          interval(0, 10_000, {}),
          interval(10_000, 12_000, blind),
          interval(12_000, 15_000, blind),
          interval(20_000, 30_000, { state: 'degraded', reason: 'frames-dropped' }),
        ],
      });
      outcomes(item(1, { channel: 'telemetry', body }), item(1, { channel: 'telemetry', body }));
      const [coverage] = store.listCoverage({ from: aTime(5_000), to: aTime(40_000) });
      expect(coverage).toMatchObject({
        camera: 'cam-1',
        lastState: 'degraded',
        lastReason: 'frames-dropped',
        lastReportAt: aTime(30_000),
        analysedMs: 5_000,
        blindMs: 5_000,
        degradedMs: 10_000,
        unreportedMs: 15_000,
        blindByReason: { 'camera-stalled': 5_000 },
      });
      expect(coverage?.gaps).toEqual([
        interval(20_000, 30_000, { state: 'degraded', reason: 'frames-dropped' }),
        { ...interval(10_000, 15_000, blind), framesDecoded: 20, framesAnalysed: 10, framesDropped: 2 },
      ]);
    });
  });
}
