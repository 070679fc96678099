import type { DirectiveKind } from '@ngatu/contract';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { CameraOverview } from '../../src/api/api-schema.ts';
import { ApiFailure, declareDirective } from './api-client.ts';
import { CancelForm } from './cancel-form.tsx';
import { dayOf, startOfDay } from './day.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { isReason, ReasonField } from './reason-field.tsx';

const KINDS = [
  'officer-directing',
  'emergency-passage',
  'rules-suspended',
] as const satisfies readonly DirectiveKind[];
const MINUTES = [15, 30, 60, 120] as const;
const MINUTE_MS = 60_000;

/** The next instant at which the clock in Vietnam shows `time` (`17:30`), ms since 1970. */
export function nextInstantOf(time: string, nowMs: number): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const today = Date.parse(startOfDay(dayOf(nowMs))) + (hours * 60 + minutes) * MINUTE_MS;
  return today > nowMs ? today : today + 24 * 60 * MINUTE_MS;
}

/** Declares for a while: what, until when, why. It always ends by itself. */
export function DirectiveForm(props: {
  camera: CameraOverview;
  onCancel: () => void;
  onDeclared: () => void;
  onEnded: () => void;
}) {
  const { camera, onCancel, onDeclared, onEnded } = props;
  const { t, language } = useText();
  const [kind, setKind] = useState<DirectiveKind>('officer-directing');
  const [minutes, setMinutes] = useState<number>(30);
  const [time, setTime] = useState('');
  const [reason, setReason] = useState('');
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const first = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => first.current?.focus(), []);
  const untilAt = (nowMs: number) => (time === '' ? nowMs + minutes * MINUTE_MS : nextInstantOf(time, nowMs));

  const send = async () => {
    if (isSending) return;
    setSending(true);
    setFailure(undefined);
    try {
      const until = new Date(untilAt(Date.now())).toISOString();
      await declareDirective(camera, { kind, until, reason: reason.trim() });
      onDeclared();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'UNAUTHENTICATED') return onEnded();
      setFailure(error);
    } finally {
      setSending(false);
    }
  };

  return (
    <CancelForm class="directive-form" onSend={send} onCancel={onCancel}>
      <fieldset class="directive-kinds">
        <legend>{t('directive.what')}</legend>
        {KINDS.map((name, index) => (
          <label key={name} class="directive-choice">
            <input
              ref={index === 0 ? first : null}
              type="radio"
              name={`kind-${camera.camera}`}
              checked={kind === name}
              onChange={() => setKind(name)}
            />
            <strong>{t(`directive.${name}`)}</strong>
            <small>{t(`directive.${name}.meaning`)}</small>
          </label>
        ))}
      </fieldset>
      <fieldset class="directive-until">
        <legend>{t('directive.until')}</legend>
        {MINUTES.map((value) => (
          <button
            key={value}
            type="button"
            aria-pressed={time === '' && minutes === value}
            onClick={() => {
              setTime('');
              setMinutes(value);
            }}
          >
            {t('directive.minutes', { minutes: value })}
          </button>
        ))}
        <label class="directive-time">
          {t('directive.time')}
          <input type="time" value={time} onInput={(event) => setTime(event.currentTarget.value)} />
        </label>
        <span class="hint">
          {t('directive.endsAt', { time: formatDateTime(untilAt(Date.now()), language) })} ·{' '}
          {t('common.zone')}
        </span>
      </fieldset>
      <ReasonField label={t('directive.reason')} value={reason} onChange={setReason} />
      {failure !== undefined && <FailureNote failure={failure} />}
      <div class="decision-keys">
        <button type="submit" class="primary" disabled={isSending || !isReason(reason)}>
          {t('directive.send')} <kbd>Enter</kbd>
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          {t('common.cancel')} <kbd>Esc</kbd>
        </button>
      </div>
    </CancelForm>
  );
}
