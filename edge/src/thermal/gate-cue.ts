import type { GateState, LocalizedText, ScreeningRefusal } from '@ngatu/contract';

/** What the screen and the loudspeaker of a gate do. No colour or sound says "ill": a doubt is amber, never red. */
export interface GateCue {
  readonly text: LocalizedText;
  readonly colour: 'grey' | 'blue' | 'green' | 'amber';
  /** Played once when the state begins. */
  readonly sound?: 'step-in' | 'hold-still' | 'done' | 'attention';
}

const text = (vi: string, en: string): LocalizedText => ({ vi, en });

/** What to show for each reason of a refusal: what the person, or the staff, can do. */
export const REFUSAL_TEXTS: Readonly<Record<ScreeningRefusal, LocalizedText>> = {
  'no-person': text('Mời đứng vào vạch và nhìn vào camera', 'Stand on the mark and look into the camera'),
  'several-people': text(
    'Từng người một: chỉ một người trước camera',
    'One person at a time: only one person before the camera',
  ),
  'too-far': text('Mời lại gần, đứng đúng vạch', 'Come closer, onto the mark'),
  'out-of-picture': text(
    'Đứng vào giữa vạch để thấy cả khuôn mặt',
    'Stand in the middle so that the whole face is seen',
  ),
  'eyes-covered': text('Vui lòng tháo kính', 'Please take off your glasses'),
  'forehead-covered': text(
    'Vui lòng bỏ mũ và vén tóc khỏi trán',
    'Please take off your hat and clear your forehead of hair',
  ),
  'face-covered': text('Vui lòng để lộ khuôn mặt', 'Please uncover your face'),
  'turned-away': text('Nhìn thẳng vào camera', 'Face the camera'),
  moving: text('Xin đứng yên', 'Please hold still'),
  'hot-object': text('Để cốc nóng hoặc vật nóng ra xa', 'Put hot cups and other hot things away'),
  'warm-background': text(
    'Nền phía sau quá ấm, mời nhân viên kiểm tra',
    'The background is too warm: staff, please check',
  ),
  'too-few-frames': text('Xin đứng yên lâu hơn một chút', 'Please hold still a little longer'),
  'frames-disagree': text('Chưa đo được, xin thử lại', 'The readings disagree, please try again'),
  'blackbody-missing': text(
    'Không thấy nguồn chuẩn nhiệt, mời nhân viên kiểm tra',
    'The reference source is not seen: staff, please check',
  ),
  'blackbody-unstable': text(
    'Nguồn chuẩn nhiệt không ổn định, mời nhân viên kiểm tra',
    'The reference source is not stable: staff, please check',
  ),
  'blackbody-out-of-tolerance': text(
    'Camera lệch quá mức so với nguồn chuẩn, mời nhân viên kiểm tra',
    'The camera is too far off the reference source: staff, please check',
  ),
  'ambient-out-of-limits': text(
    'Nhiệt độ hoặc độ ẩm phòng ngoài giới hạn, hãy dùng nhiệt kế',
    'Room temperature or humidity is out of limits: use a thermometer',
  ),
  'ambient-unknown': text(
    'Không rõ nhiệt độ phòng, hãy dùng nhiệt kế',
    'The room temperature is not known: use a thermometer',
  ),
  'warming-up': text(
    'Camera đang làm nóng, hãy dùng nhiệt kế',
    'The camera is warming up: use a thermometer',
  ),
  'self-check-due': text('Đang tự kiểm tra hằng ngày', 'The daily self-check is running'),
  'self-check-failed': text(
    'Tự kiểm tra không đạt, hãy dùng nhiệt kế',
    'The self-check failed: use a thermometer',
  ),
  'not-skin': text('Chưa đo được, hãy dùng nhiệt kế', 'No skin was measured: use a thermometer'),
  'no-picture': text(
    'Không có hình từ camera nhiệt, hãy dùng nhiệt kế',
    'No picture comes from the thermal camera: use a thermometer',
  ),
  'picture-frozen': text(
    'Hình từ camera nhiệt bị đứng, hãy dùng nhiệt kế',
    'The picture of the thermal camera stands still: use a thermometer',
  ),
};

const STATE_CUES: Readonly<Record<GateState, GateCue>> = {
  blind: { text: REFUSAL_TEXTS['no-picture'], colour: 'grey', sound: 'attention' },
  'warming-up': { text: REFUSAL_TEXTS['warming-up'], colour: 'grey' },
  checking: { text: REFUSAL_TEXTS['self-check-due'], colour: 'grey' },
  'out-of-service': { text: REFUSAL_TEXTS['self-check-failed'], colour: 'grey', sound: 'attention' },
  idle: { text: REFUSAL_TEXTS['no-person'], colour: 'blue' },
  positioning: { text: REFUSAL_TEXTS['no-person'], colour: 'blue', sound: 'step-in' },
  measuring: {
    text: text('Đang đo, xin đứng yên', 'Measuring, please hold still'),
    colour: 'blue',
    sound: 'hold-still',
  },
  passed: { text: text('Cảm ơn, mời đi tiếp', 'Thank you, please go on'), colour: 'green', sound: 'done' },
  measure: {
    text: text('Mời đo lại bằng nhiệt kế', 'Please have your temperature taken with a thermometer'),
    colour: 'amber',
    sound: 'attention',
  },
  refused: {
    text: text('Chưa đo được, mời đo bằng nhiệt kế', 'Not measured: please use a thermometer'),
    colour: 'amber',
    sound: 'attention',
  },
};

/** The cue of a state; a reason replaces its text. */
export function cueOf(state: GateState, refusal?: ScreeningRefusal): GateCue {
  const cue = STATE_CUES[state];
  return refusal === undefined ? cue : { ...cue, text: REFUSAL_TEXTS[refusal] };
}
