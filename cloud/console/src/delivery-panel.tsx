import type { DeliveryReport } from '../../src/api/delivery-schema.ts';
import { useDeliveryPoll } from './delivery-poll.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { ModelTable } from './model-table.tsx';

type NodeDelivery = DeliveryReport['nodes'][number];

const EVERY_MS = 10_000;
/** A conflict that was not seen for this long is over, ms. */
const CONFLICT_LASTS_MS = 600_000;
const MISSING_STATES: ReadonlySet<string> = new Set(['open', 'asked', 'abandoned']);

/** What is not as it should be with the numbers of the nodes: two machines under one name first, then what is missing, then what waits. */
export function DeliveryPanel({ onEnded }: { onEnded: () => void }) {
  const { t } = useText();
  const { report, failure } = useDeliveryPoll(EVERY_MS, onEnded);
  if (failure !== undefined) return <FailureNote failure={failure} />;
  if (report === undefined) return null;
  return (
    <section class="delivery" aria-label={t('delivery.title')}>
      <h2>{t('delivery.title')}</h2>
      <ul>
        {report.nodes.map((node) => (
          <li key={`${node.site}/${node.node}`}>
            <NodeLine node={node} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function NodeLine({ node }: { node: NodeDelivery }) {
  const { t, language } = useText();
  const holes = node.outboxes.flatMap(({ holes }) => holes.filter(({ state }) => MISSING_STATES.has(state)));
  const missing = holes.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const since = holes.reduce(
    (oldest, hole) => (hole.since < oldest ? hole.since : oldest),
    holes[0]?.since ?? '',
  );
  const asked = holes.some(({ asks }) => asks > 0);
  const waiting = node.state?.outbox?.waiting ?? 0;
  const nothingMissing = missing === 0 && node.conflicts.length === 0 && node.droppedItems === 0;
  return (
    <>
      <strong>{t('cameras.node', { node: node.node, site: node.site })}</strong>
      {node.conflicts.map((conflict) => (
        <Conflict key={`${conflict.kind} ${conflict.one} ${conflict.other}`} conflict={conflict} />
      ))}
      {missing > 0 && (
        <p class="note note-bad">
          {t('delivery.missing', { count: missing, since: formatDateTime(since, language) })}{' '}
          {asked ? t('delivery.asked') : t('delivery.notAsked')}
        </p>
      )}
      {node.droppedItems > 0 && <p>{t('delivery.dropped', { count: node.droppedItems })}</p>}
      <p class="hint">
        {waiting > 0 ? t('delivery.waiting', { count: waiting }) : t('delivery.nothingWaits')}
        {nothingMissing && ` · ${t('delivery.whole')}`}
      </p>
      {node.state !== undefined && <ModelTable state={node.state} />}
    </>
  );
}

function Conflict({ conflict }: { conflict: NodeDelivery['conflicts'][number] }) {
  const { t, language } = useText();
  const { kind, firstAt, lastAt, certificates } = conflict;
  const isOver = Date.now() - Date.parse(lastAt) > CONFLICT_LASTS_MS;
  const times = { first: formatDateTime(firstAt, language), last: formatDateTime(lastAt, language) };
  return (
    <p class={isOver ? 'hint' : 'note note-bad'} role={isOver ? undefined : 'alert'}>
      {t(`delivery.conflict.${kind}`)} {t('delivery.conflict.seen', times)}
      {certificates !== undefined && ` ${t('delivery.conflict.certificates')}`}
    </p>
  );
}
