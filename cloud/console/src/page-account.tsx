import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { OwnAccount } from '../../src/api/account-schema.ts';
import { changePassword, endOwnSession, fetchOwnAccount } from './access-client.ts';
import type { Account, ApiFailure } from './api-client.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { useTask } from './task.ts';
import { TotpPanel } from './totp-panel.tsx';

/** One's own password, second factor and sessions. Where something has to be done first, it is the only page. */
export function AccountPage(props: { account: Account; onChanged: () => void; onEnded: () => void }) {
  const { account, onChanged, onEnded } = props;
  const { t } = useText();
  const [own, setOwn] = useState<OwnAccount | undefined>(undefined);
  const { failure, run } = useTask(onEnded);
  const load = useCallback(() => run(async () => setOwn(await fetchOwnAccount())), []);
  useEffect(() => void load(), [load]);
  const changed = () => {
    onChanged();
    void load();
  };
  const isLocal = account.method === 'password' && own?.hasPassword === true;
  return (
    <div class="page">
      <h1>{t('account.title', { name: account.username })}</h1>
      <p class="hint">
        {t('account.roles')}: {account.roles.map((role) => t(`role.${role}`)).join(', ')} ·{' '}
        {t('account.areas')}:{' '}
        {account.areas === 'all'
          ? t('account.areas.all')
          : account.areas.join(', ') || t('account.areas.none')}
      </p>
      {account.needs !== undefined && (
        <p class="note note-warn" role="status">
          {t(`account.needs.${account.needs}`)}
        </p>
      )}
      {failure !== undefined && <FailureNote failure={failure} onRetry={() => void load()} />}
      {own !== undefined && !isLocal && <p class="note">{t('account.elsewhere')}</p>}
      {own !== undefined && isLocal && account.needs !== 'totp' && (
        <PasswordForm own={own} onChanged={changed} onEnded={onEnded} />
      )}
      {own !== undefined && isLocal && account.needs !== 'password' && (
        <TotpPanel own={own} onChanged={changed} onEnded={onEnded} />
      )}
      {own !== undefined && <SessionTable own={own} onChanged={() => void load()} onEnded={onEnded} />}
    </div>
  );
}

function PasswordForm(props: { own: OwnAccount; onChanged: () => void; onEnded: () => void }) {
  const { own, onChanged, onEnded } = props;
  const { t } = useText();
  const { isRunning, failure, run } = useTask(onEnded);
  const [isDone, setDone] = useState(false);
  const [isDifferent, setDifferent] = useState(false);
  const current = useRef<HTMLInputElement>(null);
  const next = useRef<HTMLInputElement>(null);
  const again = useRef<HTMLInputElement>(null);
  const send = () => {
    const [from = '', to = '', repeated = ''] = [current, next, again].map((field) => field.current?.value);
    setDone(false);
    setDifferent(to !== repeated);
    if (to !== repeated) return;
    void run(async () => {
      await changePassword(from, to);
      for (const field of [current, next, again]) if (field.current !== null) field.current.value = '';
      setDone(true);
      onChanged();
    });
  };
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <h2>{t('account.password')}</h2>
      <input
        class="visually-hidden"
        autocomplete="username"
        value={own.username}
        readOnly
        tabIndex={-1}
        aria-hidden="true"
      />
      <label>
        {t('account.password.current')}
        <input ref={current} type="password" autocomplete="current-password" required maxLength={256} />
      </label>
      <label>
        {t('account.password.next')}
        <input
          ref={next}
          type="password"
          autocomplete="new-password"
          required
          minLength={own.passwordMinLength}
          maxLength={256}
        />
        <small>{t('account.password.hint', { length: own.passwordMinLength })}</small>
      </label>
      <label>
        {t('account.password.again')}
        <input ref={again} type="password" autocomplete="new-password" required maxLength={256} />
      </label>
      {isDifferent && (
        <p class="note note-bad" role="alert">
          {t('account.password.different')}
        </p>
      )}
      {failure !== undefined && <PasswordFailure failure={failure} />}
      {isDone && (
        <p class="note note-good" role="status">
          {t('account.password.done')}
        </p>
      )}
      <div>
        <button type="submit" class="primary" disabled={isRunning}>
          {t('account.password.send')}
        </button>
      </div>
    </form>
  );
}

/** A password that cannot be taken: why, in words. */
function PasswordFailure({ failure }: { failure: ApiFailure }) {
  const { t } = useText();
  if (failure.code !== 'REQUEST_INVALID') return <FailureNote failure={failure} isProof />;
  return (
    <p class="note note-bad" role="alert">
      {t('account.password.unfit')}
    </p>
  );
}

function SessionTable(props: { own: OwnAccount; onChanged: () => void; onEnded: () => void }) {
  const { own, onChanged, onEnded } = props;
  const { t, language } = useText();
  const { isRunning, failure, run } = useTask(onEnded);
  return (
    <section class="panel">
      <h2>{t('account.sessions')}</h2>
      {failure !== undefined && <FailureNote failure={failure} />}
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('account.session.since')}</th>
              <th scope="col">{t('account.session.used')}</th>
              <th scope="col">{t('account.session.address')}</th>
              <th scope="col">{t('account.session.agent')}</th>
              <th scope="col">
                <span class="visually-hidden">{t('account.session.end')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {own.sessions.map(({ sessionId, createdAt, lastUsedAt, address, agent, isCurrent }) => (
              <tr key={sessionId}>
                <td>{formatDateTime(createdAt, language)}</td>
                <td>{formatDateTime(lastUsedAt, language)}</td>
                <td>{address}</td>
                <td>
                  <small>{agent}</small>
                </td>
                <td>
                  {isCurrent ? (
                    t('account.session.current')
                  ) : (
                    <button
                      type="button"
                      disabled={isRunning}
                      onClick={() =>
                        void run(async () => {
                          await endOwnSession(sessionId);
                          onChanged();
                        })
                      }
                    >
                      {t('account.session.end')}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
