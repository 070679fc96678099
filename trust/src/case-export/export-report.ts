import type { ErrorCode, LocalizedText } from '@ngatu/contract';
import { describeRefusal } from '../seal/manifest-seal.ts';
import type { ExportIndex } from './export-index.ts';

/** What is checked, in this order. */
export const EXPORT_CHECKS = [
  'format',
  'signature',
  'signer',
  'contents',
  'authority',
  'event',
  'seal',
  'receipt',
  'clock',
  'files',
  'chain',
] as const;
export type ExportCheckName = (typeof EXPORT_CHECKS)[number];

/** `warning`: nothing is wrong, and something stays unproved that a reader must know. */
export interface ExportCheck {
  readonly check: ExportCheckName;
  readonly state: 'passed' | 'warning' | 'failed';
  /** The event that it is about; absent where it is about the whole export. */
  readonly eventId?: string;
  /** Where it failed. */
  readonly code?: ErrorCode;
  readonly detail: LocalizedText;
}

export interface ExportReport {
  /** `verified`: against an authority that the verifier brought. `consistent`: only against the one inside. `failed`: neither. */
  readonly verdict: 'verified' | 'consistent' | 'failed';
  readonly sizeBytes: number;
  /** Of the file. */
  readonly sha256: string;
  readonly checks: readonly ExportCheck[];
  /** As far as it could be read. */
  readonly index?: ExportIndex;
}

export function judgeChecks(checks: readonly ExportCheck[], isAnchored: boolean): ExportReport['verdict'] {
  if (checks.length === 0 || checks.some(({ state }) => state === 'failed')) return 'failed';
  return isAnchored ? 'verified' : 'consistent';
}

/** A refusal as a failed check. Its words are the product's own, in English, as in every log. */
export function toFailure(check: ExportCheckName, error: unknown, eventId?: string): ExportCheck {
  const { code, reason } = describeRefusal(error);
  const detail = { vi: `Không hợp lệ (${code}): ${reason}`, en: `${code}: ${reason}` };
  return { check, state: 'failed', code, detail, ...(eventId === undefined ? {} : { eventId }) };
}

/** What the checks are called where people read them. */
export const CHECK_TITLES: Readonly<Record<ExportCheckName, LocalizedText>> = {
  format: { vi: 'Định dạng tệp', en: 'File format' },
  signature: { vi: 'Chữ ký trên toàn bộ tệp', en: 'Signature over the whole file' },
  signer: { vi: 'Chứng thư của trung tâm', en: 'Certificate of the centre' },
  contents: { vi: 'Danh mục nội dung', en: 'List of contents' },
  authority: { vi: 'Cơ quan chứng thực', en: 'Certificate authority' },
  event: { vi: 'Nội dung vụ việc', en: 'The event' },
  seal: { vi: 'Niêm phong của nút', en: 'Seal of the node' },
  receipt: { vi: 'Biên nhận của trung tâm', en: 'Receipt of the centre' },
  clock: { vi: 'Thời gian', en: 'Time' },
  files: { vi: 'Tệp chứng cứ', en: 'Evidence files' },
  chain: { vi: 'Chuỗi niêm phong', en: 'Chain of seals' },
};

export const VERDICT_TITLES: Readonly<Record<ExportReport['verdict'], LocalizedText>> = {
  verified: {
    vi: 'HỢP LỆ – không có thay đổi nào, chứng thư thuộc cơ quan chứng thực đã cho',
    en: 'VERIFIED – nothing was changed, and the certificates are those of the given authority',
  },
  consistent: {
    vi: 'TOÀN VẸN, CHƯA ĐỐI CHIẾU CƠ QUAN CHỨNG THỰC – hãy so dấu vân tay bên dưới với bản đã công bố',
    en: 'CONSISTENT, AUTHORITY NOT COMPARED – compare the fingerprint below with the published one',
  },
  failed: {
    vi: 'KHÔNG HỢP LỆ – tệp đã bị thay đổi hoặc không chứng minh được',
    en: 'FAILED – the file was changed, or cannot be proved',
  },
};
