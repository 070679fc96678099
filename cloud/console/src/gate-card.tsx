import type { ComponentChildren } from 'preact';
import { formatDateTime, formatDuration, formatNumber, formatShare, formatTime } from './format.ts';
import { type Text, useText } from './language.tsx';
import type { GateOverview } from './screening-client.ts';

const SERVICE_SIGN = { serving: '●', 'standing-aside': '◐', blind: '⊘', unreported: '?' } as const;

export function reasonWords({ nameOf }: Text, reason: string): string {
  return nameOf('gateReason', reason);
}

/** A gate as a machine: whether it serves and why not, its room and its camera, counts and how good it is. */
export function GateCard(props: { gate: GateOverview; feverFromC: number; children?: ComponentChildren }) {
  const { gate, feverFromC, children } = props;
  const text = useText();
  const { t, language } = text;
  const name = `${gate.site}/${gate.node}/${gate.gate}`;
  return (
    <li class={`camera gate gate-${gate.service}`} data-gate={name}>
      <div class="camera-head">
        <h2>{gate.gate}</h2>
        <span class={`chip gate-chip-${gate.service}`}>
          <span aria-hidden="true">{SERVICE_SIGN[gate.service]}</span> {t(`gateService.${gate.service}`)}
        </span>
        {gate.reason !== undefined && <strong>{reasonWords(text, gate.reason)}</strong>}
        {gate.since !== undefined && (
          <span class="hint">{t('screening.since', { time: formatDateTime(gate.since, language) })}</span>
        )}
        {gate.fault !== undefined && <span>{t('screening.fault', { code: gate.fault })}</span>}
        <span class="push" />
        <span class="hint">
          {t('cameras.node', { node: gate.node, site: gate.site })} ·{' '}
          {t('screening.heard', { time: formatDateTime(gate.heardAt, language) })}
        </span>
      </div>
      {children}
      <GateFacts gate={gate} />
      <Counts gate={gate} />
      <Loop gate={gate} feverFromC={feverFromC} />
    </li>
  );
}

function GateFacts({ gate }: { gate: GateOverview }) {
  const text = useText();
  const { t, language } = text;
  const degrees = (celsius: number) => formatNumber(celsius, language, 2);
  const { learning, room, selfCheck } = gate;
  return (
    <ul class="gate-facts">
      {learning !== undefined && (
        <li class={learning.phase === 'held' ? 'gate-warn' : undefined}>
          {learning.phase === 'learning' && t('screening.learning', learning)}
          {learning.phase === 'following' && t('screening.following', learning)}
          {learning.phase === 'held' && t('screening.held')}
        </li>
      )}
      {gate.warmUntil !== undefined && (
        <li>{t('screening.warmUntil', { time: formatTime(gate.warmUntil, language) })}</li>
      )}
      <li>
        {room === undefined
          ? t('screening.room.none')
          : t('screening.room', {
              celsius: formatNumber(room.celsius, language, 1),
              humidity: formatNumber(room.relativeHumidity * 100, language, 0),
            })}
      </li>
      {gate.offsetC !== undefined && (
        <li>
          {t('screening.offset', { celsius: degrees(gate.offsetC) })}
          {gate.driftCPerHour !== undefined &&
            `, ${t('screening.drift', { celsius: degrees(gate.driftCPerHour) })}`}
        </li>
      )}
      <li class={selfCheck?.passed === false ? 'gate-warn' : undefined}>
        {selfCheck === undefined ? t('screening.check.none') : describeCheck(text, selfCheck)}
      </li>
    </ul>
  );
}

type SelfCheck = NonNullable<GateOverview['selfCheck']>;

export function describeCheck({ t, nameOf, language }: Text, check: SelfCheck): string {
  const time = formatDateTime(check.at, language);
  if (check.passed) return t('screening.check.passed', { time });
  const failed = check.items.filter(({ passed }) => !passed).map(({ name }) => nameOf('selfCheck', name));
  return t('screening.check.failed', { time, items: failed.join(', ') });
}

function Counts({ gate: { counts, time } }: { gate: GateOverview }) {
  const text = useText();
  const { t, language } = text;
  const refusals = Object.entries(counts.refused).sort(([, a], [, b]) => b - a);
  const refused = refusals.reduce((sum, [, count]) => sum + count, 0);
  return (
    <>
      <p>{t('screening.counts', { passed: counts.passed, measured: counts.measured, refused })}</p>
      {refusals.length > 0 && (
        <p class="hint">
          {t('screening.refusals')}:{' '}
          {refusals.map(([reason, count]) => `${reasonWords(text, reason)} ${count}`).join('; ')}
        </p>
      )}
      {time.length > 0 && (
        <p class="hint">
          {t('screening.time')}:{' '}
          {time
            .map(({ service, reason, ms }) => {
              const why = reason === undefined ? '' : ` (${reasonWords(text, reason)})`;
              return `${t(`gateService.${service}`)}${why} ${formatDuration(ms, language)}`;
            })
            .join('; ')}
        </p>
      )}
    </>
  );
}

function Loop({ gate: { counts }, feverFromC }: { gate: GateOverview; feverFromC: number }) {
  const { t, language } = useText();
  const words = ({ hits, total, value, low, high }: typeof counts.confirmed.sensitivity): string =>
    value === undefined || low === undefined || high === undefined
      ? t('screening.share.none')
      : t('screening.share', {
          ...{ hits, total, value: formatShare(value, language) },
          ...{ low: formatShare(low, language), high: formatShare(high, language) },
        });
  return (
    <div>
      <h3>{t('screening.loop')}</h3>
      <dl class="gate-loop">
        <dt>{t('screening.sensitivity')}</dt>
        <dd>{words(counts.confirmed.sensitivity)}</dd>
        <dt>{t('screening.specificity')}</dt>
        <dd>{words(counts.confirmed.specificity)}</dd>
      </dl>
      <p class="hint">{t('screening.loop.hint', { celsius: formatNumber(feverFromC, language, 1) })}</p>
    </div>
  );
}
