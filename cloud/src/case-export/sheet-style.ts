import { html } from './html.ts';

/** Prints on A4 in black and white as well as in colour; nothing is fetched from anywhere. */
export const SHEET_STYLE = html`
@page { size: A4; margin: 16mm 14mm 18mm; }
* { box-sizing: border-box; }
html { background: #e9ecef; }
body { margin: 0 auto; max-width: 210mm; padding: 14mm; background: #fff; color: #14181c;
  font: 10.5pt/1.45 "Noto Sans", "DejaVu Sans", "Segoe UI", Arial, sans-serif; }
header { border-bottom: 2px solid #14181c; margin-bottom: 6mm; padding-bottom: 3mm; }
h1 { font-size: 17pt; line-height: 1.2; margin: 0 0 1mm; }
h2 { font-size: 12pt; margin: 7mm 0 2mm; padding-bottom: 1mm; border-bottom: 1px solid #b9c0c6; break-after: avoid; }
h3 { font-size: 10.5pt; margin: 4mm 0 1mm; break-after: avoid; }
p { margin: 0 0 2mm; }
.case + .case { break-before: page; border-top: 2px solid #14181c; margin-top: 10mm; padding-top: 6mm; }
.lead { font-size: 11.5pt; }
.muted { color: #4b545c; font-size: 9pt; }
.box { border: 1px solid #14181c; padding: 2.5mm 3mm; margin: 3mm 0; break-inside: avoid; }
.warn { border-left: 4px solid #a12a1f; padding-left: 3mm; }
.warn strong { color: #a12a1f; }
table { width: 100%; border-collapse: collapse; margin: 0 0 2mm; }
th, td { text-align: left; vertical-align: top; padding: 1mm 2mm 1mm 0; border-bottom: 1px solid #dde1e5; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th { font-weight: 600; }
dl { display: grid; grid-template-columns: 46mm 1fr; gap: 0.6mm 3mm; margin: 0 0 2mm; }
dt { color: #4b545c; }
dd { margin: 0; }
code { font: 8pt/1.35 "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: 4mm; }
figure { margin: 0; break-inside: avoid; }
figure.wide { grid-column: 1 / -1; }
figure img { width: 100%; max-height: 105mm; object-fit: contain; border: 1px solid #b9c0c6; background: #f3f4f5; display: block; }
figcaption { font-size: 8.5pt; margin-top: 1mm; color: #2b3238; }
.sign { display: grid; grid-template-columns: 1fr 1fr; gap: 10mm; margin-top: 10mm; break-inside: avoid; text-align: center; }
.sign div { padding-bottom: 22mm; border-bottom: 1px dotted #4b545c; }
footer { margin-top: 8mm; border-top: 1px solid #b9c0c6; padding-top: 2mm; font-size: 8.5pt; color: #4b545c; }
@media print { html { background: #fff; } body { padding: 0; max-width: none; } }
@media screen and (max-width: 700px) { .pictures, dl { grid-template-columns: 1fr; } body { padding: 5mm; } }
`;
