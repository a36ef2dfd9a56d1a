import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Cli, examples } from '../cli.ts';
import { short } from '../table.ts';

export function registerWorld(program: Command, cli: Cli): void {
  const world = program.command('world').description('Make a World, or join one.');
  const file = ['--secret-file <file>', 'where the World identifier is written to'] as const;
  world
    .command('create')
    .summary('make a World')
    .description(
      'Makes a World and writes its private identifier to a new file (mode 0600). Carry that ' +
        'file to every device that is to join; whoever has it is in.',
    )
    .argument('<name>', 'what this home calls the World')
    .requiredOption(...file)
    .addHelpText('after', examples('vertebra world create farm --secret-file farm.secret'))
    .action(async (name: string, options: { secretFile: string }) => {
      const { createWorld } = await import('../../participant/membership.ts');
      const secretFile = resolve(options.secretFile);
      const member = createWorld(await cli.home(), name, secretFile);
      await cli.print({ ...member, secretFile }, () => {
        const others = `vertebra world join ${name} --secret-file FILE --peer tcp://HOST:7411`;
        return (
          `Made the World ${name}; here you are ${short(member.avatar)}.\n` +
          `Its identifier is in ${secretFile}: carry it to the other devices by hand.\n` +
          `There: ${others}\nHere:  vertebra run\n`
        );
      });
    });
  world
    .command('join')
    .summary('join a World')
    .description('Joins the World whose identifier a file holds.')
    .argument('<name>', 'what this home calls the World')
    .requiredOption('--secret-file <file>', 'what world create wrote; - is the standard input')
    .option('--peer <url...>', 'links of others to dial, kept for every start')
    .addHelpText(
      'after',
      examples(
        'vertebra world join farm --secret-file farm.secret --peer tcp://192.168.1.7:7411',
        'ssh attic cat farm.secret | vertebra world join farm --secret-file -',
      ),
    )
    .action(async (name: string, options: { secretFile: string; peer?: string[] }) => {
      const { joinWorld } = await import('../../participant/membership.ts');
      const { checkPeers, rememberPeers } = await import('../../participant/peer-book.ts');
      const { worldAt } = await import('../../participant/home.ts');
      const peers = options.peer ?? [];
      checkPeers(peers);
      const home = await cli.home();
      const { secretFile } = options;
      const source = secretFile === '-' ? await readInput(cli) : resolve(secretFile);
      const member = joinWorld(home, name, source);
      if (peers.length > 0) rememberPeers(worldAt(home, name), peers);
      await cli.print({ ...member, peers }, () => {
        const dials = peers.length === 0 ? '' : ` It will dial ${peers.join(', ')}.`;
        const joined = `Joined ${name}; here you are ${short(member.avatar)}.${dials}`;
        return `${joined}\nNext: vertebra run\n`;
      });
    });
}

/** Far more than the line that holds an identifier, which says how long it may be. */
const INPUT_BYTES_MAX = 4096;

async function readInput(cli: Cli): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of cli.io.input) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > INPUT_BYTES_MAX) break;
  }
  return Buffer.concat(chunks);
}
