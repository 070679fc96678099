import type { Ref } from 'preact';

/** The shortest reason that the API takes, in characters without space around them. */
const MIN_REASON = 3;

/** Whether `reason` is long enough to be sent. */
export function isReason(reason: string): boolean {
  return reason.trim().length >= MIN_REASON;
}

/** Asks why. The API says how long a reason may be: 200 characters, where not more is said. */
export function ReasonField(props: {
  label: string;
  value: string;
  onChange: (reason: string) => void;
  maxLength?: number;
  fieldRef?: Ref<HTMLInputElement>;
}) {
  return (
    <label>
      {props.label}
      <input
        ref={props.fieldRef ?? null}
        value={props.value}
        required
        minLength={MIN_REASON}
        maxLength={props.maxLength ?? 200}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
    </label>
  );
}
