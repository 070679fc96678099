import { describe, expect, it } from 'vitest';
import { aFrameMark, anObservation, aScene, aTrack } from '../testing/builder.ts';
import type { AnalysedFrame } from './analysis.ts';
import { AnnotationScript } from './annotation.ts';

const TIME = /^(\d+):([0-5]\d):([0-5]\d)\.(\d\d)$/;

interface Dialogue {
  readonly layer: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly style: string;
  readonly text: string;
}

function parseTime(text: string | undefined): number {
  const parts = TIME.exec(text ?? '');
  if (parts === null) throw new Error(`No ASS time: ${text}`);
  const [hours, minutes, seconds, hundredths] = parts.slice(1).map(Number);
  return (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000 + (hundredths ?? 0) * 10;
}

/** Reads a script as libass does: sections, the order of fields from `Format`, text last. */
function parseScript(script: string): { sections: Map<string, string[]>; dialogues: Dialogue[] } {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of script.trimEnd().split('\n')) {
    const name = /^\[(.+)\]$/.exec(line)?.[1];
    if (name === undefined) lines.push(line);
    else {
      lines = [];
      sections.set(name, lines);
    }
  }
  const events = sections.get('Events') ?? [];
  const format = events[0]?.replace('Format: ', '').split(', ') ?? [];
  const dialogues = events.slice(1).map((line): Dialogue => {
    const values = line.replace('Dialogue: ', '').split(',');
    const value = (field: string): string | undefined => values[format.indexOf(field)];
    const text = values.slice(format.indexOf('Text')).join(',');
    return {
      layer: Number(value('Layer')),
      fromMs: parseTime(value('Start')),
      toMs: parseTime(value('End')),
      style: value('Style') ?? '',
      text,
    };
  });
  return { sections, dialogues };
}

function anAnalysedFrame(index: number, parts: Partial<AnalysedFrame> = {}): AnalysedFrame {
  return {
    frame: aFrameMark({ index, mediaTimeMs: index * 80 }),
    detections: [],
    tracks: [],
    readings: new Map(),
    signals: new Map(),
    matches: [],
    crossings: [],
    measurements: [],
    signalChecks: [],
    ...parts,
  };
}

function render(...frames: AnalysedFrame[]) {
  const script = new AnnotationScript(aScene());
  for (const frame of frames) script.add(frame);
  return parseScript(script.render());
}

const red = new Map([['main', { state: 'red', sinceMs: 0, confidence: 1, onsetSeen: true }]] as const);

describe('AnnotationScript', () => {
  it('is a script of the size of the picture whose lines fit its formats', () => {
    const { sections, dialogues } = render(anAnalysedFrame(0, { tracks: [aTrack()], signals: red }));
    expect([...sections.keys()]).toEqual(['Script Info', 'V4+ Styles', 'Events']);
    expect(sections.get('Script Info')).toEqual(['ScriptType: v4.00+', 'PlayResX: 640', 'PlayResY: 480']);
    const [format = '', style = ''] = sections.get('V4+ Styles') ?? [];
    expect(style.split(',')).toHaveLength(format.split(',').length);
    expect(dialogues.length).toBeGreaterThan(4);
    for (const { style: name, text, fromMs, toMs } of dialogues) {
      expect(name).toBe('D');
      expect(toMs).toBeGreaterThan(fromMs);
      expect(text.split('{').length).toBe(text.split('}').length);
    }
  });

  it('shows each frame until the next one, and the last for a second', () => {
    const track = aTrack({ trackId: 12, label: 'car' });
    const { dialogues } = render(
      anAnalysedFrame(0, { tracks: [track] }),
      anAnalysedFrame(3, { tracks: [track] }),
      anAnalysedFrame(4, { tracks: [track] }),
    );
    const labels = dialogues.filter(({ text }) => text.endsWith('12 car'));
    expect(labels.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
      [0, 240],
      [240, 320],
      [320, 1320],
    ]);
  });

  it('writes times over an hour with every digit', () => {
    const { dialogues } = render(anAnalysedFrame(50_000, { tracks: [aTrack()] }));
    expect(dialogues.filter(({ layer }) => layer === 1)[0]?.fromMs).toBe(4_000_000);
  });

  it('draws the box of a road user at its corners, and none that is not confirmed', () => {
    const { dialogues } = render(
      anAnalysedFrame(0, {
        tracks: [
          aTrack({ trackId: 1, box: [300.4, 200, 340, 280.6] }),
          aTrack({ trackId: 2, state: 'tentative' }),
          aTrack({ trackId: 3, state: 'lost', seen: false, box: [10, 20, 30, 40] }),
        ],
      }),
    );
    const texts = dialogues.map(({ text }) => text);
    expect(texts.some((text) => text.includes('m 300 200 l 340 200 l 340 281 l 300 281 l 300 200'))).toBe(
      true,
    );
    expect(texts.some((text) => text.includes('m 10 20 l 30 20 l 30 40'))).toBe(true);
    expect(texts.some((text) => text.endsWith('2 motorbike'))).toBe(false);
  });

  it('draws zones and lines all the time, and the state of the lamp', () => {
    const { dialogues } = render(anAnalysedFrame(0, { signals: red }), anAnalysedFrame(1));
    const whole = dialogues.filter(({ layer }) => layer === 0);
    expect(whole.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
      [0, 1080],
      [0, 1080],
    ]);
    expect(whole[0]?.text).toContain('m 200 100 l 400 100 l 400 250 l 200 250 l 200 100');
    expect(whole[1]?.text).toContain('m 100 300 l 540 300');
    const states = dialogues.filter(({ text }) => /\}(red|unknown)$/.test(text));
    expect(states.map(({ text, fromMs }) => [text.split('}').at(-1), fromMs])).toEqual([
      ['red', 0],
      ['unknown', 80],
    ]);
  });

  it('shows a fired rule for three seconds over its road user', () => {
    const match = {
      rule: 'red-light',
      kind: 'RED_LIGHT',
      trackId: 7,
      label: 'motorbike',
      observation: anObservation({ box: [1, 2, 3, 4] }),
      alternatives: [],
      measures: {},
      explanation: { vi: '', en: '' },
    } as const;
    const { dialogues } = render(anAnalysedFrame(10, { matches: [match] }));
    const banner = dialogues.find(({ text }) => text.endsWith('RED_LIGHT 7'));
    expect(banner).toMatchObject({ layer: 2, fromMs: 800, toMs: 3800 });
    expect(dialogues.some(({ layer, text }) => layer === 2 && text.includes('m 1 2 l 3 2 l 3 4'))).toBe(true);
  });

  it('is a valid script where nothing was analysed', () => {
    const { sections, dialogues } = render();
    expect(sections.size).toBe(3);
    expect(dialogues).toHaveLength(2);
  });
});
