import type { RefObject } from 'preact';
import { ROLES, type Role } from '../../src/account/role.ts';
import type { Areas } from './access-client.ts';
import { useText } from './language.tsx';

function toggle<T>(list: readonly T[], item: T): T[] {
  return list.includes(item) ? list.filter((other) => other !== item) : [...list, item];
}

export function NameField(props: {
  first: RefObject<HTMLInputElement>;
  username: string;
  onChange: (username: string) => void;
}) {
  const { first, username, onChange } = props;
  const { t } = useText();
  return (
    <label>
      {t('session.username')}
      <input
        ref={first}
        value={username}
        required
        pattern="[a-z0-9][a-z0-9._\-]{1,63}"
        title={t('accounts.name.hint')}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <small>{t('accounts.name.hint')}</small>
    </label>
  );
}

/** @param props.first set on the first box, where the form begins with it */
export function RoleChoices(props: {
  roles: readonly Role[];
  first: RefObject<HTMLInputElement> | undefined;
  onChange: (roles: readonly Role[]) => void;
}) {
  const { roles, first, onChange } = props;
  const { t } = useText();
  return (
    <fieldset class="choices">
      <legend>{t('account.roles')}</legend>
      {ROLES.map((role, index) => (
        <label key={role} class="choice">
          <input
            ref={first !== undefined && index === 0 ? first : null}
            type="checkbox"
            checked={roles.includes(role)}
            onChange={() => onChange(toggle(roles, role))}
          />
          <strong>{t(`role.${role}`)}</strong>
          <small>{t(`role.${role}.meaning`)}</small>
        </label>
      ))}
    </fieldset>
  );
}

export function AreaChoices(props: {
  areas: Areas;
  held: readonly string[] | 'all';
  onChange: (held: readonly string[] | 'all') => void;
}) {
  const { areas, held, onChange } = props;
  const { t } = useText();
  return (
    <fieldset class="choices">
      <legend>{t('account.areas')}</legend>
      <label class="choice">
        <input
          type="checkbox"
          checked={held === 'all'}
          onChange={() => onChange(held === 'all' ? [] : 'all')}
        />
        <strong>{t('account.areas.all')}</strong>
      </label>
      {held !== 'all' &&
        areas.map(({ areaId, name }) => (
          <label key={areaId} class="choice">
            <input
              type="checkbox"
              checked={held.includes(areaId)}
              onChange={() => onChange(toggle(held, areaId))}
            />
            <strong>{name}</strong>
            <small>{areaId}</small>
          </label>
        ))}
    </fieldset>
  );
}
