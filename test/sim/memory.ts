import { judgeCut } from '../../src/consensus/cut-judgement.ts';
import type { ConsensusEffect, FinalizedHead } from '../../src/consensus/events.ts';
import { step } from '../../src/consensus/metablockchain.ts';
import { compareText } from '../../src/model/bytes.ts';
import {
  type Cut,
  type CutBody,
  encodeCut,
  isSameStatement,
  sealCut,
} from '../../src/model/cut.ts';
import { deriveQuorum, type GroupId, type SyncGroup } from '../../src/model/sync-group.ts';
import { keyedVerifier } from './keyed-signer.ts';
import type { Message } from './message.ts';
import type { SimNode } from './node.ts';

type CutMessage = Extract<Message, { kind: 'cut' }>;
type Finalize = Extract<ConsensusEffect, { kind: 'finalize' }>;

const AHEAD_MAX = 256;

/**
 * What a simulated Participant keeps of its groups: signs where they stand, forgets what is below a
 * certified cut, and begins at one where peers have nothing older. As `Cutting` and `Retaining` of
 * the production code, over the durable store of the simulation; what is judged, production judges.
 */
export class Memory {
  private readonly node: SimNode;
  private readonly ahead: Cut[] = [];
  private readonly signed: Cut[] = [];

  constructor(node: SimNode) {
    this.node = node;
  }

  clear(): void {
    this.ahead.length = 0;
    this.signed.length = 0;
  }

  /** Within the commit that makes something final. */
  onFinal({ head }: Finalize): void {
    const { node } = this;
    const { store, around } = node;
    const group = store.groups.find((each) => each.id === head.group)!;
    if (around.memory === null || head.handOver !== null) return;
    if ((head.level + 1) % around.memory.everyLevels !== 0) return;
    const body = bodyOf(head, store.lastSequence(group.id));
    const places = store.places.get(group.id) ?? new Map<number, CutBody>();
    store.places.set(group.id, places.set(head.level, body));
    this.takeAhead(body);
    if (group.owners.includes(node.id) && !store.retired.has(group.id)) {
      const cut = sealCut(body, [{ owner: node.id, signature: node.signer.sign(encodeCut(body)) }]);
      store.sign(cut);
      this.signed.push(cut);
    }
    this.retain(group);
  }

  /** After the commit: peers hear what was signed. */
  follow(): void {
    for (const cut of this.signed.splice(0)) {
      this.node.relay({ kind: 'cut', cut, metablock: null, isAnswer: false }, null);
    }
  }

  observe(message: CutMessage): void {
    const { node } = this;
    const { store } = node;
    const { cut } = message;
    const group = store.groups.find((each) => each.id === cut.group);
    if (group === undefined || node.state === null) return;
    const isReached = cut.level <= (store.heads.get(group.id)?.level ?? -1);
    const standing = {
      group,
      quorum: node.around.cutQuorum(group),
      isReached,
      place: isReached ? (store.places.get(group.id)?.get(cut.level) ?? null) : null,
      signed: [...(store.signatures.get(`${group.id}${cut.level}`)?.keys() ?? [])],
      state: node.state.groups.get(group.id),
    };
    const judgement = judgeCut((...signed) => keyedVerifier.verify(...signed), standing, message);
    switch (judgement.kind) {
      case 'signed':
        store.sign(judgement.cut);
        this.retain(group);
        return;
      case 'ahead':
        this.ahead.push(judgement.cut);
        if (this.ahead.length > AHEAD_MAX) this.ahead.shift();
        return;
      case 'false':
        if (node.liar === null) node.around.checker.onFalseCut();
        return;
      case 'beginning':
        if (judgement.head !== null) this.install(group, message, judgement.head);
        return;
      default:
    }
  }

  /** The step and what the store forgets are one commit. */
  private install(group: SyncGroup, { cut, metablock }: CutMessage, head: FinalizedHead): void {
    const { node } = this;
    const { store, around } = node;
    if (node.state === null || metablock === null) return;
    const event = { kind: 'cut', head, metablock } as const;
    const { state, effects } = step(node.context, node.state, event, node.localMs);
    node.commit(state, effects, {
      event,
      from: null,
      before: () => {
        store.installCut(cut, head, metablock);
        this.takeAhead(cut);
        if (node.liar === null) around.checker.onInstall(node.id, group, cut);
      },
    });
  }

  /** The place is reached: what was signed about it counts, if it says the same. */
  private takeAhead(body: CutBody): void {
    const { store } = this.node;
    for (const cut of this.ahead.splice(0)) {
      if (cut.group !== body.group || cut.level > body.level) this.ahead.push(cut);
      else if (isSameStatement(cut, body)) store.sign(cut);
    }
  }

  /** Cuts the group at the newest certified place below all that is to be kept. */
  private retain(group: SyncGroup): void {
    const { store, around } = this.node;
    const { keptEntries } = around.memory!;
    const below = store.lastSequence(group.id) - keptEntries;
    const level = newestCertified(this.node, group, below);
    if (level === null || level <= (store.cuts.get(group.id)?.level ?? -1)) return;
    store.cutBelow(store.signedAt(group.id, level)!);
  }
}

function newestCertified(node: SimNode, group: SyncGroup, below: number): number | null {
  const quorum = deriveQuorum(group.owners.length, group.quorumPolicy);
  const certified = [...(node.store.places.get(group.id) ?? [])]
    .filter(([, { lastSequence }]) => lastSequence <= below)
    .map(([level]) => level)
    .filter((level) => (signersAt(node, group.id, level)?.length ?? 0) >= quorum);
  return certified.length === 0 ? null : Math.max(...certified);
}

function signersAt(node: SimNode, group: GroupId, level: number) {
  return node.store.signedAt(group, level)?.signatures;
}

function bodyOf(head: FinalizedHead, lastSequence: CutBody['lastSequence']): CutBody {
  const tips = [...head.issuers]
    .map(([issuer, { sequence, block }]) => ({ issuer, sequence, block }))
    .sort((a, b) => compareText(a.issuer, b.issuer));
  const { group, level, metablock } = head;
  return { group, level, metablock, lastSequence, tips };
}
