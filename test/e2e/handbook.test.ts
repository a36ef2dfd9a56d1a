import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentProcess } from './agent-process.ts';
import { buildProgram, type Outcome, runCommand } from './program.ts';
import { until } from './waiting.ts';
import { freeUrls } from './world.ts';

const DOOR = fileURLToPath(new URL('../../examples/pacts/door.json', import.meta.url));
const ENTRY = '{"door":"front","open":true}\n';

let folder: string;
let secret: string;
let door: AgentProcess;
let lamp: AgentProcess;

beforeAll(async () => {
  buildProgram();
  folder = mkdtempSync(join(tmpdir(), 'vb-e2e-'));
  secret = join(folder, 'yard.secret');
  const [doorUrl, lampUrl] = (await freeUrls(2)) as [string, string];
  const place = { world: 'yard', peers: [] };
  door = new AgentProcess({ ...place, name: 'door', folder: join(folder, 'door'), url: doorUrl });
  lamp = new AgentProcess({
    ...place,
    name: 'lamp',
    folder: join(folder, 'lamp'),
    url: lampUrl,
    peers: [doorUrl],
  });
});

afterAll(async () => {
  await Promise.all([door.kill(), lamp.kill()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Runs one command line in a home; `input` is what is piped into it. */
function vertebra(agent: AgentProcess, line: string, input = ''): Promise<Outcome> {
  const environment = { VERTEBRA_HOME: agent.home.folder };
  return runCommand(line.split(' '), { environment, input, folder });
}

async function expectExit(exit: number, outcome: Promise<Outcome>): Promise<Outcome> {
  const got = await outcome;
  expect({ exit: got.exit, stderr: exit === 0 ? got.stderr : '' }).toEqual({ exit, stderr: '' });
  if (exit !== 0) expect(got.stderr).not.toBe('');
  return got;
}

/** Each starts a dozen processes, on a machine that may have much else to do. */
const BUSY_MS = 180_000;

test(
  'the first World on two machines goes as the README says',
  async () => {
    await expectExit(0, vertebra(door, 'init --name door'));
    await expectExit(0, vertebra(door, 'world create yard --secret-file yard.secret'));
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    await expectExit(3, vertebra(door, 'status'));
    await expectExit(3, vertebra(door, 'push door', ENTRY));
    await door.run();
    await expectExit(0, vertebra(lamp, 'init --name lamp'));
    await expectExit(0, vertebra(lamp, 'world join yard --secret-file yard.secret'));
    await lamp.run();

    await until('they are linked', async () => {
      const { stdout } = await expectExit(0, vertebra(lamp, 'peer list'));
      return /door.*connected/.test(stdout);
    });
    await expectExit(0, vertebra(lamp, `pact add ${DOOR}`));
    await expectExit(0, vertebra(lamp, 'group add door --owner door --owner lamp'));
    await until('both know the group', async () => (await door.standing('door')) !== null);
    await expectExit(0, vertebra(door, 'push door', ENTRY));
    await expectExit(0, vertebra(lamp, 'push door --wait final', ENTRY.repeat(4)));
    await until('both have all', async () => (await door.standing('door'))?.last === 5);
    for (const each of [door, lamp]) {
      const { stdout } = await expectExit(0, vertebra(each, 'pull door --json'));
      const entries = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
      expect(entries[0].entry).toEqual({ door: 'front', open: true });
    }
  },
  BUSY_MS,
);

test(
  'Entries come in as a stream and go out as one',
  async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `{"door":"d${index}","open":false}`);
    await expectExit(0, vertebra(door, 'push door - --wait final', lines.join('\n')));
    const { stdout } = await expectExit(0, vertebra(lamp, 'pull door --json --follow --count 505'));
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ sequence: 505, entry: { door: 'd499', open: false } });
  },
  BUSY_MS,
);

test(
  'what is agreed on is asked for in SQL, by the agent and by any SQLite tool',
  async () => {
    const sql = "SELECT count(*) AS doors FROM door_now WHERE door LIKE 'd%'";
    const outcome = await runCommand(['query', '--json', sql], {
      environment: { VERTEBRA_HOME: lamp.home.folder },
    });
    expect(outcome).toMatchObject({ exit: 0, stderr: '' });
    expect(outcome.stdout).toContain('500');
    const database = new Database(lamp.world.databaseFile);
    expect(database.prepare(sql).get()).toEqual({ doors: 500 });
    expect(() => database.exec('DELETE FROM door')).toThrow(/written by vertebra alone/);
    database.exec('CREATE TABLE room (door TEXT, room TEXT)');
    database.exec("INSERT INTO room VALUES ('front', 'hall')");
    const joined = 'SELECT room FROM room JOIN door_now USING (door)';
    expect(database.prepare(joined).all()).toEqual([{ room: 'hall' }]);
    database.close();
  },
  BUSY_MS,
);

test(
  'refusals have exits of their own, and name what is at fault',
  async () => {
    const bad = await expectExit(4, vertebra(door, 'push door', '{"door":"x","open":"yes"}'));
    expect(bad.stderr).toContain('open');
    const missing = await expectExit(4, vertebra(door, 'push door', '{"open":true}'));
    expect(missing.stderr).toContain('door');
    const third = await expectExit(
      4,
      vertebra(door, 'push door --json', `${ENTRY}${ENTRY}{"door":"","open":true}\n${ENTRY}`),
    );
    expect(third.stderr).toContain('line 3');
    await expectExit(5, vertebra(door, 'push window', ENTRY));
    await expectExit(5, vertebra(door, 'group add door --owner nobody'));
    await expectExit(5, vertebra(door, 'pull window'));
    await expectExit(2, vertebra(door, 'push'));
    await expectExit(2, vertebra(door, 'no-such-command'));
    await expectExit(6, vertebra(door, 'world create yard --secret-file other.secret'));
    const environment = { VERTEBRA_HOME: door.home.folder };
    await expectExit(4, runCommand(['query', 'DELETE FROM door'], { environment }));
    await until('both have all', async () => {
      const standings = [await door.standing('door'), await lamp.standing('door')];
      return standings.every((each) => each?.last === 507 && each.isAtRest);
    });
  },
  BUSY_MS,
);

test(
  'status, dag and verify show what stands there',
  async () => {
    const status = await expectExit(0, vertebra(door, 'status --json'));
    expect(JSON.parse(status.stdout)).toMatchObject({ name: 'door', world: 'yard', halted: null });
    const picture = await expectExit(0, vertebra(door, 'dag --svg dag.svg'));
    expect(picture.exit).toBe(0);
    expect(readFileSync(join(folder, 'dag.svg'), 'utf8')).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
    await expectExit(0, vertebra(door, 'verify'));
    await Promise.all([door.stop(), lamp.stop()]);
    for (const each of [door, lamp]) await expectExit(0, vertebra(each, 'verify'));
    await expectExit(3, vertebra(door, 'status'));
  },
  BUSY_MS,
);

test(
  'an agent stopped and started again is who it was, and goes on from there',
  async () => {
    const before = await door.run();
    await lamp.run();
    await door.push('door', [JSON.parse(ENTRY)]);
    expect((await door.pull('door')).at(-1)?.sequence).toBe(508);
    await door.stop();
    expect(door.ended).toEqual({ exit: 0, signal: null });
    const after = await door.run();
    expect(after.avatar).toBe(before.avatar);
    await door.push('door', [JSON.parse(ENTRY)]);
    expect((await door.pull('door')).at(-1)).toMatchObject({
      sequence: 509,
      issuer: before.avatar,
    });
  },
  BUSY_MS,
);
