import {
  CHECK_TITLES,
  type ExportCheck,
  type ExportReport,
  VERDICT_TITLES,
} from '../src/case-export/export-report.ts';
import { verifyExport } from '../src/case-export/verify-export.ts';

/** The page that verifies a case export: the product's own checks, in the browser, on files that leave it nowhere. */

type Language = 'vi' | 'en';

const TEXTS = {
  title: { vi: 'Kiểm tra hồ sơ vụ việc', en: 'Verify a case export' },
  purpose: {
    vi: 'Chọn tệp ZIP đã xuất từ ngatu. Mọi việc diễn ra trong trình duyệt này; không có gì được gửi đi.',
    en: 'Choose the ZIP file that ngatu exported. Everything happens in this browser; nothing is sent anywhere.',
  },
  export: { vi: 'Tệp hồ sơ (.zip)', en: 'Export (.zip)' },
  authority: { vi: 'Chứng thư của cơ quan chứng thực (ca.crt)', en: 'Certificate of the authority (ca.crt)' },
  authorityHint: {
    vi: 'Lấy từ nơi tin cậy, không phải từ tệp hồ sơ. Không có nó, trang chỉ chứng minh được tệp không tự mâu thuẫn.',
    en: 'From a source that you trust, not from the export. Without it this page only proves that the file does not contradict itself.',
  },
  revocations: { vi: 'Danh sách thu hồi mới hơn (không bắt buộc)', en: 'Newer revocation list (optional)' },
  revocationsHint: {
    vi: 'Trong hồ sơ đã có danh sách tại thời điểm xuất.',
    en: 'The export holds the list of the day on which it was made.',
  },
  footer: {
    vi: 'Trang này chứng minh: tệp đúng như khi trung tâm ký, bản kê và tệp chứng cứ đúng như khi nút niêm phong. Nó không chứng minh điều camera đã thấy là đúng; điều đó do người duyệt đánh giá.',
    en: 'This page proves that the file is as the centre signed it, and manifests and evidence as the node sealed them. It does not prove that what the camera saw is what happened; a person judges that.',
  },
  working: { vi: 'Đang kiểm tra…', en: 'Checking…' },
  unreadable: { vi: 'Không đọc được tệp', en: 'The file cannot be read' },
  bytes: { vi: 'byte', en: 'bytes' },
  passed: { vi: 'đạt', en: 'passed' },
  warning: { vi: 'lưu ý', en: 'note' },
  failed: { vi: 'không đạt', en: 'failed' },
  other: { vi: 'English', en: 'Tiếng Việt' },
} as const satisfies Record<string, Record<Language, string>>;

const SIGNS = { passed: '✓', warning: '!', failed: '✗' } as const;

let language: Language =
  navigator.language.startsWith('vi') || !navigator.language.startsWith('en') ? 'vi' : 'en';
let latest: { readonly name: string; readonly report: ExportReport } | undefined;
/** Of several checks under way only the last one is shown. */
let run = 0;

function find<T extends Element>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}

const box = find<HTMLElement>('#report');

function create(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.append(...children);
  return element;
}

function showTexts(): void {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    const name = element.dataset['text'];
    if (name !== undefined && name in TEXTS)
      element.textContent = TEXTS[name as keyof typeof TEXTS][language];
  }
  find('#language').textContent = TEXTS.other[language];
  if (latest !== undefined) showReport(latest.name, latest.report);
}

function showReport(name: string, report: ExportReport): void {
  const verdict = create('p', `verdict ${report.verdict}`, VERDICT_TITLES[report.verdict][language]);
  verdict.dataset['verdict'] = report.verdict;
  const file = create(
    'p',
    '',
    `${name}, ${report.sizeBytes.toLocaleString(language)} ${TEXTS.bytes[language]}, SHA-256 `,
  );
  file.append(create('code', '', report.sha256));
  const parts: Node[] = [verdict, file];
  let list = create('ul', '');
  parts.push(list);
  let eventId: string | undefined;
  for (const check of report.checks) {
    if (check.eventId !== eventId) {
      eventId = check.eventId;
      list = create('ul', '');
      if (eventId !== undefined) parts.push(create('h2', '', eventId));
      parts.push(list);
    }
    list.append(describeCheck(check));
  }
  box.replaceChildren(...parts);
}

function describeCheck({ check, state, detail }: ExportCheck): HTMLElement {
  const sign = create('span', `sign-${state}`, SIGNS[state]);
  sign.setAttribute('role', 'img');
  sign.setAttribute('aria-label', TEXTS[state][language]);
  return create(
    'li',
    '',
    sign,
    create('strong', '', CHECK_TITLES[check][language]),
    create('span', '', detail[language]),
  );
}

async function verifyChosen(): Promise<void> {
  const file = find<HTMLInputElement>('#export').files?.[0];
  if (file === undefined) return;
  const own = ++run;
  box.replaceChildren(create('p', '', TEXTS.working[language]));
  try {
    const caPem = await readText('#authority');
    const crl = await readText('#revocations');
    const bytes = new Uint8Array(await file.arrayBuffer());
    const anchors = { ...(caPem === undefined ? {} : { caPem }), ...(crl === undefined ? {} : { crl }) };
    const report = await verifyExport(bytes, anchors);
    if (own !== run) return;
    latest = { name: file.name, report };
    showReport(file.name, report);
  } catch (error) {
    if (own !== run) return;
    const reason = error instanceof Error ? error.message : String(error);
    box.replaceChildren(create('p', 'verdict failed', `${TEXTS.unreadable[language]}: ${reason}`));
  }
}

async function readText(selector: string): Promise<string | undefined> {
  return find<HTMLInputElement>(selector).files?.[0]?.text();
}

find('#language').addEventListener('click', () => {
  language = language === 'vi' ? 'en' : 'vi';
  showTexts();
});
for (const selector of ['#export', '#authority', '#revocations'])
  find(selector).addEventListener('change', () => void verifyChosen());
showTexts();
