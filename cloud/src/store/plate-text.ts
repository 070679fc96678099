/** Canonical text of a plate: upper case, Đ as D, letters and digits alone. */
export function normalisePlate(text: string): string {
  return text
    .toUpperCase()
    .replaceAll('Đ', 'D')
    .replaceAll(/[^0-9A-Z]/g, '');
}

/** Characters of a plate that a list does not show. */
const HIDDEN = '•••';
const SHOWN_AT_END = 2;
const SERIAL_LENGTH = 5;

/**
 * A plate as a list shows it: the series and the last two digits, `30A-•••45`. Some thousand vehicles share what is left.
 * @param text canonical
 */
export function maskPlate(text: string): string {
  const shown = Math.max(1, Math.min(text.length - SERIAL_LENGTH, 4));
  const end = text.length - shown > SHOWN_AT_END ? text.slice(-SHOWN_AT_END) : '';
  return `${text.slice(0, shown)}-${HIDDEN}${end}`;
}
