import { useState } from 'preact/hooks';
import type { CameraDirective, CameraOverview } from '../../src/api/api-schema.ts';
import { ApiFailure, endDirective } from './api-client.ts';
import { CancelForm } from './cancel-form.tsx';
import { DirectiveForm } from './directive-form.tsx';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime, formatDuration, formatTime } from './format.ts';
import { useText } from './language.tsx';
import { isReason, ReasonField } from './reason-field.tsx';

interface PanelProps {
  readonly camera: CameraOverview;
  /** Those of this camera, in force or to come. */
  readonly directives: readonly CameraDirective[];
  readonly mayDirect: boolean;
  readonly onChanged: () => void;
  readonly onEnded: () => void;
}

/** What a person has declared about the camera, in sight as long as it holds, and the switch for it. */
export function DirectivePanel(props: PanelProps) {
  const { camera, directives, mayDirect, onChanged, onEnded } = props;
  const { t } = useText();
  const [isOpen, setOpen] = useState(false);
  if (directives.length === 0 && !mayDirect) return null;
  return (
    <section class="directives" aria-label={t('directive.title', { camera: camera.camera })}>
      {directives.map((directive) => (
        <DirectiveBanner
          key={directive.directiveId}
          directive={directive}
          mayDirect={mayDirect}
          onChanged={onChanged}
          onEnded={onEnded}
        />
      ))}
      {mayDirect && !isOpen && (
        <button type="button" class="directive-open" onClick={() => setOpen(true)}>
          <span aria-hidden="true">⚑</span> {t('directive.open')}
        </button>
      )}
      {isOpen && (
        <DirectiveForm
          camera={camera}
          onCancel={() => setOpen(false)}
          onDeclared={() => {
            setOpen(false);
            onChanged();
          }}
          onEnded={onEnded}
        />
      )}
    </section>
  );
}

function DirectiveBanner(props: {
  directive: CameraDirective;
  mayDirect: boolean;
  onChanged: () => void;
  onEnded: () => void;
}) {
  const { directive, mayDirect, onChanged, onEnded } = props;
  const { t, language } = useText();
  const [isEnding, setEnding] = useState(false);
  const { kind, state, from, until, reason, declaredBy, delivered } = directive;
  const leftMs = Math.max(0, Date.parse(until) - Date.now());
  return (
    <div class={`directive directive-${kind} directive-${state}`} role="status">
      <div class="directive-words">
        <strong class="directive-kind">
          <span aria-hidden="true">⚑</span> {t(`directive.${kind}`)}
        </strong>
        <span>
          {state === 'planned'
            ? t('directive.planned', {
                from: formatDateTime(from, language),
                until: formatTime(until, language),
              })
            : t('directive.active', {
                until: formatTime(until, language),
                left: formatDuration(Math.ceil(leftMs / 60_000) * 60_000, language),
              })}
        </span>
        <span>{t('directive.by', { reason, name: declaredBy })}</span>
        <span class={delivered ? 'hint' : 'directive-waiting'}>
          {t(delivered ? 'directive.delivered' : 'directive.waiting')}
        </span>
      </div>
      {mayDirect && !isEnding && (
        <button type="button" onClick={() => setEnding(true)}>
          {t(state === 'planned' ? 'directive.takeBack' : 'directive.end')}
        </button>
      )}
      {isEnding && (
        <EndForm
          directiveId={directive.directiveId}
          onCancel={() => setEnding(false)}
          onDone={onChanged}
          onEnded={onEnded}
        />
      )}
    </div>
  );
}

function EndForm(props: {
  directiveId: string;
  onCancel: () => void;
  onDone: () => void;
  onEnded: () => void;
}) {
  const { directiveId, onCancel, onDone, onEnded } = props;
  const { t } = useText();
  const [reason, setReason] = useState('');
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const send = async () => {
    try {
      await endDirective(directiveId, reason.trim());
      onDone();
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'UNAUTHENTICATED') return onEnded();
      // It ended by itself meanwhile: that is what was asked for.
      if (error.code === 'DIRECTIVE_ENDED') return onDone();
      setFailure(error);
    }
  };
  return (
    <CancelForm class="directive-end" onSend={send} onCancel={onCancel}>
      <ReasonField
        label={t('directive.endReason')}
        value={reason}
        onChange={setReason}
        fieldRef={(field) => field?.focus()}
      />
      <button type="submit" class="primary" disabled={!isReason(reason)}>
        {t('directive.end')}
      </button>
      <button type="button" class="quiet" onClick={onCancel}>
        {t('common.cancel')}
      </button>
      {failure !== undefined && <FailureNote failure={failure} />}
    </CancelForm>
  );
}
