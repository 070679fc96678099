import type { SignalHead } from '@ngatu/contract';
import type { LampNetReading } from './lamp-net.ts';
import type { LampReading } from './lamp-reader.ts';

type Lens = SignalHead['lenses'][number];

/** Below this the network is not heard, 0–1. */
export const MIN_LAMP_CONFIDENCE = 0.7;
/** From this on it is heard where no colour stands out. */
const SURE = 0.8;

const DOUBT: LampReading = { state: 'unknown', confidence: 0 };

/**
 * One reading from two witnesses that fail in different ways: the colour of each lens against the rest of the head, and a network that
 * learnt what heads look like. That no colour stands out is no testimony for a dark head: pale and burnt-out lights read so, a quarter of the
 * lamps of one public set.
 *
 * | colour | network | together |
 * |---|---|---|
 * | a lens | the same | the lens |
 * | a lens | another, or `off` | unknown |
 * | `off` | `off` | `off` |
 * | `off` or unknown | sure of a state | the network's |
 * | any | not sure of anything, or a lens that the head has not | unknown |
 */
export function agreeOnLamp(
  colour: LampReading,
  net: LampNetReading | undefined,
  lenses: readonly Lens[],
): LampReading {
  if (net === undefined || net.confidence < MIN_LAMP_CONFIDENCE) return DOUBT;
  const { state, confidence } = net;
  if (state !== 'off' && !lenses.includes(state)) return DOUBT;
  if (colour.state === state) return { state, confidence: Math.max(confidence, colour.confidence) };
  const isSilent = colour.state === 'off' || colour.state === 'unknown';
  return isSilent && confidence >= SURE ? { state, confidence } : DOUBT;
}
