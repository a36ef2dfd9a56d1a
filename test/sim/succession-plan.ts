import { compareText } from '../../src/model/bytes.ts';
import { encodeSuccession, type HandOver, type Succession } from '../../src/model/hand-over.ts';
import { deriveQuorum } from '../../src/model/sync-group.ts';
import type { SimNode } from './node.ts';
import type { HandOverPlan } from './scenario.ts';
import type { SimWorld } from './world.ts';

/** Between two tries to tell an owner that is down. */
const AGAIN_MS = 100;

/** Approvals reach each owner at a time of its own; who splits a group does so at once. */
export function planSuccessions(world: SimWorld): void {
  const plans = world.scenario.handOvers ?? [];
  for (const plan of plans) {
    const group = world.groups[plan.group]!;
    const rivals = plans.filter((each) => each.group === plan.group);
    const handOver = approve(world, plan);
    for (const node of world.nodes) {
      if (!group.owners.includes(node.id)) continue;
      if (!world.prng.chance(1 / rivals.length) && plan !== rivals.at(-1)) continue;
      const [fromMs, toMs] = plan.atMs;
      world.time.at(world.prng.between(fromMs, toMs), () => tell(world, node, handOver));
    }
  }
  for (const { group, who, atMs } of world.scenario.splits ?? []) {
    const named = world.groups[group]!;
    const split = () => {
      const node = world.nodes[who]!;
      if (node.state !== null) node.succession.split(named);
      else world.time.after(AGAIN_MS, split);
    };
    world.time.at(atMs, split);
  }
}

function tell(world: SimWorld, node: SimNode, handOver: HandOver): void {
  if (world.dead.has(node)) return;
  if (node.state !== null) node.succession.approve(handOver);
  else world.time.after(AGAIN_MS, () => tell(world, node, handOver));
}

/** Some Quorum of the group's owners approves, and perhaps more of them. */
function approve(world: SimWorld, plan: HandOverPlan): HandOver {
  const { prng, nodes } = world;
  const group = world.groups[plan.group]!;
  const succession: Succession = {
    group: group.id,
    owners: plan.owners.map((owner) => nodes[owner]!.id).sort(compareText),
    quorumPolicy: plan.quorumPolicy ?? group.quorumPolicy,
    availability: group.availability,
  };
  const quorum = deriveQuorum(group.owners.length, group.quorumPolicy);
  const count = quorum + prng.below(group.owners.length - quorum + 1);
  const from = prng.below(group.owners.length);
  const approvals = Array.from({ length: count }, (_, at) => {
    const owner = group.owners[(from + at) % group.owners.length]!;
    const { signer } = nodes.find(({ id }) => id === owner)!;
    return { owner, signature: signer.sign(encodeSuccession(succession)) };
  });
  return { succession, approvals: approvals.sort((a, b) => compareText(a.owner, b.owner)) };
}
