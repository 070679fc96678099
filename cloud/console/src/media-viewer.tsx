import type { EvidenceRole } from '@ngatu/contract';
import { useState } from 'preact/hooks';
import type { EventDetail } from '../../src/api/api-schema.ts';
import { type Account, buildEvidenceUrl } from './api-client.ts';
import { ClipPlayer } from './clip-player.tsx';
import { useText } from './language.tsx';
import { OpeningPanel, useOpenings } from './opening-panel.tsx';
import { useShortcuts } from './shortcut.ts';
import { StillView } from './still-view.tsx';

const ROLES = [
  'still-before',
  'still-at',
  'still-after',
  'subject-crop',
  'preview',
  'clip',
] as const satisfies readonly EvidenceRole[];

export type StoredFile = NonNullable<EventDetail['evidence']>['files'][number];

/** What can be shown for a role: the file, or in words why there is none. */
type Slot = { readonly file: StoredFile } | { readonly words: string };

function useSlot(detail: EventDetail): (role: EvidenceRole) => Slot {
  const { t } = useText();
  return (role) => {
    const { evidence } = detail;
    if (evidence === undefined) return { words: t('media.noManifest') };
    const file = evidence.files.find((candidate) => candidate.role === role);
    if (file?.arrived === true) return { file };
    if (file !== undefined) return { words: t('media.waiting') };
    const missing = evidence.missing.find((candidate) => candidate.role === role);
    return {
      words: missing === undefined ? t('media.notAnnounced') : t('media.absent', { reason: missing.reason }),
    };
  };
}

/** The chosen picture or video large, all of them below it. The original stays closed until it was opened by request. */
export function MediaViewer({ detail, account }: { detail: EventDetail; account: Account }) {
  const { t } = useText();
  const [role, setRole] = useState<EvidenceRole>('still-at');
  const [isMarked, setMarked] = useState(true);
  const [isZoomed, setZoomed] = useState(false);
  const slotOf = useSlot(detail);
  const slot = slotOf(role);
  const openings = useOpenings(detail.event.eventId, role === 'clip');
  const isSealed = role === 'clip' && openings.list?.isOpen !== true;
  const isStill = role !== 'clip' && role !== 'preview';
  const toggleMark = () => setMarked((value) => !value);
  const toggleZoom = () => setZoomed((value) => !value);
  useShortcuts({
    o: () => void toggleMark(),
    z: () => void toggleZoom(),
    v: () => void setRole('preview'),
    ...Object.fromEntries(ROLES.map((name, index) => [String(index + 1), () => void setRole(name)])),
  });
  return (
    <section class="media" aria-label={t('event.media')}>
      <div class="stage">
        {isSealed && <OpeningPanel eventId={detail.event.eventId} account={account} openings={openings} />}
        {'words' in slot && !isSealed && (
          <p class="stage-words" role="status">
            {slot.words}
          </p>
        )}
        {'file' in slot && !isStill && !isSealed && <ClipPlayer key={slot.file.sha256} file={slot.file} />}
        {'file' in slot && isStill && (
          <StillView
            key={slot.file.sha256}
            detail={detail}
            file={slot.file}
            isMarked={isMarked}
            isZoomed={isZoomed && role !== 'subject-crop'}
          />
        )}
      </div>
      {isStill && 'file' in slot && (
        <div class="stage-bar">
          <button type="button" aria-pressed={isMarked} disabled={role !== 'still-at'} onClick={toggleMark}>
            {t('media.overlay')} <kbd>O</kbd>
          </button>
          <button
            type="button"
            aria-pressed={isZoomed}
            disabled={role === 'subject-crop'}
            onClick={toggleZoom}
          >
            {t('media.zoom')} <kbd>Z</kbd>
          </button>
          <a href={buildEvidenceUrl(slot.file.sha256)} target="_blank" rel="noreferrer">
            {t('media.open')}
          </a>
        </div>
      )}
      <fieldset class="film">
        <legend class="visually-hidden">{t('event.media')}</legend>
        {ROLES.map((name, index) => (
          <FilmButton
            key={name}
            role={name}
            number={index + 1}
            slot={slotOf(name)}
            isChosen={name === role}
            onChoose={() => setRole(name)}
          />
        ))}
      </fieldset>
    </section>
  );
}

function FilmButton(props: {
  role: EvidenceRole;
  number: number;
  slot: Slot;
  isChosen: boolean;
  onChoose: () => void;
}) {
  const { t } = useText();
  const { role, number, slot, isChosen, onChoose } = props;
  return (
    <button type="button" class="film-button" aria-pressed={isChosen} onClick={onChoose}>
      {'words' in slot && <span class="film-none">–</span>}
      {'file' in slot && (role === 'clip' || role === 'preview') && (
        <span class="film-none" aria-hidden="true">
          {role === 'clip' ? '🔒' : '▶'}
        </span>
      )}
      {'file' in slot && role !== 'clip' && role !== 'preview' && (
        <img src={buildEvidenceUrl(slot.file.sha256)} alt="" />
      )}
      <span>
        <kbd>{number}</kbd> {t(`media.${role}`)}
      </span>
    </button>
  );
}
