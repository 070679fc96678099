import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiFailure } from './api-client.ts';
import { CancelForm } from './cancel-form.tsx';
import { FailureNote } from './failure-note.tsx';
import { useText } from './language.tsx';
import type { ReadingRequest } from './screening-client.ts';

const PLACES = ['oral', 'ear', 'axilla', 'forehead'] as const;
const CELSIUS = { low: 30, high: 45 };

/** `37,2` as well as `37.2`; undefined where it is no temperature of a person. */
function readCelsius(text: string): number | undefined {
  if (!/^\d{2}([.,]\d{1,2})?$/.test(text.trim())) return undefined;
  const celsius = Number(text.trim().replace(',', '.'));
  return celsius >= CELSIUS.low && celsius <= CELSIUS.high ? celsius : undefined;
}

/** Takes what a thermometer said of one passage. */
export function ThermometerForm(props: {
  place: ReadingRequest['place'];
  send: (reading: ReadingRequest) => Promise<unknown>;
  onDone: (place: ReadingRequest['place']) => void;
  onCancel: () => void;
}) {
  const { t } = useText();
  const [text, setText] = useState('');
  const [place, setPlace] = useState(props.place);
  const [isInvalid, setInvalid] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const send = async () => {
    const celsius = readCelsius(text);
    setInvalid(celsius === undefined);
    if (celsius === undefined) return;
    try {
      await props.send({ celsius, place });
      props.onDone(place);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      setFailure(error);
    }
  };
  return (
    <CancelForm class="inline-form" onSend={send} onCancel={props.onCancel}>
      <label>
        {t('screening.celsius')}
        <input
          ref={input}
          value={text}
          inputMode="decimal"
          maxLength={5}
          aria-invalid={isInvalid}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <label>
        {t('screening.place')}
        <select
          value={place}
          onChange={(event) => setPlace(PLACES.find((one) => one === event.currentTarget.value) ?? 'oral')}
        >
          {PLACES.map((one) => (
            <option key={one} value={one}>
              {t(`thermometer.${one}`)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary">
        {t('screening.save')} <kbd>Enter</kbd>
      </button>
      <button type="button" class="quiet" onClick={props.onCancel}>
        {t('common.cancel')} <kbd>Esc</kbd>
      </button>
      {isInvalid && <p role="alert">{t('screening.celsius.invalid')}</p>}
      {failure !== undefined && <FailureNote failure={failure} />}
    </CancelForm>
  );
}
