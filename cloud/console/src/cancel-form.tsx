import type { ComponentChildren } from 'preact';

/** A form that is sent by its own script and left by Escape. */
export function CancelForm(props: {
  class: string;
  onSend: () => Promise<void>;
  onCancel: () => void;
  children: ComponentChildren;
}) {
  return (
    <form
      class={props.class}
      onSubmit={(event) => {
        event.preventDefault();
        void props.onSend();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') props.onCancel();
      }}
    >
      {props.children}
    </form>
  );
}
