import { isDeepStrictEqual } from 'node:util';
import type { ConsensusEvent } from '../../src/consensus/events.ts';
import {
  type ConsensusContext,
  type ConsensusState,
  describe,
  type GroupDescription,
  step,
} from '../../src/consensus/metablockchain.ts';
import type { Message } from './message.ts';
import type { SimNode } from './node.ts';
import { NO_FAULTS } from './scenario.ts';
import { SimWorld } from './world.ts';

const GROUP_OWNERS = 5;
const BLOCKS_PER_SECOND = 2;
const LOAD_MS = 3000;
/** Then everything is final. */
const REST_MS = 1000;

interface Input {
  readonly event: ConsensusEvent;
  readonly nowMs: number;
}

/** What the core of one Participant was given, and where that led. */
export interface Recording {
  readonly context: ConsensusContext;
  readonly start: ConsensusState;
  readonly inputs: readonly Input[];
  readonly end: readonly GroupDescription[];
}

/** What the load of a run was for one Participant, on the average. */
export interface ScaleRun {
  readonly recordings: readonly Recording[];
  /** Processor time of everything in milliseconds: network, checker and recording as well. */
  readonly wholeCpuMs: number;
  /** Of the core. */
  readonly steps: number;
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

/** Of each Participant of a World, from its start to its end. */
function record(sim: SimWorld): Recording[] {
  const recordings = new Map<SimNode, Recording & { readonly inputs: Input[] }>();
  sim.onStep = (node, event, nowMs) => {
    let recording = recordings.get(node);
    if (recording === undefined) {
      recording = { context: node.context, start: node.state!, inputs: [], end: [] };
      recordings.set(node, recording);
    }
    recording.inputs.push({ event, nowMs });
  };
  sim.start(LOAD_MS);
  sim.time.run(LOAD_MS + REST_MS);
  sim.onStep = null;
  return sim.nodes.map((node) => ({ ...recordings.get(node)!, end: describe(node.state!) }));
}

/**
 * Puts the same load on every owner, in Worlds of so many Participants in disjoint groups of five,
 * one World after the other until `total` Participants have had it.
 */
export function runScale(participants: number, total: number): ScaleRun {
  let cpuMicros = 0;
  let bytes = 0;
  const recordings: Recording[] = [];
  for (let world = 0; world * participants < total; world++) {
    const sim = makeWorld(participants, 1 + world);
    sim.onMessage = (message) => {
      bytes += bytesOf(message);
    };
    const before = process.cpuUsage();
    const recorded = record(sim);
    cpuMicros += microsSince(before);
    recordings.push(...recorded);
    if (!sim.isAllFinal()) throw new Error('not everything is final');
  }
  const inputs = recordings.reduce((sum, recording) => sum + recording.inputs.length, 0);
  return {
    recordings,
    wholeCpuMs: cpuMicros / 1000 / total,
    steps: inputs / total,
    bytes: bytes / total,
  };
}

function microsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/**
 * Gives Participants again what they were given in their World, to each alone and one after the
 * other, as on a machine of its own.
 *
 * @returns the processor time of one, in milliseconds.
 */
export function replay(recordings: readonly Recording[]): number {
  const ends: ConsensusState[] = [];
  const before = process.cpuUsage();
  for (const { context, start, inputs } of recordings) {
    let state = start;
    for (const { event, nowMs } of inputs) state = step(context, state, event, nowMs).state;
    ends.push(state);
  }
  const cpuMs = microsSince(before) / 1000 / recordings.length;
  for (const [index, state] of ends.entries()) {
    if (!isDeepStrictEqual(describe(state), recordings[index]!.end)) {
      throw new Error('a Participant alone decided something else than in its World');
    }
  }
  return cpuMs;
}
