import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api, startApi } from '../../src/api/server.ts';
import type { ExitCode } from '../../src/cli/exit-code.ts';
import type { Io } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/program.ts';
import { DEFAULT_CONFIG } from '../../src/participant/config.ts';
import { type Home, homeAt, type WorldHome, worldAt } from '../../src/participant/home.ts';
import { openLogger } from '../../src/participant/log.ts';
import { createWorld, initHome } from '../../src/participant/membership.ts';
import { SampleFace } from './cli-sample-face.ts';

export interface Outcome {
  readonly exit: ExitCode;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly input?: string | AsyncIterable<Uint8Array>;
  readonly interrupt?: AbortController;
  readonly isOutputTerminal?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with each piece of output; false says that nobody reads any longer. */
  readonly read?: (text: string) => boolean;
}

/** Runs a command line in this process. */
export async function command(
  args: readonly string[],
  around: Surroundings = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const { input = '', interrupt = new AbortController() } = around;
  const io: Io = {
    out: async (text) => {
      out += text;
      return around.read?.(text) ?? true;
    },
    err: (text) => {
      err += text;
    },
    input: typeof input === 'string' ? once(input) : input,
    isInputTerminal: false,
    isOutputTerminal: around.isOutputTerminal ?? false,
    environment: { XDG_DATA_HOME: '/nonexistent', ...around.environment },
    interrupted: interrupt.signal,
  };
  const exit = await runCli(args, io);
  return { exit, out, err };
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  if (text !== '') yield Buffer.from(text);
}

/** A home in a World, with a sample agent behind its socket. */
export class Stage {
  readonly folder: string;
  readonly home: Home;
  readonly world: WorldHome;
  readonly face = new SampleFace();
  #api: Api | null = null;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'vertebra-cli-'));
    this.home = homeAt(join(this.folder, 'home'));
    this.world = worldAt(this.home, 'farm');
    initHome(this.home, 'attic');
    createWorld(this.home, 'farm', join(this.folder, 'farm.secret'));
  }

  async start(): Promise<void> {
    const log = openLogger({
      level: 'error',
      format: 'json',
      lineBytesMax: 999,
      wallMs: () => 0,
      write: (line) => process.stderr.write(line),
    });
    const { face, world } = this;
    this.#api = await startApi({ face, log, config: DEFAULT_CONFIG, socket: world.socketFile });
  }

  /** Runs a command line on this home. */
  run(args: readonly string[], around?: Surroundings): Promise<Outcome> {
    return command([...args, '--home', this.home.folder], around);
  }

  async stop(): Promise<void> {
    await this.#api?.close();
    this.#api = null;
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}
