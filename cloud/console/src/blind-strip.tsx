import type { CameraOverview, CameraReport } from '../../src/api/api-schema.ts';
import { useText } from './language.tsx';
import { buildHash } from './route.ts';

const NAMES_SHOWN = 3;

/** Whether the cameras look at all: without it an empty list could mean anything. */
export function BlindStrip({ report }: { report: CameraReport | undefined }) {
  const { t } = useText();
  if (report === undefined) {
    return (
      <section class="strip" aria-label={t('strip.label')}>
        {t('common.loading')}
      </section>
    );
  }
  const { cameras } = report;
  const by = (state: CameraOverview['now']) => cameras.filter((camera) => camera.now === state);
  const notLooking = by('blind').length + by('unreported').length;
  const tone = notLooking > 0 ? 'bad' : by('degraded').length > 0 || cameras.length === 0 ? 'warn' : 'good';
  return (
    <section class={`strip strip-${tone}`} role="status" aria-label={t('strip.label')}>
      {cameras.length === 0 && (
        <span>
          {t('strip.none')} {t('strip.none.next')}
        </span>
      )}
      {tone === 'good' && <span>● {t('strip.allLooking', { count: cameras.length })}</span>}
      <StripPart sign="⊘" words={t('strip.blind', { count: by('blind').length })} cameras={by('blind')} />
      <StripPart
        sign="?"
        words={t('strip.unreported', { count: by('unreported').length })}
        cameras={by('unreported')}
      />
      <StripPart
        sign="◐"
        words={t('strip.degraded', { count: by('degraded').length })}
        cameras={by('degraded')}
      />
      {notLooking > 0 && <span class="strip-meaning">{t('strip.meaning')}</span>}
      <a href={buildHash({ page: 'cameras' })}>{t('strip.details')}</a>
    </section>
  );
}

function StripPart(props: { sign: string; words: string; cameras: readonly CameraOverview[] }) {
  const { sign, words, cameras } = props;
  const { nameOf } = useText();
  if (cameras.length === 0) return null;
  const names = cameras.slice(0, NAMES_SHOWN).map(({ camera, reason }) => {
    return reason === undefined ? camera : `${camera}: ${nameOf('blind', reason)}`;
  });
  const rest = cameras.length > NAMES_SHOWN ? ', …' : '';
  return (
    <span>
      <strong>
        <span aria-hidden="true">{sign}</span> {words}
      </strong>{' '}
      ({names.join(', ')}
      {rest})
    </span>
  );
}
