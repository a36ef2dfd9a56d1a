import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AgentProcess } from './agent-process.ts';
import { readProcess } from './processes.ts';
import { type Outcome, runCommand } from './program.ts';
import { Relay } from './relay.ts';
import { NOTE, notes, World } from './world.ts';

let world: World;
let relay: Relay | null = null;

afterEach(async () => {
  await world?.end();
  relay?.close();
});

/** The one line of a secret's file is its label and 43 digits of base64url. */
function readSecret(file: string): Buffer {
  const digits = readFileSync(file, 'latin1').trim().split(' ')[1];
  const secret = Buffer.from(digits ?? '', 'base64url');
  if (secret.length !== 32) throw new Error(`${file} holds no secret`);
  return secret;
}

/** The ways in which somebody might have written it. */
function formsOf(secret: Buffer): Buffer[] {
  const hex = secret.toString('hex');
  const texts = [hex, hex.toUpperCase(), secret.toString('base64').replace(/=+$/, '')];
  texts.push(secret.toString('base64url'), JSON.stringify([...secret]).slice(1, -1));
  return [secret, Buffer.from(secret).reverse(), ...texts.map((text) => Buffer.from(text))];
}

class Search {
  readonly found: string[] = [];
  /** Bytes that were looked through. */
  bytes = 0;
  private readonly forms: Buffer[];

  constructor(secrets: readonly Buffer[]) {
    this.forms = secrets.flatMap(formsOf);
  }

  look(where: string, content: Buffer | string): void {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content, 'latin1');
    this.bytes += bytes.length;
    if (this.forms.some((form) => bytes.includes(form))) this.found.push(where);
  }

  lookAtFiles(folder: string): void {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (entry.isFile()) this.look(relative(folder, path), readFileSync(path));
    }
  }
}

/** Command lines that work, and some that fail while they hold a secret in their hands. */
async function runCommands(agent: AgentProcess, secretFile: string): Promise<Outcome[]> {
  const home = ['--home', agent.home.folder];
  const outcomes: Outcome[] = [];
  const run = async (...args: string[]) => outcomes.push(await runCommand([...home, ...args]));
  for (const flags of [[], ['--json']]) {
    await run('status', ...flags);
    await run('peer', 'list', ...flags);
    await run('doctor', ...flags);
    await run('query', ...flags, 'SELECT * FROM vb_setting');
    await run('world', 'join', 'again', '--secret-file', secretFile, ...flags);
    await run('world', 'create', 'other', '--secret-file', secretFile, ...flags);
    await run('world', 'join', 'wrong', '--secret-file', agent.home.keyFile, ...flags);
  }
  const copy = join(agent.home.folder, 'copy.secret');
  writeFileSync(copy, readFileSync(secretFile, 'latin1').replace(/.\n$/, '!\n'), { mode: 0o600 });
  await run('world', 'join', 'malformed', '--secret-file', copy);
  chmodSync(copy, 0o644);
  await run('world', 'join', 'exposed', '--secret-file', copy);
  writeFileSync(copy, '');
  expect(outcomes.filter((each) => each.exit === 0).length).toBeGreaterThan(5);
  expect(outcomes.filter((each) => each.exit !== 0).length).toBeGreaterThan(5);
  return outcomes;
}

test('World identifier and seeds are in no frame, file, log, process or message', async () => {
  const launch = { environment: { VERTEBRA_LOG_LEVEL: 'debug' } };
  const dialBetween = async (url: string) => {
    relay = await Relay.open(url);
    return relay.url;
  };
  world = await World.start({ names: ['ada', 'bert'], launch, dialBetween });
  const [ada, bert] = world.agents as [AgentProcess, AgentProcess];
  await ada.push(NOTE, notes('ada', 1, 100));
  await bert.push(NOTE, notes('bert', 1, 100));
  await bert.kill();
  await bert.run(launch);
  await world.settled(world.agents, 200);

  const files = [world.secretFile, ...world.agents.map((each) => each.home.keyFile)];
  const search = new Search(files.map(readSecret));
  for (const { pid, name } of world.agents) {
    search.look(`command line of ${name}`, readProcess(pid, 'cmdline') ?? '');
    search.look(`environment of ${name}`, readProcess(pid, 'environ') ?? '');
  }
  for (const { stdout, stderr } of await runCommands(ada, world.secretFile)) {
    search.look('a message', stdout + stderr);
  }
  for (const bytes of relay?.recorded ?? []) search.look('a frame', bytes);
  expect(relay?.passed.length).toBeGreaterThan(1);
  search.lookAtFiles(world.folder);
  await world.stop();
  search.lookAtFiles(world.folder);

  // The files that are made to hold them are found, so the search works; nothing else is.
  const holders = ['participant.key', 'worlds/yard/world.secret'];
  const expected = [
    'world.secret',
    ...world.agents.flatMap((each) => holders.map((file) => `${each.name}/${file}`)),
  ];
  expect([...new Set(search.found)].sort()).toEqual(expected.sort());
  expect(search.bytes).toBeGreaterThan(500_000);
}, 60_000);
