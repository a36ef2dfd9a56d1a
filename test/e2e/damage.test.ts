import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homeAt, worldAt } from '../../src/participant/home.ts';
import type { AgentProcess } from './agent-process.ts';
import { runCommand } from './program.ts';
import { NOTE, notes, World } from './world.ts';

let world: World;
let sound: AgentProcess;

beforeAll(async () => {
  world = await World.start({ names: ['ada', 'bert'] });
  sound = world.agents[0]!;
  for (let batch = 0; batch < 20; batch++) {
    await sound.push(NOTE, notes('ada', batch * 100 + 1, batch * 100 + 100));
  }
  await world.stop();
});

afterAll(async () => {
  await world.end();
});

function overwrite(file: string, from: number, length: number): void {
  const bytes = readFileSync(file);
  bytes.fill(0xa5, from, from + length);
  writeFileSync(file, bytes);
}

const size = (file: string) => statSync(file).size;

const DAMAGES: readonly [string, RegExp, (file: string) => void][] = [
  ['overwritten in the middle', /damaged/, (file) => overwrite(file, 8192, size(file) - 16_384)],
  ['with an overwritten head', /damaged/, (file) => overwrite(file, 0, 4096)],
  ['cut in half', /damaged/, (file) => truncateSync(file, Math.floor(size(file) / 8192) * 4096)],
  ['cut within a page', /cut within a page/, (file) => truncateSync(file, size(file) - 1000)],
  ['cut within its head', /damaged/, (file) => truncateSync(file, 50)],
  [
    'that is a text',
    /damaged, or never was/,
    (file) => writeFileSync(file, 'door,open\n'.repeat(999)),
  ],
  ['of another program', /another program \(recipe\)/, makeForeign],
  ['of a newer vertebra', /format 99.*newer vertebra/, (file) => pragma(file, 'user_version = 99')],
  ['that lost a table', /lacks the table vb_vote/, (file) => execute(file, 'DROP TABLE vb_vote')],
];

function execute(file: string, sql: string): void {
  const database = new Database(file);
  database.exec(sql);
  database.close();
}

function pragma(file: string, text: string): void {
  execute(file, `PRAGMA ${text}`);
}

function makeForeign(file: string): void {
  rmSync(file);
  execute(file, 'CREATE TABLE recipe (dish TEXT)');
}

describe('`run` refuses, leaves alone and names a database', () => {
  test.each(DAMAGES)('%s', async (kind, why, damage) => {
    const folder = join(world.folder, kind.replaceAll(' ', '-'));
    cpSync(sound.home.folder, folder, { recursive: true });
    const { databaseFile } = worldAt(homeAt(folder), sound.world.name);
    damage(databaseFile);
    const before = createHash('sha256').update(readFileSync(databaseFile)).digest('hex');
    const args = ['--home', folder, '--listen', 'tcp://127.0.0.1:0'];
    const { exit, stdout, stderr } = await runCommand(['run', ...args]);
    expect(exit).not.toBe(0);
    expect(exit).not.toBeNull();
    expect(stdout).toBe('');
    const said = stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('{'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(databaseFile);
    expect(said[0]).toMatch(why);
    const after = createHash('sha256').update(readFileSync(databaseFile)).digest('hex');
    expect(after).toBe(before);
  });
});
