import type { GateStatus } from '@ngatu/contract';

type Sound = NonNullable<GateStatus['cue']['sound']>;

/** Tones of each cue: frequency in Hz and length in ms, one after the other. None is alarming: a doubt is no verdict. */
const TONES: Readonly<Record<Sound, readonly (readonly [hz: number, ms: number])[]>> = {
  'step-in': [[440, 120]],
  'hold-still': [
    [520, 90],
    [520, 90],
  ],
  done: [
    [660, 120],
    [880, 180],
  ],
  attention: [
    [520, 200],
    [390, 200],
    [520, 200],
  ],
};
const GAP_S = 0.06;
const LOUDNESS = 0.25;

/** The loudspeaker of a watched gate. To be opened by a click: browsers play nothing before one. */
export class GateSound {
  readonly #context = new AudioContext();

  play(sound: Sound): void {
    let at = this.#context.currentTime;
    for (const [hz, ms] of TONES[sound]) {
      const tone = this.#context.createOscillator();
      const gain = this.#context.createGain();
      tone.frequency.value = hz;
      gain.gain.value = LOUDNESS;
      tone.connect(gain).connect(this.#context.destination);
      tone.start(at);
      at += ms / 1_000;
      tone.stop(at);
      at += GAP_S;
    }
  }

  close(): void {
    void this.#context.close();
  }
}
