import { useEffect, useRef, useState } from 'preact/hooks';
import type { AuditList, AuditVerification } from '../../src/api/account-schema.ts';
import { type AuditSearch, fetchAudit, verifyAudit } from './access-client.ts';
import { endOfDay, startOfDay } from './day.ts';
import { FailureNote } from './failure-note.tsx';
import { formatDateTime } from './format.ts';
import { useText } from './language.tsx';
import { useTask } from './task.ts';

type Rows = AuditList['items'];
type Filter = Omit<AuditSearch, 'before' | 'limit'>;

const PAGE_ROWS = 100;

function isFilled(entry: readonly [string, string | undefined]): entry is readonly [string, string] {
  return entry[1] !== undefined && entry[1] !== '';
}

/** Who saw and did what, when, from where and why. */
export function AuditPage({ onEnded }: { onEnded: () => void }) {
  const { t } = useText();
  const [filter, setFilter] = useState<Filter>({});
  const [rows, setRows] = useState<Rows>([]);
  const [hasMore, setHasMore] = useState(false);
  const { isRunning, failure, run } = useTask(onEnded);
  const load = (search: Filter, known: Rows) =>
    run(async () => {
      const before = known.at(-1)?.id;
      const page = await fetchAudit({
        ...search,
        limit: PAGE_ROWS,
        ...(before === undefined ? {} : { before }),
      });
      setFilter(search);
      setRows([...known, ...page]);
      setHasMore(page.length === PAGE_ROWS);
    });
  useEffect(() => void load({}, []), []);
  return (
    <div class="page">
      <h1>{t('audit.title')}</h1>
      <VerificationPanel onEnded={onEnded} />
      <AuditFilterBar onSearch={(search) => void load(search, [])} />
      {failure !== undefined && <FailureNote failure={failure} onRetry={() => void load(filter, [])} />}
      <AuditTable rows={rows} />
      <p class="list-end">
        {isRunning && <span role="status">{t('common.loading')}</span>}
        {!isRunning && hasMore && (
          <button type="button" onClick={() => void load(filter, rows)}>
            {t('audit.more')}
          </button>
        )}
        {!isRunning && rows.length === 0 && failure === undefined && t('audit.none')}
      </p>
    </div>
  );
}

function AuditFilterBar({ onSearch }: { onSearch: (filter: Filter) => void }) {
  const { t } = useText();
  const form = useRef<HTMLFormElement>(null);
  const search = () => {
    const data = new FormData(form.current ?? undefined);
    const read = (name: string) => String(data.get(name) ?? '').trim();
    const [first, last] = [read('first'), read('last')];
    const entries = [
      ['actor', read('actor')],
      ['action', read('action')],
      ['target', read('target')],
      ['from', first === '' ? undefined : startOfDay(first)],
      ['to', last === '' ? undefined : endOfDay(last)],
    ] as const;
    onSearch(Object.fromEntries(entries.filter(isFilled)));
  };
  return (
    <form
      ref={form}
      class="filters"
      aria-label={t('audit.filter')}
      onSubmit={(event) => {
        event.preventDefault();
        search();
      }}
    >
      <label>
        {t('audit.actor')}
        <input name="actor" maxLength={128} spellcheck={false} autocomplete="off" />
      </label>
      <label>
        {t('audit.action')}
        <input
          name="action"
          maxLength={64}
          pattern="[a-z][a-z0-9\-]+"
          spellcheck={false}
          autocomplete="off"
        />
      </label>
      <label>
        {t('audit.target')}
        <input name="target" maxLength={128} spellcheck={false} autocomplete="off" />
      </label>
      <label>
        {t('audit.firstDay')}
        <input name="first" type="date" />
      </label>
      <label>
        {t('audit.lastDay')}
        <input name="last" type="date" />
      </label>
      <button type="submit">{t('audit.search')}</button>
    </form>
  );
}

function AuditTable({ rows }: { rows: Rows }) {
  const { t, nameOf, language } = useText();
  if (rows.length === 0) return null;
  return (
    <div class="scroll">
      <table class="audit">
        <thead>
          <tr>
            <th scope="col">{t('audit.number')}</th>
            <th scope="col">{t('audit.time')}</th>
            <th scope="col">{t('audit.actor')}</th>
            <th scope="col">{t('audit.action')}</th>
            <th scope="col">{t('audit.target')}</th>
            <th scope="col">{t('audit.detail')}</th>
            <th scope="col">{t('audit.address')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, at, actor, action, target, detail, reason, address }) => (
            <tr key={id}>
              <td>{id}</td>
              <td>{formatDateTime(at, language)}</td>
              <th scope="row">{actor}</th>
              <td title={action}>{nameOf('act', action)}</td>
              <td>
                <code>{target}</code>
              </td>
              <td>
                {detail}
                {detail !== undefined && reason !== undefined && <br />}
                {reason !== undefined && <q>{reason}</q>}
              </td>
              <td>{address}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function VerificationPanel({ onEnded }: { onEnded: () => void }) {
  const { t } = useText();
  const [report, setReport] = useState<AuditVerification | undefined>(undefined);
  const { isRunning, failure, run } = useTask(onEnded);
  return (
    <section class="panel">
      <div class="inline-form">
        <button
          type="button"
          disabled={isRunning}
          onClick={() => void run(async () => setReport(await verifyAudit()))}
        >
          {isRunning ? t('audit.verifying') : t('audit.verify')}
        </button>
        <span class="hint">{t('audit.verify.hint')}</span>
      </div>
      {failure !== undefined && <FailureNote failure={failure} />}
      {report !== undefined && <VerificationResult report={report} />}
    </section>
  );
}

function VerificationResult({ report }: { report: AuditVerification }) {
  const { t } = useText();
  const { rows, anchors, signedAnchors, head, faults } = report;
  return (
    <div class={`strip ${faults.length === 0 ? 'strip-good' : 'strip-bad'}`} role="status">
      <strong>
        {faults.length === 0 ? t('audit.whole') : t('audit.tampered', { count: faults.length })}
      </strong>
      <span>{t('audit.counts', { rows, anchors, signed: signedAnchors })}</span>
      <code>
        {head.id}:{head.digest}
      </code>
      {faults.length > 0 && (
        <ul>
          {faults.map(({ kind, row, line, detail }) => (
            <li key={`${kind} ${row} ${line}`}>
              {kind} {row ?? line ?? ''}: {detail}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
