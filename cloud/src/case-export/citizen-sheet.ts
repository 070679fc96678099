import type { CaseDossier, CaseFile } from './exported-case.ts';
import { type Html, html } from './html.ts';
import { describeOwnPlate } from './plate-part.ts';
import {
  nameCase,
  renderDocument,
  renderFacts,
  renderFinding,
  renderLaw,
  renderPictures,
} from './sheet-part.ts';
import { formatInstant, formatInstantDay } from './wording.ts';

const DECISION_WORDS = {
  confirmed: 'Người có thẩm quyền đã xem và xác nhận vụ việc này.',
  rejected: 'Người có thẩm quyền đã xem và bác bỏ vụ việc này.',
} as const;

/** Recipes after which nobody but the subject can be recognised. */
const SAFE_RECIPE = /^blur\/\d+ /;

/**
 * The sheet that may be shown to the road user: the own vehicle, what it did, the law. Nobody else is in it: no picture that was not
 * blurred by a known recipe, no name of a reviewer, no reason in anybody's words.
 */
export function renderCitizenSheet(
  cases: readonly CaseDossier[],
  { exportedAt }: { readonly exportedAt: string },
): string {
  const body = html`<header>
<h1>Thông tin về vụ việc giao thông</h1>
<p class="muted">Lập lúc ${formatInstant(exportedAt)} (giờ Việt Nam)</p>
</header>
<p class="box">Đây là thông tin để người điều khiển phương tiện xem, <strong>không phải quyết định xử phạt</strong>. Người và phương tiện khác đã được
làm mờ. Quý vị có quyền đề nghị xem lại và giải trình với cơ quan có thẩm quyền.</p>
${cases.map(renderCase)}`;
  return renderDocument({ title: 'Thông tin về vụ việc giao thông', body });
}

function renderCase(dossier: CaseDossier): Html {
  const { record, readings, files } = dossier;
  const { event, reviews } = record;
  const last = reviews.at(-1);
  const safe = files.filter(isSafeToShow);
  const ownPlate = describeOwnPlate(dossier.plate);
  return html`<section class="case">
<h1>${nameCase(dossier)}</h1>
<p>Camera ${event.camera}, ${formatInstant(event.capturedAt)} (giờ Việt Nam)</p>
<h2>Hình ảnh</h2>
${
  safe.length === 0
    ? html`<p>Không có ảnh nào đã làm mờ người khác để đưa vào bản này. Quý vị có thể đề nghị xem tại cơ quan có thẩm quyền.</p>`
    : renderPictures(safe)
}
<h2>Điều camera ghi nhận</h2>
${renderFinding(event)}
<h2>Quy định áp dụng vào ngày ${formatInstantDay(event.capturedAt)}</h2>
${renderLaw(readings, event.capturedAt)}
<h2>Kết quả duyệt</h2>
<p>${last === undefined ? 'Chưa có người duyệt vụ này.' : DECISION_WORDS[last.decision]}</p>
${renderFacts([
  ...(ownPlate === undefined ? [] : [['Biển số', ownPlate] as const]),
  ['Mã vụ việc', html`<code>${event.eventId}</code>`],
])}
</section>`;
}

function isSafeToShow({ file, picture }: CaseFile): boolean {
  return picture !== undefined && file.derivation !== undefined && SAFE_RECIPE.test(file.derivation.recipe);
}
