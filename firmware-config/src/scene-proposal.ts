import { Scene } from '@ngatu/contract';
import { Document, type YAMLMap, type YAMLSeq } from 'yaml';

type Pixel = readonly [x: number, y: number];

/** What a survey found in the picture of a new camera. Source pixels; lists are best first. */
export interface SurveyFinding {
  readonly picture: { readonly width: number; readonly height: number };
  readonly flows: readonly {
    readonly from: Pixel;
    readonly to: Pixel;
    readonly polygon: readonly Pixel[];
    readonly count: number;
    readonly stopLines: readonly {
      readonly points: readonly Pixel[];
      readonly forwardTowards: Pixel;
      readonly paint: number;
      readonly stops?: number;
    }[];
  }[];
  readonly lamps: readonly {
    readonly box: readonly [number, number, number, number];
    readonly lenses: readonly string[];
    readonly seen: Readonly<Record<string, number>>;
    readonly score: number;
  }[];
  readonly closeUp?: {
    readonly box: readonly [number, number, number, number];
    readonly enlarge: number;
    readonly share: number;
    readonly heightPx: number;
    readonly cost: number;
  };
  readonly lookalikes: readonly {
    readonly box: readonly [number, number, number, number];
    readonly share: number;
  }[];
}

/** Ways and lamps beyond these are noise more often than not. */
const MAX_FLOWS = 6;
const MAX_LAMPS = 3;
const MAX_LOOKALIKES = 8;
const MIN_LAMP_SCORE = 0.2;
const LINE_WIDTH = 100;

/**
 * Writes the scene file that a person goes on from: what was found, with what speaks for it as comments, and rules that
 * hold for it. Rules that are a matter of signs (lanes, turns, limits, parking) are left to the person.
 * @returns the YAML text; it passes `loadScene`
 */
export function formatSceneProposal(name: string, finding: SurveyFinding): string {
  const flows = finding.flows.slice(0, MAX_FLOWS);
  const lamps = finding.lamps.filter(({ score }) => score >= MIN_LAMP_SCORE).slice(0, MAX_LAMPS);
  const lines = flows.flatMap((flow, index) =>
    flow.stopLines.map((line, rank) => ({
      flow,
      line,
      rank,
      name: rank === 0 ? `stop-line-${index + 1}` : `stop-line-${index + 1}-or-${rank + 1}`,
    })),
  );
  const document = new Document({
    schemaVersion: 1,
    name,
    picture: finding.picture,
    view: { depressionDeg: 25 },
    tripwires: lines.map(({ line, name: wire }) => ({
      name: wire,
      points: line.points.map(roundPoint),
      forwardTowards: roundPoint(line.forwardTowards),
    })),
    zones: flows.map(({ polygon }, index) => ({
      name: `way-${index + 1}`,
      polygon: polygon.map((point) => clampPoint(point, finding.picture)),
    })),
    signals: lamps.map(({ box, lenses }, index) => ({
      name: `lamp-${index + 1}`,
      box: clampBox(box, finding.picture),
      lenses,
    })),
    rules: buildRules(flows, lines, lamps.length > 0),
  });
  document.commentBefore = [
    ' Proposed by `ngatu scene init` from a video: look at the annotated still, correct every coordinate, delete what is not',
    ' so, and add what only signs tell (lanes, forbidden turns, limits, no parking). docs/scenes.md explains each part.',
    ...tellCloseUp(finding),
    ...tellLookalikes(finding),
  ].join('\n');
  comment(document, 'view', ' measure: atan(height of the camera / distance of its pole from the stop line)');
  lines.forEach(({ line, rank }, index) => {
    const stops =
      line.stops === undefined
        ? 'nobody stopped'
        : `${percent(line.stops)} of those who stopped did so before it`;
    const which = rank === 0 ? 'best candidate' : `candidate ${rank + 1} for the same way, no rule uses it`;
    commentItem(
      document,
      'tripwires',
      index,
      ` ${which}: paint along ${percent(line.paint)} of it; ${stops}`,
    );
  });
  flows.forEach(({ count }, index) => {
    commentItem(document, 'zones', index, ` ${count} vehicles took this way`);
  });
  lamps.forEach(({ seen, score }, index) => {
    const colours = Object.entries(seen).map(
      ([colour, share]) => `${colour} lit in ${percent(share)} of the pictures`,
    );
    const sure = score >= 0.6 ? 'a lamp' : 'perhaps a lamp';
    commentItem(
      document,
      'signals',
      index,
      ` ${sure}: ${colours.join(', ')}; the box must fit the lenses closely`,
    );
  });
  flowPoints(document);
  return document.toString({ lineWidth: LINE_WIDTH, flowCollectionPadding: false });
}

/** It costs computing time: left to the person. */
function tellCloseUp({ closeUp, picture }: SurveyFinding): string[] {
  if (closeUp === undefined) return [];
  const { box, enlarge, share, heightPx, cost } = closeUp;
  return [
    '',
    ` ${percent(share)} of what was seen is small (median ${Math.round(heightPx)} px high). A closer look finds more of it, for ${percent(cost)} more computing:`,
    ` analysis: { ${tellWidths(picture)}closeUps: [{ box: [${clampBox(box, picture).join(', ')}], enlarge: ${enlarge} }] }`,
  ];
}

