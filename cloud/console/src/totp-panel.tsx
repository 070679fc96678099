import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { OwnAccount, TotpStart } from '../../src/api/account-schema.ts';
import { beginTotp, confirmTotp, removeTotp } from './access-client.ts';
import { CancelForm } from './cancel-form.tsx';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { QrCode } from './qr-code.tsx';
import { type Task, useTask } from './task.ts';

type Step =
  | { readonly step: 'rest' }
  | { readonly step: 'password'; readonly purpose: 'begin' | 'remove' }
  | { readonly step: 'confirm'; readonly start: TotpStart }
  | { readonly step: 'codes'; readonly codes: readonly string[] };

/** Sets up, renews and removes the second factor. */
export function TotpPanel(props: { own: OwnAccount; onChanged: () => void; onEnded: () => void }) {
  const { own, onChanged, onEnded } = props;
  const { t, language } = useText();
  const [state, setState] = useState<Step>({ step: 'rest' });
  const task = useTask(onEnded);
  const rest = () => setState({ step: 'rest' });
  const prove = (purpose: 'begin' | 'remove', password: string) =>
    task.run(async () => {
      if (purpose === 'begin') return setState({ step: 'confirm', start: await beginTotp(password) });
      await removeTotp(password);
      rest();
      onChanged();
    });
  const confirm = (code: string) =>
    task.run(async () => setState({ step: 'codes', codes: await confirmTotp(code) }));
  return (
    <section class="panel">
      <h2>{t('totp.title')}</h2>
      {/* what was known of the account before is no longer true when it has just been set up */}
      {state.step !== 'codes' && (
        <p>
          {own.totpSince === undefined
            ? t(own.isTotpRequired ? 'totp.required' : 'totp.none')
            : `${t('totp.since', { time: formatDateTime(own.totpSince, language) })} ${t('totp.codesLeft', { count: own.recoveryCodesLeft })}`}
        </p>
      )}
      {task.failure !== undefined && <FailureNote failure={task.failure} isProof />}
      {state.step === 'rest' && (
        <div class="decision-keys">
          <button
            type="button"
            class="primary"
            onClick={() => setState({ step: 'password', purpose: 'begin' })}
          >
            {t(own.totpSince === undefined ? 'totp.begin' : 'totp.renew')}
          </button>
          {own.totpSince !== undefined && !own.isTotpRequired && (
            <button type="button" onClick={() => setState({ step: 'password', purpose: 'remove' })}>
              {t('totp.remove')}
            </button>
          )}
        </div>
      )}
      {state.step === 'password' && (
        <FieldForm
          key={state.purpose}
          label={t('totp.password')}
          type="password"
          task={task}
          onSend={(password) => prove(state.purpose, password)}
          onCancel={rest}
        />
      )}
      {state.step === 'confirm' && (
        <>
          <p>{t('totp.scan')}</p>
          <QrCode text={state.start.uri} label={t('totp.picture')} />
          <p class="hint">
            {t('totp.secret')} <code>{state.start.secret}</code>
          </p>
          <FieldForm label={t('totp.code')} type="code" task={task} onSend={confirm} onCancel={rest} />
        </>
      )}
      {state.step === 'codes' && (
        <>
          <p class="note note-good" role="status">
            {t('totp.done')}
          </p>
          <ol class="codes">
            {state.codes.map((code) => (
              <li key={code}>
                <code>{code}</code>
              </li>
            ))}
          </ol>
          <div>
            <button
              type="button"
              class="primary"
              onClick={() => {
                rest();
                onChanged();
              }}
            >
              {t('totp.kept')}
            </button>
          </div>
        </>
      )}
    </section>
  );
}

function FieldForm(props: {
  label: string;
  type: 'password' | 'code';
  task: Task;
  onSend: (value: string) => Promise<void>;
  onCancel: () => void;
}) {
  const { label, type, task, onSend, onCancel } = props;
  const { t } = useText();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <CancelForm class="inline-form" onSend={() => onSend(field.current?.value ?? '')} onCancel={onCancel}>
      <label for={id}>
        {label}
        {type === 'password' ? (
          <input
            id={id}
            ref={field}
            type="password"
            autocomplete="current-password"
            required
            maxLength={256}
          />
        ) : (
          <input
            id={id}
            ref={field}
            inputMode="numeric"
            autocomplete="one-time-code"
            required
            pattern="\d{6}"
            maxLength={6}
          />
        )}
      </label>
      <button type="submit" class="primary" disabled={task.isRunning}>
        {t('common.next')} <kbd>Enter</kbd>
      </button>
      <button type="button" class="quiet" onClick={onCancel}>
        {t('common.cancel')} <kbd>Esc</kbd>
      </button>
    </CancelForm>
  );
}
