import { isOriginalRole } from '@ngatu/contract';
import type { CaseDossier } from './exported-case.ts';
import { type Html, html } from './html.ts';
import { renderPlate } from './plate-part.ts';
import {
  nameCase,
  renderDocument,
  renderFacts,
  renderFinding,
  renderLaw,
  renderPictures,
} from './sheet-part.ts';
import { FILE_STATE_WORDS, formatBytes, formatInstant, formatInstantDay, ROLE_WORDS } from './wording.ts';

/** What is said of the export itself. */
export interface SheetHead {
  readonly exportedAt: string;
  readonly exportedBy: string;
  readonly reason: string;
  readonly softwareVersion?: string;
  /** SHA-256 of the authority's certificate, in pairs. */
  readonly authorityFingerprint: string;
}

const DECISION_WORDS = { confirmed: 'Đã xác nhận', rejected: 'Đã bác bỏ' } as const;

/** The sheet for the file of the authority: everything that is known of the cases, one after the other. */
export function renderCaseSheet(cases: readonly CaseDossier[], head: SheetHead): string {
  const count = cases.length === 1 ? '' : ` (${cases.length} vụ)`;
  const body = html`<header>
<h1>Hồ sơ vụ việc giao thông${count}</h1>
<p class="muted">Xuất lúc ${formatInstant(head.exportedAt)} (giờ Việt Nam) bởi ${head.exportedBy}. Lý do: ${head.reason}</p>
</header>
<p class="box">Đây là kết quả phát hiện tự động do con người duyệt, <strong>không phải quyết định xử phạt</strong>. Người và phương tiện không liên quan
được làm mờ. Tài liệu này nằm trong một tệp có chữ ký số phủ mọi byte; cách kiểm tra ở cuối trang.</p>
${cases.map((dossier) => renderCase(dossier, head))}
${renderProof(head)}
<footer>ngatu ${head.softwareVersion ?? ''}</footer>`;
  const [first] = cases;
  const title =
    first === undefined
      ? 'Hồ sơ'
      : `Hồ sơ ${nameCase(first)} ${formatInstantDay(first.record.event.capturedAt)}`;
  return renderDocument({ title, body });
}

function renderCase(dossier: CaseDossier, head: SheetHead): Html {
  const { record, readings, files } = dossier;
  const { event } = record;
  return html`<section class="case">
<h1>${nameCase(dossier)}</h1>
<p>${event.site} / ${event.node} / ${event.camera}, ${formatInstant(event.capturedAt)} (giờ Việt Nam)</p>
<h2>Hình ảnh</h2>
${renderPictures(files)}
<h2>Phát hiện và độ bất định</h2>
${renderFinding(event)}
<h2>Biển số</h2>
${renderPlate(dossier.plate)}
<h2>Quy định áp dụng vào ngày vi phạm</h2>
${renderLaw(readings, event.capturedAt)}
<h2>Người duyệt và lý do</h2>
${renderReviews(dossier)}
<h2>Diễn biến</h2>
${renderTimeline(dossier, head)}
<h2>Tệp chứng cứ</h2>
${renderFiles(dossier)}
<h2>Niêm phong</h2>
${renderSeal(dossier)}
</section>`;
}

function renderReviews({ record }: CaseDossier): Html {
  if (record.reviews.length === 0) return html`<p class="warn"><strong>Chưa có ai duyệt vụ này.</strong></p>`;
  return html`<table><thead><tr><th>Lúc</th><th>Người duyệt</th><th>Quyết định</th><th>Lý do</th></tr></thead><tbody>
${record.reviews.map(
  ({ decidedAt, reviewer, decision, reason }) =>
    html`<tr><td>${formatInstant(decidedAt)}</td><td>${reviewer}</td><td><strong>${DECISION_WORDS[decision]}</strong></td><td>${reason}</td></tr>`,
)}</tbody></table>`;
}

