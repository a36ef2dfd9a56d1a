import type { DagNode, DagReport } from '../participant/face.ts';
import { plain } from './table.ts';

const SIGNS = { prepared: 'o', finalizable: '*', finalized: '#' } as const;
const ID_CHARACTERS = 8;

/** The end of a drawing says what its signs mean. */
const LEGEND = '\no prepared  * Finalizable  # Finalized; after <- the predecessors\n';

/** A Generation after the other, the newest last; a line for each Metablock. */
export function drawText(report: DagReport): string {
  if (report.nodes.length === 0) return 'No Metablocks: groups of one owner need none.\n';
  const generations = new Map<number, DagNode[]>();
  for (const node of report.nodes) {
    const row = generations.get(node.generation);
    if (row === undefined) generations.set(node.generation, [node]);
    else row.push(node);
  }
  const sorted = [...generations].sort(([a], [b]) => a - b);
  const texts = sorted.map(([generation, nodes]) => drawGeneration(generation, nodes));
  return texts.join('') + LEGEND;
}

function drawGeneration(generation: number, nodes: readonly DagNode[]): string {
  const sorted = [...nodes].sort((a, b) => a.issuer.localeCompare(b.issuer, 'en'));
  return `Generation ${generation}\n${sorted.map(drawNode).join('')}`;
}

function drawNode(node: DagNode): string {
  const parents = node.predecessors.map(({ metablock }) =>
    metablock === null ? 'beginning' : metablock.slice(0, ID_CHARACTERS),
  );
  const blocks = node.blocks === 1 ? '1 Block' : `${node.blocks} Blocks`;
  const line = [
    `  ${SIGNS[node.state]} ${node.id.slice(0, ID_CHARACTERS)}`,
    node.issuer,
    node.groups.join(' '),
    node.blocks === 0 ? 'closing' : blocks,
    `${node.certificates} Certificates`,
    `<- ${[...new Set(parents)].join(' ')}`,
  ];
  return `${plain(line.join('  '))}\n`;
}
