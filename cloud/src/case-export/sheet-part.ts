import type { Event } from '@ngatu/contract';
import type { CaseDossier, CaseFile, CaseReading } from './exported-case.ts';
import { type Html, html } from './html.ts';
import { SHEET_STYLE } from './sheet-style.ts';
import {
  describeClause,
  describeMeasures,
  formatInstant,
  formatInstantDay,
  formatNumber,
  KIND_WORDS,
  LABEL_WORDS,
  ROLE_WORDS,
  SIGNAL_WORDS,
} from './wording.ts';

/** Sections that both sheets are made of. */

/** A whole document: no script, no address outside of it. */
export function renderDocument({ title, body }: { readonly title: string; readonly body: Html }): string {
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
  return html`<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${SHEET_STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`.text;
}

export function renderFacts(facts: readonly (readonly [name: string, value: string | Html])[]): Html {
  return html`<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** The decisive moment first, wide; then what was before and after it side by side. */
const PICTURE_ORDER = [
  'still-at',
  'still-before',
  'still-after',
  'subject-crop',
  'plate-crop',
  'plate-frame',
];

export function renderPictures(files: readonly CaseFile[]): Html {
  const shown = files
    .filter(({ picture }) => picture !== undefined)
    .sort((a, b) => PICTURE_ORDER.indexOf(a.file.role) - PICTURE_ORDER.indexOf(b.file.role));
  if (shown.length === 0) return html`<p>Không có ảnh nào trong bản xuất này.</p>`;
  return html`<div class="pictures">${shown.map((file) => renderPicture(file, shown.length))}</div>`;
}

function renderPicture({ file, picture = new Uint8Array() }: CaseFile, count: number): Html {
  const isWide = file.role === 'still-at' || count === 1;
  const source = `data:image/jpeg;base64,${Buffer.from(picture).toString('base64')}`;
  const name = ROLE_WORDS[file.role];
  const recipe =
    file.derivation === undefined
      ? html``
      : html`<br>Ảnh dẫn xuất từ bản gốc, cách xử lý: <code>${file.derivation.recipe}</code>`;
  return html`<figure class="${isWide ? 'wide' : ''}"><img src="${source}" alt="${name}">
<figcaption><strong>${name}</strong>, ${formatInstant(file.capturedAt)}${recipe}<br>SHA-256 <code>${file.sha256}</code></figcaption></figure>`;
}

/** What was seen, in words, with how sure it is. */
export function renderFinding({
  subject,
  signal,
  explanation,
  measures,
  clockErrorMs,
  capturedAt,
}: Event): Html {
  return html`<p class="lead">${explanation.vi}</p>
${renderFacts([
  [
    'Thời điểm',
    `${formatInstant(capturedAt)} (giờ Việt Nam), sai số đồng hồ ± ${formatNumber(clockErrorMs, 0)} ms`,
  ],
  [
    'Đối tượng',
    `${LABEL_WORDS[subject.label]}, độ tin cậy nhận dạng ${formatNumber(subject.confidence * 100, 0)} %`,
  ],
  ...(signal === undefined
    ? []
    : [
        [
          'Đèn tín hiệu',
          `${SIGNAL_WORDS[signal.state]}, đã ${formatNumber(signal.sinceMs / 1_000, 1)} giây, độ tin cậy ${formatNumber(signal.confidence * 100, 0)} %`,
        ] as const,
      ]),
  ...describeMeasures(measures).map(({ words, value }) => [words, value] as const),
])}`;
}

/** The law of the day of the case, each reading with its fine; what nobody has read at the source says so. */
export function renderLaw(readings: readonly CaseReading[], capturedAt: string): Html {
  const [first] = readings;
  if (first === undefined) return html``;
  const doubt =
    readings.length > 1
      ? html`<p class="warn"><strong>Sai số không loại trừ được cách hiểu nào dưới đây.</strong> Người có thẩm quyền quyết định.</p>`
      : html``;
  const lapses = formatInstantDay(new Date(first.law.lapsesAtMs).toISOString());
  return html`${doubt}${readings.map(renderReading)}
<p class="muted">Xét theo ngày vi phạm ${formatInstantDay(capturedAt)}. Hết thời hiệu xử phạt: ${lapses}.</p>`;
}

function renderReading({ kind, law }: CaseReading, index: number): Html {
  const heading = index === 0 ? 'Hệ thống báo' : 'Cũng có thể là';
  const none = html`<p>Chưa ghi điều khoản cho trường hợp này vào ngày vi phạm.</p>`;
  const many = html`<p class="muted">${law.rows.length} điều khoản có thể áp dụng:</p>`;
  return html`<h3>${heading}: ${KIND_WORDS[kind]}</h3>
${law.rows.length === 0 ? none : law.rows.length > 1 ? many : html``}
${law.rows.map((row) => {
  const clause = describeClause(row);
  return html`<div class="box${clause.isVerified ? '' : ' warn'}">
<p><strong>${clause.clause}</strong>: ${clause.title}</p>
<p><strong>${clause.fine}</strong>, ${clause.points}</p>
<p class="muted">Hiệu lực ${clause.validity}. <strong>${clause.certainty}.</strong> Nguồn: ${clause.source}</p>
</div>`;
})}`;
}

/** `Vượt đèn đỏ · Xe máy`. */
export function nameCase({ record }: CaseDossier): string {
  const { kind, subject } = record.event;
  return `${KIND_WORDS[kind]} · ${LABEL_WORDS[subject.label]}`;
}
