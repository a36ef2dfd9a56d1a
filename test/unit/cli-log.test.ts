import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit-code.ts';
import type { Hex32 } from '../../src/model/bytes.ts';
import { WorldLease } from '../../src/participant/lease.ts';
import type { ForkReport, LogReport } from '../../src/participant/log-face.ts';
import { Stage } from './cli-stage.ts';

const id = (byte: string) => byte.repeat(32) as Hex32;
const GROUP = id('0a');

const FORK: ForkReport = {
  group: GROUP,
  pact: 'door',
  author: id('b1'),
  name: 'cellar',
  own: false,
  sequence: 3,
  previous: id('c2'),
  blocks: [id('c3'), id('d3')],
  seenAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
};

const FORKED: LogReport = {
  group: GROUP,
  pact: 'door',
  author: id('b1'),
  name: 'cellar',
  own: false,
  last: id('c2'),
  sequence: 2,
  finalSequence: 1,
  state: 'shrinking',
  fork: FORK,
};

const GROWING: LogReport = {
  ...FORKED,
  author: id('b2'),
  name: null,
  own: true,
  last: null,
  sequence: 0,
  finalSequence: 0,
  state: 'growing',
  fork: null,
};

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

afterEach(async () => {
  await stage.end();
});

describe('vertebra log list', () => {
  it('shows each log, how far it is and final, and which forks', async () => {
    stage.face.knownLogs.push(FORKED, GROWING);
    await stage.start();
    const { exit, out, err } = await stage.run(['log', 'list']);
    expect({ exit, err }).toEqual({ exit: EXIT.ok, err: '' });
    const [titles, forked, growing] = out.split('\n').map((line) => line.split(/\s+/));
    expect(titles).toEqual(['GROUP', 'ID', 'OWNER', 'LAST', 'SEQUENCE', 'FINAL', 'STATE']);
    expect(forked).toEqual(expect.arrayContaining(['door', 'cellar', '2', '1', 'FORKED']));
    expect(growing).toContain('growing');
    const json = await stage.run(['log', 'list', '--json']);
    expect(JSON.parse(json.out)).toEqual([FORKED, GROWING]);
  });

  it('says so where nobody issued anything, and where no agent runs', async () => {
    const unreached = await stage.run(['log', 'list']);
    expect(unreached.exit).toBe(EXIT.unreachable);
    await stage.start();
    expect((await stage.run(['log', 'list'])).out).toMatch(/No logs yet/);
  });
});

describe('vertebra log show', () => {
  beforeEach(async () => {
    stage.face.open('door');
    await stage.start();
  });

  it('shows the last Blocks of one log, as many as asked for', async () => {
    stage.face.blocks.push({
      block: id('c2'),
      sequence: 2,
      previous: id('c1'),
      entryCount: 7,
      atMs: Date.UTC(2026, 0, 2),
      state: 'covered',
      held: false,
    });
    const { exit, out } = await stage.run(['log', 'show', 'door', 'cellar', '--last', '5']);
    expect(exit).toBe(EXIT.ok);
    expect(out).toMatch(/2 +c2c2\S* +c1c1\S* +7 +2026-01-02T00:00:00.000Z +covered +header only/);
    await stage.run(['log', 'show', 'door', 'self']);
    expect(stage.face.tails).toEqual([
      ['door', 'cellar', 5],
      ['door', 'self', 20],
    ]);
  });

  it('says so where nothing is here, or no such group, and takes no other number', async () => {
    expect((await stage.run(['log', 'show', 'door', 'self'])).out).toMatch(/Nothing of this log/);
    const unknown = await stage.run(['log', 'show', 'lamp', 'self']);
    expect(unknown).toMatchObject({ exit: EXIT.notFound });
    expect(unknown.err).toMatch(/no Sync Group lamp/);
    for (const last of ['0', '1000', 'all', '-1']) {
      const refused = await stage.run(['log', 'show', 'door', 'self', `--last=${last}`]);
      expect(refused.exit, last).toBe(EXIT.usage);
      expect(refused.err).toMatch(/1 to 999/);
    }
  });
});

