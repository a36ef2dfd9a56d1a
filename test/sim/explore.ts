import { VOTE_RULES, type VoteRule } from '../../src/consensus/vote-rules.ts';
import { EXPLORATION, type Exploration, Walk } from './explorer.ts';
import { withoutRule } from './mutation.ts';
import { readChoice, readCount, readOptions, UsageError } from './options.ts';

const RULES = ['V1', 'V2', 'V3a', 'V3b'] as const satisfies readonly VoteRule[];
const WALKS_MAX = 2 ** 31 - 1;
const TOLD_MAX = 5;

const PLANS: ReadonlyMap<string, Exploration> = new Map([
  ['4', EXPLORATION],
  ['7', { ...EXPLORATION, owners: 7, liars: 2, moves: 120 }],
]);

export const usage =
  'npm run explore -- --walks N --owners 4|7 [--seeds FIRST] [--mutate V1|V2|V3a|V3b] [--json]';

function readPlan(args: readonly string[]) {
  const options = readOptions(args, ['walks', 'owners', 'seeds', 'mutate']);
  const count = options.get('walks');
  const owners = options.get('owners');
  if (count === undefined) throw new UsageError('--walks wants a number');
  if (owners === undefined) throw new UsageError('--owners wants 4 or 7');
  const walks = readCount(count, '--walks', [1, WALKS_MAX]);
  const first = readCount(options.get('seeds') ?? '1', '--seeds', [0, WALKS_MAX]);
  const plan = PLANS.get(readChoice(owners, '--owners', [...PLANS.keys()]))!;
  const mutate = options.get('mutate');
  if (mutate === 'turns')
    throw new UsageError('--mutate turns: walks know no turns; see npm run sim');
  const mutation = mutate === undefined ? null : readChoice(mutate, '--mutate', RULES);
  return { walks, first, plan, mutation, isJson: options.has('json') };
}

/** With a mutation the walks end with the first that forks. @returns the exit code. */
export function main(args: readonly string[]): number {
  const { walks, first, plan, mutation, isJson } = readPlan(args);
  const say = isJson ? console.error : console.log;
  const rules = mutation === null ? VOTE_RULES : withoutRule(mutation).rules!;
  const mutate = mutation === null ? '' : ` --mutate ${mutation}`;
  let [done, votes, metablocks, finals] = [0, 0, 0, 0];
  const found: number[] = [];
  for (let seed = first; seed < first + walks; seed++) {
    const walk = new Walk(plan, rules, seed);
    const fork = walk.run();
    done++;
    votes += walk.votes;
    metablocks += walk.nodes.length;
    finals += walk.nodes.filter((node) => node.isFinal).length;
    if (fork === null) continue;
    found.push(seed);
    if (found.length <= TOLD_MAX) {
      say(`FORK seed ${seed}: ${fork.join(' and ')} are final and rivals`);
      const again = `--walks 1 --owners ${plan.owners} --seeds ${seed}${mutate}`;
      say(`  again: npm run explore -- ${again}`);
    }
    if (mutation !== null) break;
  }
  const group = `${plan.owners} owners, ${plan.liars} of them liars`;
  say(`${group}: ${done} walks, ${votes} votes, ${metablocks} Metablocks, ${finals} final`);
  const violations = found.length;
  const { owners } = plan;
  console.log(
    JSON.stringify({ walks: done, violations, owners, mutation, found: found.slice(0, 100) }),
  );
  return (mutation === null) === (violations === 0) ? 0 : 1;
}
