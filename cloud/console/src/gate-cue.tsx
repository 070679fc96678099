import type { GateState, GateStatus } from '@ngatu/contract';
import { useEffect, useRef, useState } from 'preact/hooks';
import { GateSound } from './gate-sound.ts';
import { useText } from './language.tsx';

type Look = 'go' | 'doubt' | 'fault' | 'wait' | 'ready';

/** A sign beside the colour, for whoever does not tell colours apart. Red is for faults of the gate, never for a person. */
const SIGN: Readonly<Record<Look, string>> = { go: '✓', doubt: '⚠', fault: '✕', wait: '…', ready: '●' };

function lookOf(state: GateState | 'unreported'): Look {
  if (state === 'passed') return 'go';
  if (state === 'measure' || state === 'refused') return 'doubt';
  if (state === 'unreported' || state === 'blind' || state === 'out-of-service') return 'fault';
  return state === 'warming-up' || state === 'checking' ? 'wait' : 'ready';
}

/** What the gate shows, large; with tones where somebody has switched them on. */
export function GateCue({ status, isSilent }: { status: GateStatus | undefined; isSilent: boolean }) {
  const { t, language } = useText();
  const state = status === undefined || isSilent ? 'unreported' : status.state;
  const look = lookOf(state);
  const sound = useRef<GateSound | undefined>(undefined);
  const [hasSound, setSound] = useState(false);
  const tone = state === 'unreported' ? undefined : status?.cue.sound;
  const since = status?.since;
  useEffect(() => {
    if (tone !== undefined) sound.current?.play(tone);
  }, [state, since]);
  useEffect(() => () => sound.current?.close(), []);
  const toggle = () => {
    sound.current?.close();
    sound.current = hasSound ? undefined : new GateSound();
    sound.current?.play('step-in');
    setSound(!hasSound);
  };
  const other = language === 'vi' ? 'en' : 'vi';
  return (
    <div class={`gate-cue gate-cue-${look}`} data-state={state}>
      <div role="status" aria-live="assertive">
        <p class="gate-cue-state">
          <span aria-hidden="true">{SIGN[look]}</span> {t(`gateState.${state}`)}
        </p>
        {status !== undefined && !isSilent && (
          <>
            <p class="gate-cue-text">{status.cue.text[language]}</p>
            <p lang={other}>{status.cue.text[other]}</p>
          </>
        )}
      </div>
      <button type="button" aria-pressed={hasSound} onClick={toggle}>
        {t(hasSound ? 'screening.sound.off' : 'screening.sound.on')}
      </button>
    </div>
  );
}
