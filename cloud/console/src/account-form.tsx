import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Role } from '../../src/account/role.ts';
import type { AccountActRequest, AccountEntry } from '../../src/api/account-schema.ts';
import { type Areas, actOnAccount, createAccount, updateAccount } from './access-client.ts';
import { AreaChoices, NameField, RoleChoices } from './account-field.tsx';
import { CancelForm } from './cancel-form.tsx';
import { FailureNote } from './failure-note.tsx';
import { useText } from './language.tsx';
import { isReason, ReasonField } from './reason-field.tsx';
import { useTask } from './task.ts';

export type AccountDraft =
  | { readonly isNew: true }
  | { readonly isNew: false; readonly account: AccountEntry };

type Action = AccountActRequest['action'];

/** What can be done to an account in this state. */
function listActions({ disabledAt, lockedUntil, failures, totpSince, hasPassword }: AccountEntry): Action[] {
  return [
    disabledAt === undefined ? 'disable' : 'enable',
    ...(lockedUntil !== undefined || failures > 0 ? (['unlock'] as const) : []),
    ...(hasPassword ? (['reset-password'] as const) : []),
    ...(totpSince === undefined ? [] : (['remove-second-factor'] as const)),
  ];
}

function ActButtons(props: {
  account: AccountEntry;
  isReady: boolean;
  onAct: (action: Action) => Promise<void>;
}) {
  const { account, isReady, onAct } = props;
  const { t } = useText();
  return (
    <>
      {listActions(account).map((action) => (
        <button key={action} type="button" disabled={!isReady} onClick={() => void onAct(action)}>
          {t(`accounts.action.${action}`)}
        </button>
      ))}
    </>
  );
}

/** Makes an account, or changes one: roles, areas, state; always with a reason. */
export function AccountForm(props: {
  draft: AccountDraft;
  areas: Areas;
  onDone: (shown: { username: string; password: string } | undefined) => void;
  onCancel: () => void;
  onEnded: () => void;
}) {
  const { draft, areas, onDone, onCancel, onEnded } = props;
  const { t } = useText();
  const before = draft.isNew ? undefined : draft.account;
  const [username, setUsername] = useState(before?.username ?? '');
  const [roles, setRoles] = useState<readonly Role[]>(before?.roles ?? []);
  const [held, setHeld] = useState<readonly string[] | 'all'>(before?.areas ?? []);
  const [reason, setReason] = useState('');
  const { isRunning, failure, run } = useTask(onEnded);
  const first = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => first.current?.focus(), []);
  const isReady = !isRunning && isReason(reason);

  const save = () =>
    run(async () => {
      const trust = {
        roles: [...roles],
        areas: held === 'all' ? ('all' as const) : [...held],
        reason: reason.trim(),
      };
      if (before !== undefined) {
        await updateAccount(before.username, trust);
        return onDone(undefined);
      }
      const { password } = await createAccount({ username, ...trust });
      onDone(password === undefined ? undefined : { username, password });
    });
  const act = (action: Action) =>
    run(async () => {
      const { password } = await actOnAccount(username, { action, reason: reason.trim() });
      onDone(password === undefined ? undefined : { username, password });
    });

  return (
    <CancelForm class="panel" onSend={save} onCancel={onCancel}>
      <h2>{before === undefined ? t('accounts.new') : t('accounts.change', { name: before.username })}</h2>
      {before === undefined && <NameField first={first} username={username} onChange={setUsername} />}
      {before?.oidcIssuer !== undefined && (
        <p class="note">{t('accounts.oidc', { issuer: before.oidcIssuer })}</p>
      )}
      <RoleChoices roles={roles} first={before === undefined ? undefined : first} onChange={setRoles} />
      <AreaChoices areas={areas} held={held} onChange={setHeld} />
      <ReasonField label={t('accounts.reason')} value={reason} onChange={setReason} />
      {failure !== undefined && <FailureNote failure={failure} />}
      <div class="decision-keys">
        <button type="submit" class="primary" disabled={!isReady || roles.length === 0}>
          {t('common.save')} <kbd>Enter</kbd>
        </button>
        {before !== undefined && <ActButtons account={before} isReady={isReady} onAct={act} />}
        <button type="button" class="quiet" onClick={onCancel}>
          {t('common.cancel')} <kbd>Esc</kbd>
        </button>
      </div>
    </CancelForm>
  );
}
