import { encode } from 'uqr';

/** Modules of quiet zone around the code (ISO/IEC 18004 asks for four). */
const BORDER = 4;

/** A QR code as one path; nothing inline that the policy of the page forbids. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { border: BORDER });
  const path = data
    .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join('');
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} class="qr-ground" />
      <path d={path} class="qr-ink" />
    </svg>
  );
}