/** A person may have stood there all the time: whether it is a thing only a person can tell. */
function tellLookalikes({ lookalikes, picture }: SurveyFinding): string[] {
  if (lookalikes.length === 0) return [];
  return [
    '',
    ' Something that hardly moved was taken for a person. Look at the still: if it is a thing (a sign, a bollard), take it over.',
    ' analysis:',
    '   lookalikes:',
    ...lookalikes
      .slice(0, MAX_LOOKALIKES)
      .map(
        ({ box, share }) =>
          `     - { box: [${clampBox(box, picture).join(', ')}], labels: [person] } # found in ${percent(share)} of the pictures`,
      ),
  ];
}

/** Of a wide picture the part must not be taken from what was scaled down for the look at the whole. */
function tellWidths({ width }: SurveyFinding['picture']): string {
  const { maxWidth } = Scene.properties.analysis.properties;
  const [usual, most] = [Number(maxWidth.default), Number(maxWidth.maximum)];
  return width > usual ? `maxWidth: ${Math.min(most, width)}, overviewWidth: ${usual}, ` : '';
}

interface ProposedLine {
  readonly name: string;
  readonly rank: number;
  readonly flow: SurveyFinding['flows'][number];
}

function buildRules(
  flows: SurveyFinding['flows'],
  lines: readonly ProposedLine[],
  hasLamp: boolean,
): Partial<Scene['rules'][number]>[] {
  const arrow = ({ from, to }: SurveyFinding['flows'][number]) => ({
    from: roundPoint(from),
    to: roundPoint(to),
  });
  const best = lines.filter(({ rank }) => rank === 0);
  // only one approach is ruled by a lamp that this camera sees: the busiest with a line
  const ruled = hasLamp ? best.slice(0, 1) : [];
  return [
    ...ruled.flatMap(({ name, flow }) => [
      {
        name: 'red-light',
        kind: 'RED_LIGHT' as const,
        stopLine: name,
        signal: 'lamp-1',
        approach: arrow(flow),
      },
      {
        name: 'stop-line',
        kind: 'STOP_LINE' as const,
        stopLine: name,
        signal: 'lamp-1',
        approach: arrow(flow),
      },
    ]),
    ...flows.flatMap((flow, index) =>
      isOneWay(flow, flows)
        ? [
            {
              name: `wrong-way-${index + 1}`,
              kind: 'WRONG_WAY' as const,
              zone: `way-${index + 1}`,
              allowed: arrow(flow),
            },
          ]
        : [],
    ),
    ...best.map(({ name }) => ({ name: `count-${name}`, kind: 'LINE_COUNT' as const, tripwire: name })),
    ...flows.map((_, index) => ({
      name: `traffic-${index + 1}`,
      kind: 'TRAFFIC' as const,
      zone: `way-${index + 1}`,
    })),
  ];
}

/** No other way leads against it over the same ground. */
function isOneWay(flow: SurveyFinding['flows'][number], flows: SurveyFinding['flows']): boolean {
  return flows.every((other) => {
    if (other === flow) return true;
    const cos =
      ((flow.to[0] - flow.from[0]) * (other.to[0] - other.from[0]) +
        (flow.to[1] - flow.from[1]) * (other.to[1] - other.from[1])) /
      (distance(flow.from, flow.to) * distance(other.from, other.to) || 1);
    if (cos > -0.5) return true;
    const span = Math.min(distance(flow.from, flow.to), distance(other.from, other.to));
    return distance(middle(flow), middle(other)) > span / 2;
  });
}

function middle({ from, to }: { from: Pixel; to: Pixel }): Pixel {
  return [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
}

function distance(a: Pixel, b: Pixel): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function roundPoint([x, y]: Pixel): [number, number] {
  return [Math.round(x), Math.round(y)];
}

function clampPoint([x, y]: Pixel, { width, height }: SurveyFinding['picture']): [number, number] {
  return [Math.round(Math.min(width, Math.max(0, x))), Math.round(Math.min(height, Math.max(0, y)))];
}

function clampBox(
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  picture: SurveyFinding['picture'],
): number[] {
  return [
    ...clampPoint([Math.floor(x1), Math.floor(y1)], picture),
    ...clampPoint([Math.ceil(x2), Math.ceil(y2)], picture),
  ];
}

function comment(document: Document, key: string, text: string): void {
  const node = document.get(key, true) as YAMLMap | undefined;
  if (node !== undefined) node.comment = text;
}

function commentItem(document: Document, key: string, index: number, text: string): void {
  const item = (document.get(key, true) as YAMLSeq | undefined)?.items[index] as YAMLMap | undefined;
  if (item !== undefined) item.commentBefore = text;
}

/** Points and boxes on one line each, as people write them. */
function flowPoints(document: Document): void {
  const walk = (node: unknown): void => {
    const collection = node as { items?: unknown[]; flow?: boolean; value?: unknown };
    if (collection.value !== undefined) walk(collection.value);
    if (!Array.isArray(collection.items)) return;
    const inner = JSON.stringify((node as { toJSON(): unknown }).toJSON());
    if (!inner.includes('"name"') && inner.length <= LINE_WIDTH && node !== document.contents)
      collection.flow = true;
    else for (const item of collection.items) walk(item);
  };
  walk(document.contents);
}
