import type { DagNode, DagReport } from '../participant/face.ts';

/** Sizes in pixels. */
const LABEL_WIDTH = 150;
const COLUMN_WIDTH = 112;
const NODE_WIDTH = 78;
const NODE_HEIGHT = 34;
const NODE_GAP = 10;
const ROW_PADDING = 14;
const TOP = 64;
const BOTTOM = 52;
const LEGEND_WIDTH = 216;
const LEGEND_HEIGHT = 22;
const LEGEND_ROWS_MAX = 8;
const RIGHT = 24;

const STYLE = `
    text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2933; }
    .title { font-size: 15px; font-weight: 600; }
    .faint { fill: #52606d; }
    .small { font-size: 10px; }
    .row { fill: #f5f7fa; }
    .row.odd { fill: #eceff3; }
    .rule { stroke: #cbd2d9; stroke-width: 1; }
    .arrow { fill: none; stroke-width: 1.6; opacity: 0.75; }
    .node { stroke-width: 1.6; }
    .node.finalized { fill: #c6f0d9; stroke: #147d4f; }
    .node.finalizable { fill: #fdeeb8; stroke: #b07d06; }
    .node.prepared { fill: #ffffff; stroke: #7b8794; stroke-dasharray: 4 3; }
    .node.closing { rx: 17; }`;

/** Told apart also by those who see few colours (after Okabe and Ito, 2008). */
const GROUP_COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#7a5195', '#8a6d00', '#444444'];

interface Place {
  readonly x: number;
  readonly y: number;
}

interface Row {
  readonly issuer: string;
  readonly y: number;
  readonly height: number;
}

interface Layout {
  readonly generations: readonly number[];
  readonly rows: readonly Row[];
  readonly places: ReadonlyMap<string, Place>;
  readonly colours: ReadonlyMap<string, string>;
  readonly width: number;
  readonly height: number;
}

/**
 * Draws the SIC-DAG: a column for each Generation, a row for each issuer, an arrow from each
 * Metablock to its predecessors in the colour of the Sync Group.
 */
export function drawSvg(report: DagReport): string {
  const layout = lay(report.nodes);
  const { width, height } = layout;
  const markers = [...layout.colours.values()].map(drawMarker);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" role="img" aria-label="SIC-DAG">`,
    `  <style>${STYLE}\n  </style>`,
    `  <defs>${[...new Set(markers)].join('')}</defs>`,
    `  <rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text({ x: 16, y: 26 }, 'SIC-DAG', 'title'),
    text({ x: LABEL_WIDTH, y: 26 }, countOf(report.nodes), 'faint'),
    ...layout.rows.map((row, index) => drawRow(row, index, width)),
    ...layout.generations.map((generation, index) => drawColumn(generation, index, layout)),
    ...report.nodes.flatMap((node) => drawArrows(node, layout)),
    ...report.nodes.map((node) => drawNode(node, layout)),
    ...drawLegend(layout),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function countOf(nodes: readonly DagNode[]): string {
  const first = nodes[0];
  if (first === undefined) return 'no Metablocks yet';
  const last = nodes.at(-1) ?? first;
  const span = `Generations ${first.generation} to ${last.generation}`;
  return `${nodes.length} Metablocks, ${span}`;
}

function lay(nodes: readonly DagNode[]): Layout {
  const generations = [...new Set(nodes.map((node) => node.generation))].sort((a, b) => a - b);
  const issuers = [...new Set(nodes.map((node) => node.issuer))].sort();
  const places = new Map<string, Place>();
  const rows: Row[] = [];
  let y = TOP;
  for (const issuer of issuers) {
    let deepest = 1;
    for (const [column, generation] of generations.entries()) {
      const cell = nodes
        .filter((each) => each.issuer === issuer && each.generation === generation)
        .sort(byGroups);
      deepest = Math.max(deepest, cell.length);
      cell.forEach((node, index) => {
        const x = LABEL_WIDTH + column * COLUMN_WIDTH + (COLUMN_WIDTH - NODE_WIDTH) / 2;
        places.set(node.id, { x, y: y + ROW_PADDING + index * (NODE_HEIGHT + NODE_GAP) });
      });
    }
    const height = 2 * ROW_PADDING + deepest * (NODE_HEIGHT + NODE_GAP) - NODE_GAP;
    rows.push({ issuer, y, height });
    y += height;
  }
  const width = LABEL_WIDTH + Math.max(4, generations.length) * COLUMN_WIDTH + RIGHT;
  const colours = coloursOf(nodes);
  const height = y + BOTTOM + legendRows(colours.size, width) * LEGEND_HEIGHT;
  return { generations, rows, places, colours, width, height };
}

/** Metablocks of one group on one height, as far as may be: fewer arrows cross. */
function byGroups(a: DagNode, b: DagNode): number {
  const [first, second] = [[...a.groups].sort().join(), [...b.groups].sort().join()];
  return first < second ? -1 : first > second ? 1 : 0;
}

function legendRows(groupCount: number, width: number): number {
  const perRow = Math.max(1, Math.floor((width - 32) / LEGEND_WIDTH));
  return Math.min(LEGEND_ROWS_MAX, Math.ceil(groupCount / perRow));
}

/** Groups in the order in which they appear, so that a drawing of the same nodes is the same. */
function coloursOf(nodes: readonly DagNode[]): Map<string, string> {
  const groups = [...new Set(nodes.flatMap((node) => node.groups))].sort();
  return new Map(groups.map((name, index) => [name, GROUP_COLOURS[index % GROUP_COLOURS.length]!]));
}

function drawMarker(colour: string): string {
  return (
    `<marker id="to-${colour.slice(1)}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" ` +
    `markerHeight="7" orient="auto"><path d="M0 0.8 L7.4 4 L0 7.2 z" fill="${colour}"/></marker>`
  );
}

function drawRow({ issuer, y, height }: Row, index: number, width: number): string {
  const band = `<rect class="row${index % 2 === 1 ? ' odd' : ''}" x="0" y="${y}" width="${width}" `;
  const middle = y + height / 2 + 4;
  return `  ${band}height="${height}"/>\n${text({ x: 16, y: middle }, cut(issuer, 18), 'issuer')}`;
}

function drawColumn(generation: number, index: number, { rows }: Layout): string {
  const x = LABEL_WIDTH + index * COLUMN_WIDTH;
  const last = rows.at(-1);
  const bottom = last === undefined ? TOP : last.y + last.height;
  const rule = `  <line class="rule" x1="${x}" y1="${TOP}" x2="${x}" y2="${bottom}"/>`;
  const middle = { x: x + COLUMN_WIDTH / 2, y: TOP - 10 };
  return `${rule}\n${text(middle, String(generation), 'faint', 'middle')}`;
}

function drawArrows(node: DagNode, layout: Layout): string[] {
  const to = layout.places.get(node.id);
  if (to === undefined) return [];
  return node.predecessors.flatMap(({ group, metablock }, index) => {
    const from = metablock === null ? undefined : layout.places.get(metablock);
    if (from === undefined) return [];
    const name = node.groups.find((each) => each.endsWith(`#${group.slice(0, 6)}`));
    const colour = layout.colours.get(name ?? node.groups[index] ?? '') ?? GROUP_COLOURS.at(-1)!;
    // Arrows of several groups between the same two nodes run beside each other.
    const shift = (index - (node.predecessors.length - 1) / 2) * 7;
    const start = { x: to.x, y: to.y + NODE_HEIGHT / 2 + shift };
    const end = { x: from.x + NODE_WIDTH + 2, y: from.y + NODE_HEIGHT / 2 + shift };
    const bend = Math.max(18, (start.x - end.x) / 2);
    const curve =
      `M${start.x} ${start.y} C${start.x - bend} ${start.y} ` +
      `${end.x + bend} ${end.y} ${end.x} ${end.y}`;
    const mark = `marker-end="url(#to-${colour.slice(1)})"`;
    return [`  <path class="arrow" d="${curve}" stroke="${colour}" ${mark}/>`];
  });
}

