import type { ListFilter } from './api-client.ts';
import { dayOf, isDay } from './day.ts';
import { KINDS } from './kind.ts';
import { useText } from './language.tsx';
import type { Workplace } from './workplace.ts';

const REVIEWS = ['open', 'confirmed', 'rejected'] as const;
/** Stands beside the decisions in the choice, for nobody decides such a case. */
const LET_PASS = 'let-pass';

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

function DayField(props: {
  name: string;
  label: string;
  value: string | undefined;
  min?: string | undefined;
  max?: string | undefined;
  onChoose: (value: string | undefined) => void;
}) {
  const { name, label, value, min, max, onChoose } = props;
  return (
    <label>
      {label}
      <input
        type="date"
        name={name}
        value={value ?? ''}
        min={min}
        max={max}
        onChange={(event) => {
          const day = event.currentTarget.value;
          if (day === '' || isDay(day)) onChoose(day === '' ? undefined : day);
        }}
      />
    </label>
  );
}

/** `filter` with one field set, or taken out. */
function withField<K extends keyof ListFilter>(
  filter: ListFilter,
  name: K,
  value: ListFilter[K] | undefined,
): ListFilter {
  const { [name]: _, ...rest } = filter;
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** What is chosen beside the decisions leaves the decisions out, and the other way round. */
function withReview(filter: ListFilter, value: string | undefined): ListFilter {
  const { review: _, letPass: __, ...rest } = filter;
  if (value === LET_PASS) return { ...rest, letPass: true };
  const review = REVIEWS.find((name) => name === value);
  return review === undefined ? rest : { ...rest, review };
}

export function EventFilterBar({ work, cameras }: { work: Workplace; cameras: readonly string[] }) {
  const { t } = useText();
  const { filter, items } = work.view;
  const load = (next: ListFilter) => void work.list.load(next);
  const known = [
    ...new Set([...cameras, ...items.map(({ camera }) => camera), ...(filter.camera ? [filter.camera] : [])]),
  ];
  const reviews = REVIEWS.map((review) => ({ value: review, words: t(`review.${review}`) }));
  return (
    <fieldset class="filters">
      <legend class="visually-hidden">{t('events.filter')}</legend>
      <FilterSelect
        name="kind"
        label={t('events.filter.kind')}
        value={filter.kind}
        choices={KINDS.map((kind) => ({ value: kind, words: t(`kind.${kind}`) }))}
        onChoose={(value) =>
          load(
            withField(
              filter,
              'kind',
              KINDS.find((kind) => kind === value),
            ),
          )
        }
      />
      <FilterSelect
        name="camera"
        label={t('events.filter.camera')}
        value={filter.camera}
        choices={known.sort().map((camera) => ({ value: camera, words: camera }))}
        onChoose={(value) => load(withField(filter, 'camera', value))}
      />
      <FilterSelect
        name="review"
        label={t('events.filter.review')}
        value={filter.letPass === true ? LET_PASS : filter.review}
        choices={[...reviews, { value: LET_PASS, words: t('letPass.title') }]}
        onChoose={(value) => load(withReview(filter, value))}
      />
      <DayField
        name="first-day"
        label={t('events.filter.firstDay')}
        value={filter.firstDay}
        max={filter.lastDay ?? dayOf(Date.now())}
        onChoose={(value) => load(withField(filter, 'firstDay', value))}
      />
      <DayField
        name="last-day"
        label={t('events.filter.lastDay')}
        value={filter.lastDay}
        min={filter.firstDay}
        max={dayOf(Date.now())}
        onChoose={(value) => load(withField(filter, 'lastDay', value))}
      />
      {Object.keys(filter).length > 0 && (
        <button type="button" class="quiet" onClick={() => load({})}>
          {t('events.filter.clear')}
        </button>
      )}
    </fieldset>
  );
}
