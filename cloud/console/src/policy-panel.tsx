import { useEffect, useState } from 'preact/hooks';
import type { AccessPolicy } from '../../src/account/access-policy.ts';
import { ROLES } from '../../src/account/role.ts';
import { fetchPolicy, replacePolicy } from './access-client.ts';
import { FailureNote } from './failure-note.tsx';
import { useText } from './language.tsx';
import { isReason, ReasonField } from './reason-field.tsx';
import { useTask } from './task.ts';

const NUMBERS = [
  { name: 'passwordMinLength', min: 8, max: 64 },
  { name: 'lockAfterFailures', min: 5, max: 100 },
  { name: 'lockMinutes', min: 1, max: 1_440 },
] as const;

/** What the centre asks of those who sign in. */
export function PolicyPanel({ mayGovern, onEnded }: { mayGovern: boolean; onEnded: () => void }) {
  const { t } = useText();
  const [policy, setPolicy] = useState<AccessPolicy | undefined>(undefined);
  const [reason, setReason] = useState('');
  const [isSaved, setSaved] = useState(false);
  const { isRunning, failure, run } = useTask(onEnded);
  useEffect(() => void run(async () => setPolicy(await fetchPolicy())), []);
  if (policy === undefined) return failure === undefined ? null : <FailureNote failure={failure} />;
  const change = (changes: Partial<AccessPolicy>) => {
    setSaved(false);
    setPolicy({ ...policy, ...changes });
  };
  const { totpRoles } = policy;
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        void run(async () => {
          setPolicy(await replacePolicy(policy, reason.trim()));
          setReason('');
          setSaved(true);
        });
      }}
    >
      <h2>{t('policy.title')}</h2>
      <fieldset class="choices" disabled={!mayGovern}>
        <legend>{t('policy.totpRoles')}</legend>
        {ROLES.map((role) => (
          <label key={role} class="choice">
            <input
              type="checkbox"
              checked={totpRoles.includes(role)}
              onChange={() =>
                change({
                  totpRoles: totpRoles.includes(role)
                    ? totpRoles.filter((other) => other !== role)
                    : [...totpRoles, role],
                })
              }
            />
            <strong>{t(`role.${role}`)}</strong>
          </label>
        ))}
      </fieldset>
      <fieldset class="numbers" disabled={!mayGovern}>
        <legend class="visually-hidden">{t('policy.title')}</legend>
        {NUMBERS.map(({ name, min, max }) => (
          <label key={name}>
            {t(`policy.${name}`)}
            <input
              type="number"
              required
              min={min}
              max={max}
              value={policy[name]}
              onInput={(event) => change({ [name]: event.currentTarget.valueAsNumber })}
            />
          </label>
        ))}
      </fieldset>
      {failure !== undefined && <FailureNote failure={failure} />}
      {isSaved && (
        <p class="note note-good" role="status">
          {t('policy.saved')}
        </p>
      )}
      {mayGovern && (
        <div class="inline-form">
          <ReasonField label={t('accounts.reason')} value={reason} onChange={setReason} />
          <button type="submit" class="primary" disabled={isRunning || !isReason(reason)}>
            {t('common.save')}
          </button>
        </div>
      )}
    </form>
  );
}
