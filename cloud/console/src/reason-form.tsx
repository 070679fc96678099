import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiFailure } from './api-client.ts';
import { CancelForm } from './cancel-form.tsx';
import { FailureNote } from './failure-note.tsx';
import { useText } from './language.tsx';
import { isReason, ReasonField } from './reason-field.tsx';

/** Asks for a reason, and does with it what `send` does; a failure is shown, and what was written stays. */
export function ReasonForm(props: {
  label: string;
  hint?: string | undefined;
  sendText: string;
  /** Said instead while it is being sent. */
  workingText?: string;
  send: (reason: string) => Promise<unknown>;
  onDone: () => void;
  onCancel: () => void;
  /** What is asked for besides, above the reason. */
  children?: ComponentChildren;
  /** The session has ended; without it that is shown as any other failure. */
  onEnded?: () => void;
}) {
  const { t } = useText();
  const [reason, setReason] = useState('');
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const [isSending, setSending] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.form?.querySelector('input')?.focus(), []);
  const send = async () => {
    if (isSending || !isReason(reason)) return;
    setSending(true);
    setFailure(undefined);
    try {
      await props.send(reason.trim());
      props.onDone();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'UNAUTHENTICATED' && props.onEnded !== undefined) return props.onEnded();
      setFailure(error);
    } finally {
      setSending(false);
    }
  };
  return (
    <CancelForm class="opening-form" onSend={send} onCancel={props.onCancel}>
      {props.children}
      <ReasonField label={props.label} value={reason} onChange={setReason} maxLength={500} fieldRef={input} />
      {props.hint !== undefined && <p class="hint">{props.hint}</p>}
      {failure !== undefined && <FailureNote failure={failure} />}
      <div class="decision-keys">
        <button type="submit" class="primary" disabled={isSending || !isReason(reason)}>
          {isSending ? (props.workingText ?? props.sendText) : props.sendText} <kbd>Enter</kbd>
        </button>
        <button type="button" class="quiet" onClick={props.onCancel}>
          {t('common.cancel')} <kbd>Esc</kbd>
        </button>
      </div>
    </CancelForm>
  );
}
