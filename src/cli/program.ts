import { Command, CommanderError } from 'commander';
import { VERSION } from '../model/version.ts';
import { plainJson } from '../participant/plain-text.ts';
import { Cli } from './cli.ts';
import { registerBehavior } from './commands/behavior.ts';
import { registerBench } from './commands/bench.ts';
import { registerDag } from './commands/dag.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDevice } from './commands/device.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerGroup } from './commands/group.ts';
import { registerInit } from './commands/init.ts';
import { registerLog } from './commands/log.ts';
import { registerPact } from './commands/pact.ts';
import { registerPeer } from './commands/peer.ts';
import { registerPull } from './commands/pull.ts';
import { registerPush } from './commands/push.ts';
import { registerQuery } from './commands/query.ts';
import { registerRun } from './commands/run.ts';
import { registerSaga } from './commands/saga.ts';
import { registerStatus } from './commands/status.ts';
import { registerTrace } from './commands/trace.ts';
import { registerVerify } from './commands/verify.ts';
import { registerVersion } from './commands/version.ts';
import { registerWorld } from './commands/world.ts';
import { EXIT, type ExitCode, failureOf } from './exit-code.ts';
import type { Io } from './io.ts';
import { plain } from './table.ts';

const DESCRIPTION =
  'A Data Backbone for small machines: typed, signed data, agreed on without a server.';

const FOOT = `
Exit codes: 0 ok, 1 failed, 2 usage, 3 agent unreachable, 4 refused, 5 not found, 6 conflict,
7 timeout, 8 doctor found problems, 130 interrupted.

First steps:
  $ vertebra demo
  $ vertebra init --name attic
  $ vertebra world create farm --secret-file farm.secret
  $ vertebra run
`;

const COMMANDS = [
  registerInit,
  registerDoctor,
  registerWorld,
  registerRun,
  registerStatus,
  registerPeer,
  registerPact,
  registerGroup,
  registerPush,
  registerPull,
  registerTrace,
  registerQuery,
  registerDag,
  registerLog,
  registerVerify,
  registerDevice,
  registerDemo,
  registerBehavior,
  registerSaga,
  registerBench,
  registerVersion,
];

/**
 * Runs one command line.
 *
 * @param args Without the program's own name.
 * @returns what the process is to end with; whatever went wrong has been said.
 */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  const program = new Command('vertebra');
  const cli = new Cli(io, program);
  program
    .description(DESCRIPTION)
    .version(VERSION, '-V, --version', 'print the version')
    .option('--home <dir>', 'where this Participant keeps all it has (VERTEBRA_HOME)')
    .option('--world <name>', 'which of its Worlds, if it has several (VERTEBRA_WORLD)')
    .option('--json', 'print JSON')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => io.err(text),
    })
    .exitOverride()
    .showHelpAfterError('(--help shows how it is used)')
    .addHelpText('after', FOOT);
  for (const register of COMMANDS) register(program, cli);
  for (const command of program.commands) inherit(program, command);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return cli.exit;
  } catch (error) {
    return report(error, io, args.includes('--json'));
  }
}

/** Settings that commander hands on only to commands made after them. */
function inherit(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent);
  for (const each of command.commands) inherit(command, each);
}

/** Says what went wrong, on stderr. */
function report(error: unknown, io: Io, isJson: boolean): ExitCode {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  const { exit, code, message, where, stack } = failureOf(error);
  if (isAbort(error) && io.interrupted.aborted) return EXIT.interrupted;
  if (isJson) io.err(`${plainJson({ error: { code, message, where } })}\n`);
  else io.err(`vertebra: ${plain(message)}\n`);
  if (stack !== null) {
    io.err(`This is a fault of vertebra's own. Please report it:\n${plain(stack)}\n`);
  }
  return exit;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
