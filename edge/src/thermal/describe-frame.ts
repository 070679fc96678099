import { readFace } from './face-reading.ts';
import { REFUSAL_TEXTS } from './gate-cue.ts';
import { summarizeTemperatures, type ThermalFrame } from './thermal-frame.ts';

/** One line for people: size, first pixel, range, and the face that a gate without blackbody would see. */
export function describeThermalFrame(frame: ThermalFrame, minFaceWidthPx: number): string {
  const summary = summarizeTemperatures(frame);
  if (summary === undefined) return `${frame.width} × ${frame.height}, no readable pixel`;
  const first = frame.celsius[0] ?? Number.NaN;
  const range = `${summary.min.toFixed(2)} … ${summary.median.toFixed(2)} … ${summary.max.toFixed(2)} °C`;
  return `${frame.width} × ${frame.height}, first pixel ${first.toFixed(2)} °C, lowest … middle … highest ${range}; ${describeFace(frame, minFaceWidthPx)}`;
}

function describeFace(frame: ThermalFrame, minFaceWidthPx: number): string {
  const reading = readFace(frame, { without: [], minFaceWidthPx });
  if ('refusal' in reading) return `no reading (${reading.refusal}: ${REFUSAL_TEXTS[reading.refusal].en})`;
  const { face, canthi, canthusC, faceMaximumC } = reading;
  const place =
    canthi === undefined || canthusC === undefined
      ? 'inner canthi do not stand out'
      : `inner canthi ${canthusC.toFixed(2)} °C at ${canthi.leftX},${canthi.leftY} and ${canthi.rightX},${canthi.rightY}`;
  return `face ${Math.round(face.width)} px wide, ${place}, face maximum ${faceMaximumC.toFixed(2)} °C (uncorrected)`;
}
