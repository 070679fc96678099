import { describe, expect, it } from 'vitest';
import { agreeOnLamp } from './lamp-agreement.ts';
import type { LampReading } from './lamp-reader.ts';

const LENSES = ['red', 'amber', 'green'] as const;
const STATES = [...LENSES, 'off'] as const;
const net = (state: (typeof STATES)[number], confidence = 0.97) => ({ state, confidence, arrow: 0 });
const colour = (state: LampReading['state']): LampReading => ({
  state,
  confidence: state === 'unknown' ? 0 : 0.7,
});

describe('agreeOnLamp', () => {
  it.each(STATES)('believes %s where both say it', (state) => {
    expect(agreeOnLamp(colour(state), net(state), LENSES)).toMatchObject({ state, confidence: 0.97 });
  });

  it('is in doubt where the colours show one lens and the network another, or none', () => {
    for (const lens of LENSES) {
      for (const other of STATES.filter((state) => state !== lens)) {
        const reading = agreeOnLamp(colour(lens), net(other, 1), LENSES);
        expect(reading, `${lens} against ${other}`).toEqual({ state: 'unknown', confidence: 0 });
      }
    }
  });

  it('is in doubt where the network is not sure, or sees nothing', () => {
    expect(agreeOnLamp(colour('red'), net('red', 0.5), LENSES).state).toBe('unknown');
    expect(agreeOnLamp(colour('red'), undefined, LENSES).state).toBe('unknown');
  });

  it.each(['unknown', 'off'] as const)(
    'hears a sure network where the colours say %s, a doubtful one not',
    (state) => {
      expect(agreeOnLamp(colour(state), net('red', 0.85), LENSES).state).toBe('red');
      expect(agreeOnLamp(colour(state), net('red', 0.75), LENSES).state).toBe('unknown');
    },
  );

  it('does not believe a lens that the head has not', () => {
    expect(agreeOnLamp(colour('unknown'), net('amber'), ['red', 'green']).state).toBe('unknown');
  });
});