describe('vertebra log forks', () => {
  it('shows what proves each fork, when it was seen, and what to do', async () => {
    stage.face.knownForks.push(FORK, { ...FORK, author: id('b3'), previous: null, own: true });
    stage.face.invalid.push({ author: 'shed (b4b4b4b4)', fault: 'dependency-doubled' });
    await stage.start();
    const { exit, out } = await stage.run(['log', 'forks']);
    expect(exit).toBe(EXIT.ok);
    expect(out).toMatch(/The log of cellar \(b1b1\S*\) in door \(0a0a\S*\) forks after c2c2/);
    expect(out).toContain(FORK.blocks[0]);
    expect(out).toContain(FORK.blocks[1]);
    expect(out).toContain('first seen 2026-01-02T03:04:05.000Z');
    expect(out).toMatch(/\(b3b3\S*\), this Participant in door .* forks at its beginning/);
    expect(out).toMatch(/a cloned card.*vertebra log adopt/s);
    expect(out).toMatch(/shed \(b4b4b4b4\) signed a Block .*: dependency-doubled/);
    const json = await stage.run(['log', 'forks', '--json']);
    expect(JSON.parse(json.out)).toEqual({
      forks: stage.face.knownForks,
      invalid: stage.face.invalid,
    });
  });

  it('says so where none does', async () => {
    await stage.start();
    expect((await stage.run(['log', 'forks'])).out).toBe('No log forks.\n');
  });
});

interface Adopted {
  readonly retired: string;
  readonly avatar: string;
  readonly keyFile: string;
}

async function adopt(...flags: string[]): Promise<Adopted> {
  const { exit, out, err } = await stage.run(['log', 'adopt', '--json', ...flags]);
  expect({ exit, err }).toEqual({ exit: EXIT.ok, err: '' });
  return JSON.parse(out) as Adopted;
}

describe('vertebra log adopt', { timeout: 120_000 }, () => {
  it('does nothing where nothing came from elsewhere, unless forced to', async () => {
    const refused = await stage.run(['log', 'adopt']);
    expect(refused.exit).toBe(EXIT.refused);
    expect(refused.err).toMatch(/may go on.*--force/s);
    expect(existsSync(stage.world.avatarKeyFile)).toBe(false);
    const { retired, avatar, keyFile } = await adopt('--force');
    expect(avatar).not.toBe(retired);
    expect(keyFile).toBe(stage.world.avatarKeyFile);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(keyFile, 'utf8')).not.toContain(avatar);
    const { out } = await stage.run(['log', 'adopt', '--force']);
    expect(out).toContain(`Avatar ${avatar} is over`);
    expect(out).toContain('Next: vertebra run');
  });

  it('waits for the agent to be stopped', async () => {
    const lease = WorldLease.take(stage.world);
    const refused = await stage.run(['log', 'adopt', '--force']);
    lease.release();
    expect(refused.exit).not.toBe(EXIT.ok);
    expect(existsSync(`${stage.world.avatarKeyFile}.new`)).toBe(false);
    await adopt('--force');
  });

  it('goes on with the key that it had made, interrupted before the database', async () => {
    const { keyFile } = await adopt('--force');
    const key = readFileSync(keyFile, 'utf8');
    // The key is there, and nothing says that it is used: another home, where it came no further.
    const other = new Stage();
    try {
      renameSync(keyFile, `${other.world.avatarKeyFile}.new`);
      const { out } = await other.run(['log', 'adopt', '--force', '--json']);
      expect(JSON.parse(out)).toMatchObject({ keyFile: other.world.avatarKeyFile });
      expect(existsSync(`${other.world.avatarKeyFile}.new`)).toBe(false);
      expect(readFileSync(other.world.avatarKeyFile, 'utf8')).toBe(key);
    } finally {
      await other.end();
    }
  });

  it('is done again where it was interrupted after the database and before the key', async () => {
    const first = await adopt('--force');
    renameSync(first.keyFile, `${first.keyFile}.new`);
    const run = await stage.run(['run']);
    expect(run.exit).not.toBe(EXIT.ok);
    expect(run.err).toMatch(/vertebra log adopt was interrupted, run it again/);
    expect(await adopt()).toEqual(first);
    expect(existsSync(`${first.keyFile}.new`)).toBe(false);
    expect((await stage.run(['log', 'adopt'])).exit).toBe(EXIT.refused);
  });
});
