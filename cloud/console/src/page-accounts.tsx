import { useCallback, useEffect, useState } from 'preact/hooks';
import { isAllowed, MAY } from '../../src/account/permission.ts';
import type { AccountEntry } from '../../src/api/account-schema.ts';
import { type Areas, fetchAccounts, fetchAreas } from './access-client.ts';
import { type AccountDraft, AccountForm } from './account-form.tsx';
import type { Account } from './api-client.ts';
import { AreaPanel } from './area-panel.tsx';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { PolicyPanel } from './policy-panel.tsx';
import { useTask } from './task.ts';

/** Who may sign in. Administrators change it, auditors read it. */
export function AccountsPage({ account, onEnded }: { account: Account; onEnded: () => void }) {
  const { t } = useText();
  const [items, setItems] = useState<readonly AccountEntry[] | undefined>(undefined);
  const [areas, setAreas] = useState<Areas>([]);
  const [draft, setDraft] = useState<AccountDraft | undefined>(undefined);
  const [password, setPassword] = useState<{ username: string; password: string } | undefined>(undefined);
  const { failure, run } = useTask(onEnded);
  const load = useCallback(
    () =>
      run(async () => {
        setItems(await fetchAccounts());
        setAreas(await fetchAreas());
      }),
    [],
  );
  useEffect(() => void load(), [load]);
  const mayGovern = isAllowed(account, MAY.governAccounts);
  const done = (shown: { username: string; password: string } | undefined) => {
    setPassword(shown);
    setDraft(undefined);
    void load();
  };
  return (
    <div class="page">
      <div class="list-head">
        <h1>{t('accounts.title')}</h1>
        {mayGovern && draft === undefined && (
          <button type="button" class="primary" onClick={() => setDraft({ isNew: true })}>
            {t('accounts.add')}
          </button>
        )}
      </div>
      {failure !== undefined && <FailureNote failure={failure} onRetry={() => void load()} />}
      {password !== undefined && (
        <div class="note note-good" role="status">
          <p>
            {t('accounts.password', { name: password.username })}{' '}
            <code class="secret">{password.password}</code>
          </p>
          <button type="button" class="quiet" onClick={() => setPassword(undefined)}>
            {t('common.close')}
          </button>
        </div>
      )}
      {draft !== undefined && (
        <AccountForm
          key={draft.isNew ? '' : draft.account.username}
          draft={draft}
          areas={areas}
          onDone={done}
          onCancel={() => setDraft(undefined)}
          onEnded={onEnded}
        />
      )}
      {items !== undefined && (
        <AccountTable
          items={items}
          areas={areas}
          onOpen={mayGovern ? (opened) => setDraft({ isNew: false, account: opened }) : undefined}
        />
      )}
      <AreaPanel areas={areas} mayGovern={mayGovern} onChanged={setAreas} onEnded={onEnded} />
      <PolicyPanel mayGovern={mayGovern} onEnded={onEnded} />
    </div>
  );
}

function AccountTable(props: {
  items: readonly AccountEntry[];
  areas: Areas;
  onOpen: ((account: AccountEntry) => void) | undefined;
}) {
  const { items, areas, onOpen } = props;
  const { t } = useText();
  const nameOf = (areaId: string) => areas.find((area) => area.areaId === areaId)?.name ?? areaId;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">{t('session.username')}</th>
            <th scope="col">{t('account.roles')}</th>
            <th scope="col">{t('account.areas')}</th>
            <th scope="col">{t('accounts.state')}</th>
            {onOpen !== undefined && (
              <th scope="col">
                <span class="visually-hidden">{t('accounts.open')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.username} class={item.disabledAt === undefined ? '' : 'missing'}>
              <th scope="row">{item.username}</th>
              <td>{item.roles.map((role) => t(`role.${role}`)).join(', ')}</td>
              <td>
                {item.areas === 'all'
                  ? t('account.areas.all')
                  : item.areas.map(nameOf).join(', ') || t('account.areas.none')}
              </td>
              <td>
                <AccountState item={item} />
              </td>
              {onOpen !== undefined && (
                <td>
                  <button
                    type="button"
                    onClick={() => onOpen(item)}
                    aria-label={`${t('accounts.open')} ${item.username}`}
                  >
                    {t('accounts.open')}
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AccountState({ item }: { item: AccountEntry }) {
  const { t, language } = useText();
  const states = [
    item.disabledAt === undefined
      ? []
      : [t('accounts.state.disabled', { time: formatDateTime(item.disabledAt, language) })],
    item.lockedUntil === undefined
      ? []
      : [
          t('accounts.state.locked', {
            time: formatDateTime(item.lockedUntil, language),
            count: item.failures,
          }),
        ],
    item.totpSince === undefined ? [] : [t('accounts.state.totp')],
    item.mustChangePassword ? [t('accounts.state.mustChange')] : [],
    item.oidcIssuer === undefined ? [] : [t('accounts.state.oidc')],
  ].flat();
  return <>{states.join(' · ') || t('accounts.state.plain')}</>;
}
