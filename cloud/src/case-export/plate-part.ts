import type { PlateFinding } from '@ngatu/contract';
import type { PlateRecord } from '../store/plate-store.ts';
import { maskPlate } from '../store/plate-text.ts';
import { type Html, html } from './html.ts';
import { renderFacts } from './sheet-part.ts';
import { formatInstant, formatNumber } from './wording.ts';

const STATE_WORDS: Readonly<Record<PlateFinding['state'], string>> = {
  read: 'đọc được',
  ambiguous: 'chưa rõ: nhiều biển số viết giống nhau',
  unreadable: 'không đọc được chắc chắn',
  'not-read': 'không đọc',
};

const REASON_WORDS: Readonly<Record<NonNullable<PlateFinding['reason']>, string>> = {
  'model-missing': 'nút không có mô hình đọc biển số',
  'model-failed': 'mô hình đọc biển số không chạy được',
  'process-failed': 'tiến trình xử lý ảnh bị dừng',
  'recording-missing': 'bản ghi không còn hình lúc đó',
  'subject-unseen': 'không biết phương tiện ở đâu trong hình',
  'no-plate': 'không tìm thấy biển số trên phương tiện',
  'other-road-user': 'biển số tìm thấy có thể của phương tiện khác',
  illegible: 'không thấy ký tự nào đọc được',
  unsure: 'các ký tự không đủ chắc chắn',
  'several-plates': 'cùng ký tự có thể là hai biển số khác nhau',
};

const VERDICT_WORDS = {
  confirmed: 'xác nhận',
  corrected: 'sửa thành',
  unreadable: 'cho là không đọc được',
} as const;

const percent = (probability: number): string => `${formatNumber(probability * 100, 1)} %`;

/** The plate for the file of the authority: what the machine read and how surely, and what each person said of it. */
export function renderPlate({ finding, judgements }: PlateRecord): Html {
  if (finding === undefined && judgements.length === 0) return html`<p>Nút không đọc biển số của vụ này.</p>`;
  return html`${finding === undefined ? html`` : renderFinding(finding)}
${
  judgements.length === 0
    ? html`<p class="warn"><strong>Chưa có ai xác nhận biển số.</strong></p>`
    : html`<table><thead><tr><th>Lúc</th><th>Người xem</th><th>Ý kiến</th><th>Lý do</th></tr></thead><tbody>
${judgements.map(
  ({ judgedAt, judgedBy, verdict, text, reason }) =>
    html`<tr><td>${formatInstant(judgedAt)}</td><td>${judgedBy}</td><td>${VERDICT_WORDS[verdict]} <strong>${text ?? ''}</strong></td><td>${reason}</td></tr>`,
)}</tbody></table>`
}`;
}

function renderFinding(finding: PlateFinding): Html {
  const { state, reason, text, shown, confidence, characters, alternatives, looks, frames, models } = finding;
  const doubtful = characters.filter(({ alternatives: others }) => others.length > 0);
  return renderFacts([
    ['Máy đọc', html`<strong>${shown ?? text ?? '–'}</strong> (${STATE_WORDS[state]})`],
    ...(reason === undefined ? [] : [['Vì sao', REASON_WORDS[reason]] as const]),
    ...(confidence === undefined ? [] : [['Xác suất đúng cả biển', percent(confidence)] as const]),
    ...(doubtful.length === 0 ? [] : [['Ký tự chưa chắc', doubtful.map(describeSign).join('; ')] as const]),
    ...(alternatives.length === 0
      ? []
      : [
          [
            'Cũng có thể là',
            alternatives.map((other) => `${other.text} (${percent(other.confidence)})`).join(', '),
          ] as const,
        ]),
    ['Số ảnh', `${looks} lần đọc trên ${frames} ảnh`],
    ['Mô hình', html`${models.map(({ name, sha256 }) => html`${name} <code>${sha256}</code> `)}`],
  ]);
}

function describeSign({ character, confidence, alternatives }: PlateFinding['characters'][number]): string {
  const others = alternatives.map((other) => `${other.character} ${percent(other.confidence)}`);
  return `${character} ${percent(confidence)} (${others.join(', ')})`;
}

/**
 * What the road user is told of the own plate. What no person has seen may be somebody else's: of that a part is shown, as in a list.
 */
export function describeOwnPlate({ finding, judgements }: PlateRecord): string | undefined {
  const last = judgements.at(-1);
  if (last !== undefined) {
    return last.text === undefined ? 'không đọc được' : `${last.text} (người có thẩm quyền đã xem)`;
  }
  if (finding?.text === undefined || finding.state === 'unreadable') return undefined;
  return `${maskPlate(finding.text)} (máy đọc, chưa có người xác nhận)`;
}