function renderTimeline({ record, seal }: CaseDossier, head: SheetHead): Html {
  const { event } = record;
  const steps: (readonly [at: string, what: string])[] = [
    [event.capturedAt, `Thời điểm quyết định, đồng hồ luồng hình, ± ${event.clockErrorMs} ms`],
    ...(event.detectedAt === undefined ? [] : [[event.detectedAt, 'Nút phát hiện'] as const]),
    [seal.manifest.createdAt, 'Nút niêm phong chứng cứ'],
    [record.ingestedAt, 'Trung tâm ghi nhận sự kiện'],
    [seal.receipt.receivedAt, 'Trung tâm nhận và ký biên nhận chứng cứ'],
    ...record.reviews.map(
      ({ decidedAt, decision, reviewer }) =>
        [decidedAt, `${DECISION_WORDS[decision]} (${reviewer})`] as const,
    ),
    [head.exportedAt, `Xuất hồ sơ (${head.exportedBy})`],
  ];
  steps.sort(([a], [b]) => a.localeCompare(b));
  return html`<table><tbody>${steps.map(([at, what]) => html`<tr><td>${formatInstant(at)}</td><td>${what}</td></tr>`)}</tbody></table>`;
}

function renderFiles({ files, seal }: CaseDossier): Html {
  return html`<table><thead><tr><th>Tệp</th><th>Loại</th><th>Cỡ</th><th>Ở đâu</th></tr></thead><tbody>
${files.map(
  ({
    file,
    state,
  }) => html`<tr><td><strong>${ROLE_WORDS[file.role]}</strong><br><code>${file.sha256}</code></td>
<td>${isOriginalRole(file.role) ? 'bản gốc, đúng gói dữ liệu của camera' : 'dẫn xuất từ bản gốc'}</td>
<td>${formatBytes(file.sizeBytes)}</td><td>${FILE_STATE_WORDS[state]}</td></tr>`,
)}
${seal.manifest.missing.map(
  ({ role, reason }) =>
    html`<tr><td><strong>${ROLE_WORDS[role]}</strong></td><td colspan="3">không tạo được: ${reason}</td></tr>`,
)}</tbody></table>`;
}

function renderSeal({ seal, record }: CaseDossier): Html {
  const { manifest, receipt, chain } = seal;
  const { facts, chainSeq, chainId, previousManifestSha256 } = manifest.seal;
  const gaps = chain.gaps.map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
  return renderFacts([
    ['Mã vụ việc', html`<code>${record.event.eventId}</code>`],
    ['Nút', `${manifest.site}/${manifest.node}, phần mềm ${facts.softwareVersion}`],
    ['Quy tắc', html`${facts.rule} <code>${JSON.stringify(facts.parameters)}</code>`],
    ['Mô hình', html`${facts.models.map(({ name, sha256 }) => html`${name} <code>${sha256}</code> `)}`],
    ['Cảnh (tệp)', html`<code>${facts.sceneSha256}</code>`],
    ['Cảnh (tham số)', html`<code>${facts.parametersSha256}</code>`],
    [
      'Hiệu chuẩn',
      facts.calibrationSha256 === undefined ? 'không có' : html`<code>${facts.calibrationSha256}</code>`,
    ],
    ['Bản kê (SHA-256)', html`<code>${receipt.manifestSha256}</code>`],
    [
      'Bản kê trước đó',
      previousManifestSha256 === null
        ? 'không có: chuỗi bắt đầu ở đây'
        : html`<code>${previousManifestSha256}</code>`,
    ],
    [
      'Vị trí trong chuỗi',
      html`mắt xích ${chainSeq}; trung tâm có ${chain.links} mắt xích, cao nhất ${chain.lastSeq} <code>${chainId}</code>`,
    ],
    ['Chỗ trống trong chuỗi', chain.gaps.length === 0 ? 'không có' : `chưa nhận: ${gaps}`],
  ]);
}

function renderProof({ authorityFingerprint }: SheetHead): Html {
  return html`<section class="box">
<h3>Cách kiểm tra hồ sơ này</h3>
<p>Không cần mạng, không cần cơ sở dữ liệu. Trên máy có ngatu: <code>ngatu verify TỆP.zip --ca ca.crt</code>. Trên máy khác: mở trang
<code>verify.html</code> của ngatu bằng trình duyệt và chọn tệp. Dùng chứng thư của cơ quan chứng thực lấy từ nơi tin cậy, không phải từ tệp này.</p>
<p>Dấu vân tay SHA-256 của cơ quan chứng thực theo tệp này:<br><code>${authorityFingerprint}</code></p>
</section>
<div class="sign"><div>Người lập hồ sơ</div><div>Người nhận hồ sơ</div></div>`;
}
