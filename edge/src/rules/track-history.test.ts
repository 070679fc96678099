import { describe, expect, it } from 'vitest';
import { aFrameMark, aTrack } from '../testing/builder.ts';
import { TrackHistory } from './track-history.ts';

const frameAt = (index: number) => aFrameMark({ index, mediaTimeMs: index * 80 });

describe('TrackHistory', () => {
  it('remembers what was seen, oldest first, and no predictions', () => {
    const history = new TrackHistory();
    history.add(frameAt(0), [aTrack({ trackId: 1, box: [0, 0, 10, 10], confidence: 0.5 })]);
    history.add(frameAt(1), [aTrack({ trackId: 1, box: [1, 0, 11, 10], seen: false, state: 'lost' })]);
    history.add(frameAt(2), [aTrack({ trackId: 1, box: [2, 0, 12, 10], groundSeen: false })]);
    expect(history.of(1)).toEqual([
      { frame: frameAt(0), box: [0, 0, 10, 10], groundSeen: true, confidence: 0.5, occupants: [] },
      { frame: frameAt(2), box: [2, 0, 12, 10], groundSeen: false, confidence: 0.8, occupants: [] },
    ]);
  });

  it('keeps tracks apart and forgets the ones that are gone', () => {
    const history = new TrackHistory();
    history.add(frameAt(0), [aTrack({ trackId: 1 }), aTrack({ trackId: 2 })]);
    history.add(frameAt(1), [aTrack({ trackId: 2 })]);
    expect(history.of(1)).toEqual([]);
    expect(history.of(2)).toHaveLength(2);
    expect(history.of(3)).toEqual([]);
  });

  it('holds a road user that stays for ever in bounded memory, the newest sights whole', () => {
    const history = new TrackHistory();
    for (let index = 0; index < 5000; index++) history.add(frameAt(index), [aTrack()]);
    const indices = history.of(1).map(({ frame }) => frame.index);
    expect(indices.length).toBeLessThanOrEqual(400);
    expect(indices.slice(-100)).toEqual(Array.from({ length: 100 }, (_, i) => 4900 + i));
  });
});
