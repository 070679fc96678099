import type { ListFilter } from './api-client.ts';
import { KINDS } from './kind.ts';
import { useText } from './language.tsx';
import type { Workplace } from './workplace.ts';

const REVIEWS = ['open', 'confirmed', 'rejected'] as const;

interface Choice {
  readonly value: string;
  readonly words: string;
}

function FilterSelect(props: {
  name: string;
  label: string;
  value: string | undefined;
  choices: readonly Choice[];
  onChoose: (value: string | undefined) => void;
}) {
  const { t } = useText();
  const { name, label, value, choices, onChoose } = props;
  return (
    <label>
      {label}
      <select
        name={name}
        value={value ?? ''}
        onChange={(event) =>
          onChoose(event.currentTarget.value === '' ? undefined : event.currentTarget.value)
        }
      >
        <option value="">{t('common.all')}</option>
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.words}
          </option>
        ))}
      </select>
    </label>
  );
}

/** `filter` with one field set, or taken out. */
function withField(filter: ListFilter, name: keyof ListFilter, value: string | undefined): ListFilter {
  const { [name]: _, ...rest } = filter;
  return value === undefined ? rest : { ...rest, [name]: value };
}

export function EventFilterBar({ work, cameras }: { work: Workplace; cameras: readonly string[] }) {
  const { t } = useText();
  const { filter, items } = work.view;
  const choose = (name: keyof ListFilter) => (value: string | undefined) =>
    void work.list.load(withField(filter, name, value));
  const known = [
    ...new Set([...cameras, ...items.map(({ camera }) => camera), ...(filter.camera ? [filter.camera] : [])]),
  ];
  return (
    <fieldset class="filters">
      <legend class="visually-hidden">{t('events.filter')}</legend>
      <FilterSelect
        name="kind"
        label={t('events.filter.kind')}
        value={filter.kind}
        choices={KINDS.map((kind) => ({ value: kind, words: t(`kind.${kind}`) }))}
        onChoose={choose('kind')}
      />
      <FilterSelect
        name="camera"
        label={t('events.filter.camera')}
        value={filter.camera}
        choices={known.sort().map((camera) => ({ value: camera, words: camera }))}
        onChoose={choose('camera')}
      />
      <FilterSelect
        name="review"
        label={t('events.filter.review')}
        value={filter.review}
        choices={REVIEWS.map((review) => ({ value: review, words: t(`review.${review}`) }))}
        onChoose={choose('review')}
      />
      {Object.keys(filter).length > 0 && (
        <button type="button" class="quiet" onClick={() => void work.list.load({})}>
          {t('events.filter.clear')}
        </button>
      )}
    </fieldset>
  );
}
