import type { EventKind } from '@ngatu/contract';
import { findLegalFact } from './legal-fact.ts';
import { findRetentionDays, type PrivacyPolicy } from './privacy-policy.ts';

export interface NoticeFacts {
  readonly site: string;
  readonly cameras: readonly string[];
  /** What the rules of these cameras flag. */
  readonly kinds: readonly string[];
  readonly policy: PrivacyPolicy;
}

const FACTS = ['public-recording', 'plate-is-personal', 'acknowledge-request'] as const;

/** The notice that hangs at a camera site: purpose, controller, retention, contact; Vietnamese first. */
export function formatNotice({ site, cameras, kinds, policy }: NoticeFacts): string {
  const { controller, retentionDays, acknowledgeWorkingDays, opening } = policy;
  const longest = Math.max(
    retentionDays.confirmed,
    ...kinds.map((kind) => findRetentionDays(policy, kind as EventKind, 'confirmed')),
  );
  const list = kinds.length === 0 ? '–' : kinds.join(', ');
  const second = {
    vi: opening.secondPerson ? ' và phải có người thứ hai đồng ý' : '',
    en: opening.secondPerson ? ' and with the consent of a second person' : '',
  };
  const basis = FACTS.map((id) => findLegalFact(id));
  return [
    'THÔNG BÁO GHI HÌNH',
    `Địa điểm: ${site} (${cameras.join(', ')})`,
    `Đơn vị kiểm soát dữ liệu: ${controller.name}`,
    'Mục đích: bảo đảm trật tự, an toàn giao thông; phát hiện dấu hiệu vi phạm để con người xem xét.',
    `Nội dung phát hiện: ${list}`,
    'Khuôn mặt và biển số của người không liên quan được làm mờ ngay tại thiết bị.',
    `Hình ảnh gốc chỉ được mở khi có lý do${second.vi}; mọi lần mở đều được ghi lại.`,
    `Thời gian lưu: chưa xem xét ${retentionDays.open} ngày; bị bác ${retentionDays.rejected} ngày; xác nhận tối đa ${longest} ngày; sau đó xoá.`,
    `Quyền của chủ thể dữ liệu (xem, yêu cầu xoá): ${controller.contact}. Xác nhận yêu cầu trong ${acknowledgeWorkingDays} ngày làm việc.`,
    '',
    'CAMERA NOTICE',
    `Place: ${site} (${cameras.join(', ')})`,
    `Controller: ${controller.name}`,
    'Purpose: traffic order and safety; signs of violations are found for people to review.',
    `What is looked for: ${list}`,
    'Faces and plates of everybody else are blurred on the device itself.',
    `The original picture opens only with a reason${second.en}; every opening is recorded.`,
    `Kept: not reviewed ${retentionDays.open} days; rejected ${retentionDays.rejected} days; confirmed at most ${longest} days; then deleted.`,
    `Your rights (to see, to have deleted): ${controller.contact}. Requests are acknowledged within ${acknowledgeWorkingDays} working days.`,
    '',
    ...basis.map(
      ({ statement, source, certainty }) => `[${certainty}] ${statement.vi} / ${statement.en} (${source})`,
    ),
    'V: đọc tại nguồn gốc / read at the source · S: nguồn thứ cấp / secondary · U: chưa kiểm chứng / unverified',
  ].join('\n');
}
