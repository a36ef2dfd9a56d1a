import type { Message } from './message.ts';
import { NO_FAULTS } from './scenario.ts';
import { SimWorld } from './world.ts';

const GROUP_OWNERS = 5;
const BLOCKS_PER_SECOND = 2;
const LOAD_MS = 3000;
/** Then everything is final. */
const REST_MS = 1000;

/** What one Participant took for the load of a run. */
export interface ScaleCost {
  /** Of the processor, in milliseconds. */
  readonly cpuMs: number;
  /** Sent. */
  readonly bytes: number;
}

/** As src/gossip writes them, roughly; the same for a World of any size. */
function bytesOf(message: Message): number {
  switch (message.kind) {
    case 'block':
      return message.block.bytes.length + (message.held ? message.block.byteLength : 0);
    case 'metablock':
      return message.metablock.bytes.length;
    case 'certificate':
      return message.certificate.bytes.length;
    case 'ballot-note':
      return message.note.bytes.length;
    case 'fork-proof':
      return message.blocks[0].bytes.length + message.blocks[1].bytes.length;
    case 'cut':
      return message.cut.bytes.length + (message.metablock?.bytes.length ?? 0);
    case 'want':
      return 32 * (message.metablocks.length + message.blocks.length);
    case 'digest':
      return message.groups
        .map(({ frontier, lacking }) => 90 + 8 * frontier.size + 32 * lacking.length)
        .reduce((sum, each) => sum + each, 0);
    default:
      return message satisfies never;
  }
}

function makeWorld(participants: number, seed: number): SimWorld {
  const groups = Array.from({ length: participants / GROUP_OWNERS }, (_, group) => ({
    owners: Array.from({ length: GROUP_OWNERS }, (_owner, at) => GROUP_OWNERS * group + at),
  }));
  return new SimWorld(
    {
      name: 'scale',
      participants,
      groups,
      topology: 'groups',
      blocksPerSecond: BLOCKS_PER_SECOND,
      faults: { ...NO_FAULTS, delayMinMs: 2, delayMaxMs: 6 },
    },
    seed,
  );
}

/**
 * Puts the same load on every owner, in Worlds of so many Participants in disjoint groups of five,
 * one World after the other until `total` Participants have had it.
 */
export function measureScale(participants: number, total: number): ScaleCost {
  let cpuMicros = 0;
  let bytes = 0;
  for (let world = 0; world * participants < total; world++) {
    const sim = makeWorld(participants, 1 + world);
    sim.onMessage = (message) => {
      bytes += bytesOf(message);
    };
    const before = process.cpuUsage();
    sim.start(LOAD_MS);
    sim.time.run(LOAD_MS + REST_MS);
    const { user, system } = process.cpuUsage(before);
    cpuMicros += user + system;
    if (!sim.isAllFinal()) throw new Error('not everything is final');
  }
  return { cpuMs: cpuMicros / 1000 / total, bytes: bytes / total };
}