function drawNode(node: DagNode, { places }: Layout): string {
  const place = places.get(node.id);
  if (place === undefined) return '';
  const middle = place.x + NODE_WIDTH / 2;
  const isClosing = node.blocks === 0;
  const shape =
    `<rect class="node ${node.state}${isClosing ? ' closing' : ''}" x="${place.x}" ` +
    `y="${place.y}" width="${NODE_WIDTH}" height="${NODE_HEIGHT}" rx="${isClosing ? 17 : 5}"/>`;
  const blocks = isClosing ? 'closing' : node.blocks === 1 ? '1 Block' : `${node.blocks} Blocks`;
  const hint =
    `${node.id}\nGeneration ${node.generation}, by ${node.issuer}, ${node.state}\n` +
    `${node.groups.join(', ')}\n${blocks}, ${node.certificates} Certificates`;
  return [
    `  <g><title>${escapeXml(hint)}</title>${shape}`,
    text({ x: middle, y: place.y + 15 }, node.id.slice(0, 8), 'id', 'middle'),
    text({ x: middle, y: place.y + 28 }, blocks, 'small faint', 'middle'),
    '  </g>',
  ].join('\n');
}

function drawLegend({ colours, rows, width }: Layout): string[] {
  const last = rows.at(-1);
  const y = (last === undefined ? TOP : last.y + last.height) + 22;
  const states = ['Prepared', 'Finalizable', 'Finalized'].map((name, index) => {
    const x = 16 + index * 110;
    const style = `node ${name.toLowerCase()}`;
    const box = `  <rect class="${style}" x="${x}" y="${y}" width="22" height="14" rx="4"/>`;
    return `${box}\n${text({ x: x + 29, y: y + 11 }, name, 'faint')}`;
  });
  const round = `  <rect class="node finalized" x="346" y="${y}" width="26" height="14" rx="7"/>`;
  const closing = `${round}\n${text({ x: 379, y: y + 11 }, 'closing, without Blocks', 'faint')}`;
  const perRow = Math.max(1, Math.floor((width - 32) / LEGEND_WIDTH));
  const shown = [...colours].slice(0, perRow * LEGEND_ROWS_MAX);
  const groups = shown.map(([name, colour], index) => {
    const x = 16 + (index % perRow) * LEGEND_WIDTH;
    const top = y + 35 + Math.floor(index / perRow) * LEGEND_HEIGHT;
    const line = `  <path d="M${x} ${top} h22" stroke="${colour}" stroke-width="3"/>`;
    return `${line}\n${text({ x: x + 29, y: top + 4 }, cut(name, 26), 'faint')}`;
  });
  return [...states, closing, ...groups];
}

function text(at: Place, content: string, style: string, anchor?: 'middle'): string {
  const side = anchor === undefined ? '' : ` text-anchor="${anchor}"`;
  return `  <text class="${style}" x="${at.x}" y="${at.y}"${side}>${escapeXml(content)}</text>`;
}

function cut(content: string, characters: number): string {
  return content.length <= characters ? content : `${content.slice(0, characters - 1)}…`;
}

/** Names come from peers. XML permits no control characters, not even escaped. */
function escapeXml(content: string): string {
  return content
    .replace(/[^\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
