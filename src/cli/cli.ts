import type { Command } from 'commander';
import type { AgentClient } from '../api/agent-client.ts';
import type { Home, WorldHome } from '../participant/home.ts';
import { plainJson } from '../participant/plain-text.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { Io } from './io.ts';
import { plain } from './table.ts';

/** Flags that every command takes. */
export interface GlobalOptions {
  readonly home?: string;
  readonly world?: string;
  readonly json?: boolean;
}

/** What the commands have in common. Whatever takes time to load is loaded when it is needed. */
export class Cli {
  readonly io: Io;
  readonly #program: Command;
  /** What the process is to end with. */
  exit: ExitCode = EXIT.ok;

  constructor(io: Io, program: Command) {
    this.io = io;
    this.#program = program;
  }

  get options(): GlobalOptions {
    return this.#program.opts();
  }

  get isJson(): boolean {
    return this.options.json === true;
  }

  async home(): Promise<Home> {
    const { findHome, surroundings } = await import('../participant/home.ts');
    const around = { ...surroundings(), environment: this.io.environment };
    return findHome(this.options.home, around);
  }

  /** The World that `--world`, `VERTEBRA_WORLD` or the home's being in one only means. */
  async world(): Promise<WorldHome> {
    const { chooseWorld } = await import('../participant/home.ts');
    const name = this.options.world ?? (this.io.environment['VERTEBRA_WORLD'] || undefined);
    return chooseWorld(await this.home(), name);
  }

  /** The agent that runs the World from this home. */
  async agent(): Promise<AgentClient> {
    const world = await this.world();
    const { connectAgent } = await import('../api/agent-client.ts');
    const home = this.options.home === undefined ? '' : ` --home ${this.options.home}`;
    return connectAgent(world, `Start it with: vertebra run${home} --world ${world.name}`);
  }

  /**
   * Prints a result: as one JSON value, or as text for people. Names and texts in it come from
   * peers, so nothing in it steers a terminal.
   */
  async print(value: object, text: () => string): Promise<void> {
    await this.io.out(this.isJson ? `${plainJson(value)}\n` : plain(text()));
  }
}

/** Help of a command ends with examples: each a line that one could type, and what it does. */
export function examples(...lines: readonly string[]): string {
  const title = lines.length > 1 ? 'Examples' : 'Example';
  return `\n${title}:\n${lines.map((line) => `  $ ${line}\n`).join('')}`;
}
