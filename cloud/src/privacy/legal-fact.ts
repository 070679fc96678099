/** How sure a fact is: read at its primary source, told by a secondary one, or unverified. */
export type Certainty = 'V' | 'S' | 'U';

/** A fact of law that the product acts on or shows, with where it comes from. */
export interface LegalFact {
  readonly id: string;
  readonly statement: { readonly vi: string; readonly en: string };
  readonly source: string;
  readonly certainty: Certainty;
}

/** What privacy stands on. Nobody of the product has read a primary source: check before relying on it. */
export const LEGAL_FACTS: readonly LegalFact[] = [
  {
    id: 'public-recording',
    statement: {
      vi: 'Ghi hình nơi công cộng vì an ninh, trật tự không cần sự đồng ý, nhưng phải thông báo, đúng mục đích, chỉ lưu trong thời gian cần thiết và phải xoá.',
      en: 'Recording in public for order and safety needs no consent, but notice, a limited purpose, retention only as long as necessary, and deletion.',
    },
    source: 'Law 91/2025 on personal data protection, Art. 32',
    certainty: 'S',
  },
  {
    id: 'plate-is-personal',
    statement: {
      vi: 'Biển số và hình ảnh là dữ liệu cá nhân cơ bản.',
      en: 'Plate and image are basic personal data.',
    },
    source: 'Law 91/2025 on personal data protection',
    certainty: 'S',
  },
  {
    id: 'health-is-sensitive',
    statement: { vi: 'Dữ liệu sức khoẻ là dữ liệu nhạy cảm.', en: 'Health data are sensitive.' },
    source: 'Law 91/2025 on personal data protection',
    certainty: 'U',
  },
  {
    id: 'acknowledge-request',
    statement: {
      vi: 'Yêu cầu của chủ thể dữ liệu phải được xác nhận trong hai ngày làm việc.',
      en: 'A request of a data subject is acknowledged within two working days.',
    },
    source: 'Law 91/2025 on personal data protection and its decree',
    certainty: 'S',
  },
  {
    id: 'breach-notice',
    statement: {
      vi: 'Vi phạm dữ liệu phải được thông báo trong 72 giờ.',
      en: 'A breach is notified within 72 hours.',
    },
    source: 'Law 91/2025 on personal data protection',
    certainty: 'S',
  },
  {
    id: 'human-control',
    statement: {
      vi: 'Hệ thống AI phải có sự kiểm soát của con người; nhà cung cấp tự phân loại rủi ro.',
      en: 'AI systems stay under human control; the provider classifies the risk.',
    },
    source: 'Law 134/2025 on artificial intelligence',
    certainty: 'S',
  },
];

/** @throws RangeError where there is no such fact */
export function findLegalFact(id: string): LegalFact {
  const fact = LEGAL_FACTS.find((one) => one.id === id);
  if (fact === undefined) throw new RangeError(`no legal fact "${id}"`);
  return fact;
}
