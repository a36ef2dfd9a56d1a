import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { PACT_BYTES_MAX } from '../../model/pact.ts';
import type { PactReport } from '../../participant/face.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { formatTable, short } from '../table.ts';

export function registerPact(program: Command, cli: Cli): void {
  const pact = program.command('pact').description('Deploy Pacts, or see those that are known.');
  pact
    .command('add')
    .description('Deploys a Pact from a JSON file. It spreads to the whole World.')
    .argument('<file>', 'a Pact file')
    .addHelpText('after', examples('vertebra pact add examples/pacts/door.json'))
    .action(async (file: string) => {
      const report = await (await cli.agent()).addPact(readPactFile(file));
      const next = `vertebra group add ${report.name} --owner self`;
      await cli.print(report, () => `Pact ${report.name} (${short(report.id)}).\nNext: ${next}\n`);
    });
  pact
    .command('list')
    .description('Shows the Pacts that are known.')
    .addHelpText('after', examples('vertebra pact list'))
    .action(async () => {
      const pacts = await (await cli.agent()).pacts();
      await cli.print(pacts, () => formatPacts(pacts));
    });
  pact
    .command('show')
    .description('Shows one Pact with its fields.')
    .argument('<name>', 'its name, or the beginning of its id')
    .addHelpText('after', examples('vertebra pact show door'))
    .action(async (name: string) => {
      const found = findPact(await (await cli.agent()).pacts(), name);
      await cli.print(found, () => formatPact(found));
    });
}

/** A Pact file is looked at before it is sent: a mistyped name must not send a disk image. */
function readPactFile(file: string): string {
  try {
    const { size } = statSync(file);
    // Spaces and notes of a file do not count, so it may be longer than what it defines.
    if (size <= PACT_BYTES_MAX * 4) return readFileSync(file, 'utf8');
    const message = `${file} has ${size} bytes; a Pact file has at most ${PACT_BYTES_MAX * 4}.`;
    throw new CliError(EXIT.refused, 'pact-invalid', message);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(EXIT.notFound, 'file', `${file} cannot be read: ${reason}`, { cause });
  }
}

function findPact(pacts: readonly PactReport[], name: string): PactReport {
  const named = pacts.filter((each) => each.name === name);
  const found = named.length > 0 ? named : pacts.filter((each) => each.id.startsWith(name));
  const [first, ...others] = found;
  if (first === undefined) {
    const message = `There is no Pact ${name}. Those known: vertebra pact list`;
    throw new CliError(EXIT.notFound, 'pact-unknown', message);
  }
  if (others.length === 0) return first;
  const ids = found.map((each) => short(each.id)).join(', ');
  const message = `${name} may mean several Pacts; name one by its id: ${ids}`;
  throw new CliError(EXIT.conflict, 'pact-ambiguous', message);
}

function formatPacts(pacts: readonly PactReport[]): string {
  if (pacts.length === 0) return 'No Pacts yet. Deploy one: vertebra pact add FILE\n';
  const rows = pacts.map((pact) => [
    pact.name,
    short(pact.id),
    pact.table,
    pact.key.join(', '),
    pact.quorum,
    pact.availability,
    pact.priority,
    pact.fields.length,
  ]);
  const head = ['pact', 'id', 'table', 'key', 'quorum', 'availability', 'priority', 'fields'];
  return formatTable(head, rows);
}

function formatPact(pact: PactReport): string {
  const head =
    `Pact ${pact.name}\nid    ${pact.id}\ntable ${pact.table}\n` +
    `key   ${pact.key.join(', ') || '-'}\n` +
    `quorum ${pact.quorum}, availability ${pact.availability}, priority ${pact.priority}\n\n`;
  const fields = pact.fields.map((field) => [
    field.name,
    field.type,
    field.optional ? 'may be left out' : 'always',
  ]);
  return head + formatTable(['field', 'type', 'there'], fields);
}
