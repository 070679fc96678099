import type { NodeState } from '@ngatu/contract';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { listModels, type ShownModel } from './node-model.ts';

/** So many digits of a digest tell two files apart; the whole of it is in the title. */
const DIGEST_DIGITS = 8;

/** Every model of a node: what it is used for, its digest, and whether it serves. Open where one does not. */
export function ModelTable({ state }: { state: NodeState }) {
  const { t } = useText();
  const models = listModels(state);
  if (models.length === 0) return null;
  const trouble = models.filter(({ refused }) => refused !== undefined).length;
  const count = models.length;
  return (
    <details class="models" open={trouble > 0}>
      <summary>
        {trouble > 0 ? t('models.title.trouble', { count, trouble }) : t('models.title', { count })}
      </summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('models.column.use')}</th>
              <th scope="col">{t('models.column.name')}</th>
              <th scope="col">{t('models.column.digest')}</th>
              <th scope="col">{t('models.column.state')}</th>
            </tr>
          </thead>
          <tbody>
            {models.map((model) => (
              <ModelRow key={`${model.use} ${model.name}`} model={model} />
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function ModelRow({ model }: { model: ShownModel }) {
  const { t, language } = useText();
  const { use, name, sha256, state, since, refused } = model;
  return (
    <tr>
      <th scope="row">{t(`models.use.${use}`)}</th>
      <td>{name}</td>
      <td>{sha256 !== undefined && <code title={sha256}>{sha256.slice(0, DIGEST_DIGITS)}</code>}</td>
      <td>
        <span title={state === 'serving' ? undefined : refused?.message}>
          {t(`models.state.${state}`, {
            since: since === undefined ? '' : formatDateTime(since, language),
            code: refused?.code ?? '',
          })}
        </span>
        {state === 'serving' && refused !== undefined && (
          <p class="note note-bad" title={refused.message}>
            {t('models.refused', {
              name: refused.name ?? t('models.unnamed'),
              at: formatDateTime(refused.at, language),
              code: refused.code,
            })}
          </p>
        )}
      </td>
    </tr>
  );
}
