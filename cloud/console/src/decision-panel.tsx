import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { EventDetail, Review } from '../../src/api/api-schema.ts';
import { ApiFailure, sendReview } from './api-client.ts';
import type { TextKey } from './dictionary.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { isReason } from './reason-field.tsx';
import { useShortcuts } from './shortcut.ts';
import type { Workplace } from './workplace.ts';

type Decision = Review['decision'];

const QUICK_REASONS: Readonly<Record<Decision, readonly TextKey[]>> = {
  confirmed: ['reason.confirmed.1', 'reason.confirmed.2', 'reason.confirmed.3'],
  rejected: [
    'reason.rejected.1',
    'reason.rejected.2',
    'reason.rejected.3',
    'reason.rejected.4',
    'reason.rejected.5',
    'reason.rejected.6',
    'reason.rejected.7',
  ],
};

interface PanelProps {
  readonly detail: EventDetail;
  readonly work: Workplace;
  readonly onDecided: (detail: EventDetail) => void;
  /** Somebody else was faster: the case must be read again. */
  readonly onConflict: () => void;
}

/** Confirm or reject, always with a reason; who has decided before stays in sight. */
export function DecisionPanel({ detail, work, onDecided, onConflict }: PanelProps) {
  const { t } = useText();
  const [decision, setDecision] = useState<Decision | undefined>(undefined);
  const [isConflict, setConflict] = useState(false);
  const begin = (next: Decision) => {
    setConflict(false);
    setDecision(next);
  };
  useShortcuts({ c: () => void begin('confirmed'), r: () => void begin('rejected') });
  return (
    <section class="decision" aria-label={t('decision.title')}>
      <h2>{t('decision.title')}</h2>
      <DecisionHistory reviews={detail.reviews} />
      {isConflict && (
        <p class="note note-warn" role="alert">
          {t('decision.conflict')} <small>{t('error.code', { code: 'REVIEW_CONFLICT' })}</small>
        </p>
      )}
      <div class="decision-keys">
        <button
          type="button"
          class="decide"
          aria-pressed={decision === 'confirmed'}
          onClick={() => begin('confirmed')}
        >
          ✓ {t('decision.confirm')} <kbd>C</kbd>
        </button>
        <button
          type="button"
          class="decide"
          aria-pressed={decision === 'rejected'}
          onClick={() => begin('rejected')}
        >
          ✕ {t('decision.reject')} <kbd>R</kbd>
        </button>
      </div>
      {decision !== undefined && (
        <ReasonForm
          key={decision}
          decision={decision}
          detail={detail}
          work={work}
          onCancel={() => setDecision(undefined)}
          onDecided={onDecided}
          onConflict={() => {
            setDecision(undefined);
            setConflict(true);
            onConflict();
          }}
        />
      )}
    </section>
  );
}

function DecisionHistory({ reviews }: { reviews: readonly Review[] }) {
  const { t, language } = useText();
  if (reviews.length === 0) return <p class="hint">{t('decision.none')}</p>;
  return (
    <div>
      <ol class="history" aria-label={t('decision.history')}>
        {reviews.map(({ reviewer, decision, decidedAt, reason }) => (
          <li key={decidedAt}>
            <strong>
              {t('decision.entry', {
                reviewer,
                decision: t(`review.${decision}`),
                time: formatDateTime(decidedAt, language),
              })}
            </strong>
            <br />
            {reason}
          </li>
        ))}
      </ol>
      <p class="hint">{t('decision.again')}</p>
    </div>
  );
}

interface ReasonFormProps extends PanelProps {
  readonly decision: Decision;
  readonly onCancel: () => void;
}

function ReasonForm(props: ReasonFormProps) {
  const { decision, detail, work, onCancel, onDecided, onConflict } = props;
  const { t } = useText();
  const [reason, setReason] = useState('');
  const [isShort, setShort] = useState(false);
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>(undefined);
  const field = useRef<HTMLTextAreaElement>(null);
  const quick = QUICK_REASONS[decision];
  // The reader decides on what was on the screen, not on what arrived while the reason was typed.
  const seen = useRef(detail.reviews.length).current;
  // Before the next key can be pressed: who types R, 3, Enter must not lose the 3.
  useLayoutEffect(() => field.current?.focus(), []);

  const send = async () => {
    if (isSending) return;
    setShort(!isReason(reason));
    if (!isReason(reason)) return field.current?.focus();
    setSending(true);
    setFailure(undefined);
    try {
      onDecided(
        await sendReview(detail.event.eventId, { decision, reason: reason.trim(), expectedReviews: seen }),
      );
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === 'UNAUTHENTICATED') return work.onEnded();
      if (error.code === 'REVIEW_CONFLICT') return onConflict();
      setFailure(error);
    } finally {
      setSending(false);
    }
  };
  const hear = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const picked = reason === '' ? quick[Number(event.key) - 1] : undefined;
    if (picked !== undefined) setReason(t(picked));
    else if (event.key === 'Enter' && !event.shiftKey) void send();
    else if (event.key === 'Escape') onCancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <form
      class="reason"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h3>{t(decision === 'confirmed' ? 'decision.confirming' : 'decision.rejecting')}</h3>
      <fieldset class="quick">
        <legend class="visually-hidden">{t('decision.quick')}</legend>
        {quick.map((key, index) => (
          <button
            key={key}
            type="button"
            aria-pressed={reason === t(key)}
            onClick={() => {
              setReason(t(key));
              field.current?.focus();
            }}
          >
            <kbd>{index + 1}</kbd> {t(key)}
          </button>
        ))}
      </fieldset>
      <label>
        {t('decision.reason')}
        <textarea
          ref={field}
          rows={2}
          maxLength={500}
          value={reason}
          aria-describedby="reason-hint"
          aria-invalid={isShort}
          onInput={(event) => setReason(event.currentTarget.value)}
          onKeyDown={hear}
        />
      </label>
      <p id="reason-hint" class="hint">
        {t('decision.reason.hint', { count: quick.length })}
      </p>
      {isShort && (
        <p class="note note-bad" role="alert">
          {t('decision.short')}
        </p>
      )}
      {failure !== undefined && <FailureNote failure={failure} />}
      <div class="decision-keys">
        <button type="submit" class="primary" disabled={isSending}>
          {isSending ? t('decision.sending') : t(`decision.send.${decision}`)} <kbd>Enter</kbd>
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          {t('common.cancel')} <kbd>Esc</kbd>
        </button>
      </div>
    </form>
  );
}
