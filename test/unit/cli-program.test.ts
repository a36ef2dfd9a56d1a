import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VERSION } from '../../src/model/version.ts';
import { RequestError } from '../../src/participant/face.ts';
import { command, Stage } from './cli-stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = new Stage();
  await stage.start();
});
afterEach(async () => await stage.end());

const COMMANDS = [
  ['init'],
  ['doctor'],
  ['world', 'create'],
  ['world', 'join'],
  ['run'],
  ['status'],
  ['peer', 'list'],
  ['peer', 'add'],
  ['pact', 'add'],
  ['pact', 'list'],
  ['pact', 'show'],
  ['group', 'add'],
  ['group', 'list'],
  ['group', 'show'],
  ['push'],
  ['pull'],
  ['query'],
  ['dag'],
  ['verify'],
  ['demo'],
  ['bench'],
  ['version'],
];

describe('help', () => {
  test.each(COMMANDS)(
    'of %s %s shows an example of it and the flags that all take',
    async (...words) => {
      const args = words.filter((word) => word !== undefined);
      const { exit, out } = await command([...args, '--help']);
      expect(exit).toBe(0);
      expect(out).toMatch(new RegExp(`Examples?:\n(.*\n)?  \\$ (.* )?vertebra ${args.join(' ')}`));
      expect(out).toContain('--home <dir>');
      expect(out).toContain('--json');
    },
  );

  test('of the program names every command and exit code', async () => {
    const { exit, out } = await command(['--help']);
    expect(exit).toBe(0);
    for (const [word] of COMMANDS) expect(out).toMatch(new RegExp(`\n  ${word} `));
    expect(out).toContain('8 doctor found problems');
  });

  test('offers no flag or argument that a secret would go into', async () => {
    for (const words of COMMANDS) {
      const { out } = await command([...words, '--help']);
      const flags = out.match(/--[a-z-]+ <[a-z.]+>/g) ?? [];
      const secret = flags.filter((flag) => /secret|key|seed|password|token/.test(flag));
      expect(secret.every((flag) => flag === '--secret-file <file>')).toBe(true);
    }
  });
});

describe('usage', () => {
  test.each([
    [['nothing']],
    [['status', '--nothing']],
    [['peer', 'add']],
    [['world', 'create', 'farm']],
    [['pull', 'door', '--from', '0']],
    [['pull', 'door', '--count', 'x']],
    [['push', 'door', '--wait', 'long']],
    [['push', 'door', '--timeout', '0']],
    [['dag', '--generations', '0']],
    [['demo', '--seconds', 'x']],
    [['query', 'SELECT 1', '--csv', '--json']],
    [['run', '--sensors', 'often']],
    [['run', '--log-level', 'loud']],
  ])('that is wrong ends with 2 and one word on stderr: %j', async (args) => {
    const { exit, out, err } = await stage.run(args);
    expect(exit).toBe(2);
    expect(out).toBe('');
    expect(err).not.toBe('');
    expect(err).not.toContain('    at ');
  });

  test('without a command shows the help', async () => {
    const { err, exit } = await command([]);
    expect(err).toContain('Usage: vertebra');
    expect(exit).toBe(2);
  });
});

describe('a home', () => {
  test('is made once, and its World created and joined, by files alone', async () => {
    const home = join(stage.folder, 'other');
    const file = join(stage.folder, 'other.secret');
    const on = (...args: string[]) => command([...args, '--home', home]);
    expect((await on('world', 'create', 'yard', '--secret-file', file)).exit).toBe(5);
    expect((await on('init', '--name', 'shed')).exit).toBe(0);
    expect((await on('init')).out).toContain('nothing was changed');
    const created = await on('world', 'create', 'yard', '--secret-file', file, '--json');
    expect(JSON.parse(created.out)).toMatchObject({ world: 'yard', secretFile: file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(file, 'utf8').split(' ')[1]!.trim();
    for (const { out, err } of [created, await on('world', 'create', 'b', '--secret-file', file)]) {
      expect(out + err).not.toContain(secret);
    }
    expect((await on('world', 'create', 'b', '--secret-file', file)).exit).toBe(6);
    expect((await on('world', 'join', 'again', '--secret-file', file)).exit).toBe(6);
    expect((await on('world', 'create', 'No', '--secret-file', `${file}2`)).exit).toBe(2);
    expect(existsSync(`${file}2`)).toBe(false);
  });

  test('joins a World through the standard input', async () => {
    const home = join(stage.folder, 'other');
    const on = (args: string[], input = '') => command([...args, '--home', home], { input });
    await on(['init']);
    const args = ['world', 'join', 'farm', '--secret-file', '-'];
    expect((await on(args, 'nothing')).exit).toBe(4);
    expect((await on(args, 'x'.repeat(10_000))).exit).toBe(4);
    const secret = readFileSync(join(stage.folder, 'farm.secret'), 'utf8');
    const { exit, out, err } = await on(args, secret);
    expect([exit, err]).toEqual([0, '']);
    expect(out).not.toContain(secret.split(' ')[1]!.trim());
    expect((await on(['verify'])).exit).toBe(5);
    expect((await on(['query', 'SELECT 1'])).exit).toBe(5);
  });

  test('keeps the links that were named when its World was joined', async () => {
    const home = join(stage.folder, 'other');
    const on = (...args: string[]) => command([...args, '--home', home]);
    await on('init');
    const file = join(stage.folder, 'farm.secret');
    const join_ = ['world', 'join', 'farm', '--secret-file', file, '--peer'];
    expect((await on(...join_, 'ftp://a:1')).exit).toBe(2);
    expect((await on(...join_, 'tcp://192.0.2.1:7411')).exit).toBe(0);
    const { out } = await on('query', 'SELECT url FROM vb_peer', '--json');
    expect(JSON.parse(out)).toEqual({ url: 'tcp://192.0.2.1:7411' });
  });

  test('with several Worlds wants one named, by flag or environment', async () => {
    const file = join(stage.folder, 'wood.secret');
    await stage.run(['world', 'create', 'wood', '--secret-file', file]);
    const unsaid = await stage.run(['status']);
    expect([unsaid.exit, unsaid.err]).toEqual([2, expect.stringContaining('farm, wood')]);
    expect((await stage.run(['status', '--world', 'farm'])).exit).toBe(0);
    const environment = { VERTEBRA_WORLD: 'farm' };
    expect((await stage.run(['status'], { environment })).exit).toBe(0);
    expect((await stage.run(['status', '--world', 'moon'])).exit).toBe(5);
  });
});

describe('a command to an agent', () => {
  test('that does not run ends with 3 and says how to start it', async () => {
    await stage.stop();
    for (const args of [
      ['status'],
      ['peer', 'list'],
      ['push', 'door'],
      ['pull', 'door'],
      ['dag'],
    ]) {
      const { exit, out, err } = await stage.run(args);
      expect([exit, out]).toEqual([3, '']);
      expect(err).toContain(`vertebra run --home ${stage.home.folder} --world farm`);
    }
  });

  test.each([
    [['status'], 'farm'],
    [['peer', 'list'], 'connected'],
    [['pact', 'list'], 'door'],
    [['pact', 'show', 'door'], 'load'],
    [['group', 'list'], '1 of 1'],
    [['group', 'show', 'door'], 'Quorum'],
    [['group', 'add', 'door', '--owner', 'self'], 'Next: vertebra push door'],
    [['peer', 'add', 'tcp://b:1'], 'tcp://b:1'],
    [['dag'], 'Generation 4'],
    [['trace', 'door:7'], 'issued it'],
  ])('prints text for people and one JSON value with --json: %j', async (args, word) => {
    stage.face.open('door');
    stage.face.addPeer('tcp://a:1');
    const text = await stage.run(args);
    expect(text).toMatchObject({ exit: 0, err: '', out: expect.stringContaining(word) });
    expect(text.out).not.toContain('\u001b');
    const { exit, out, err } = await stage.run([...args, '--json']);
    expect([exit, err]).toEqual([0, '']);
    expect(out.endsWith('\n')).toBe(true);
    expect(JSON.parse(out)).not.toBeNull();
  });

  test('deploys a Pact from its file', async () => {
    const file = join(stage.folder, 'gate.json');
    writeFileSync(file, '{"name":"gate"}');
    expect(await stage.run(['pact', 'add', file])).toMatchObject({ exit: 0 });
    expect(stage.face.channels.has('gate')).toBe(true);
    expect((await stage.run(['pact', 'add', join(stage.folder, 'none')])).exit).toBe(5);
    writeFileSync(file, ' '.repeat(300_000));
    expect((await stage.run(['pact', 'add', file])).exit).toBe(4);
  });

  test.each([
    ['pact-unknown', 5],
    ['entry-unknown', 5],
    ['group-ambiguous', 6],
    ['pact-conflict', 6],
    ['group-not-owned', 4],
    ['halted', 4],
    ['closed', 3],
  ] as const)('that is refused with %s ends with %i and says why', async (code, wanted) => {
    stage.face.channel = () => {
      throw new RequestError(code, 'for a reason', { where: 'field' });
    };
    const plain = await stage.run(['push', 'door'], { input: '{"load":1}' });
    expect(plain).toEqual({ exit: wanted, out: '', err: 'vertebra: for a reason\n' });
    const { err } = await stage.run(['push', 'door', '--json'], { input: '{"load":1}' });
    expect(JSON.parse(err)).toEqual({ error: { code, message: 'for a reason', where: 'field' } });
  });

  test('that fails by a fault of ours ends with 1', async () => {
    stage.face.status = () => {
      throw new TypeError('oh');
    };
    expect((await stage.run(['status'])).exit).toBe(1);
  });
});

describe('push', () => {
  test.each([
    ['{"load":1}', 1],
    ['{\n  "load": 1\n}\n', 1],
    ['[{"load":1},\n {"load":2}]', 2],
    ['\n\n{"load":1}\n{"load":2}\n{"load":3}\n', 3],
    ['', 0],
  ])('takes %j from the standard input', async (input, count) => {
    const channel = stage.face.open('door');
    const { exit, out } = await stage.run(['push', 'door', '--json'], { input });
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toEqual({ taken: count, state: 'durable' });
    expect(channel.final).toHaveLength(count);
  });

  test('takes a file', async () => {
    const file = join(stage.folder, 'entries.ndjson');
    writeFileSync(file, '{"load":1}\n'.repeat(5000));
    const channel = stage.face.open('door');
    expect((await stage.run(['push', 'door', file])).out).toBe('5000 Entries durable.\n');
    expect(channel.final).toHaveLength(5000);
    expect((await stage.run(['push', 'door', `${file}x`])).exit).toBe(5);
  });

  test.each(['{"load":', '"text"', 'load=1', '[1]', '{"load":"high"}', '{"load":1}\n{"load":2'])(
    'refuses %j with 4',
    async (input) => {
      stage.face.open('door');
      expect((await stage.run(['push', 'door'], { input })).exit).toBe(4);
    },
  );

  test('gives up when it takes too long, with 7', async () => {
    stage.face.open('door').isDrainedAtOnce = false;
    const args = ['push', 'door', '--wait', 'final', '--timeout', '0.1'];
    expect((await stage.run(args, { input: '{"load":1}' })).exit).toBe(7);
  });

  test('ends with 130 when interrupted', async () => {
    const channel = stage.face.open('door');
    channel.isDrainedAtOnce = false;
    const interrupt = new AbortController();
    const pushing = stage.run(['push', 'door'], { input: '{"load":1}', interrupt });
    while (channel.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    interrupt.abort();
    expect((await pushing).exit).toBe(130);
  });
});

describe('pull', () => {
  const sequences = (out: string) =>
    out
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).sequence);

  function fill(count: number): void {
    const channel = stage.face.open('door');
    channel.final.push(...Array.from({ length: count }, (_, index) => ({ load: index })));
  }

  test('prints Finalized Entries as NDJSON, with or without --json', async () => {
    fill(3);
    for (const flags of [[], ['--json']]) {
      const { exit, out, err } = await stage.run(['pull', 'door', ...flags]);
      expect([exit, err, sequences(out)]).toEqual([0, '', [1, 2, 3]]);
    }
    expect(
      sequences((await stage.run(['pull', 'door', '--from', '2', '--count', '1'])).out),
    ).toEqual([2]);
  });

  test('lets no control character out, and the same text', async () => {
    const load = 'a\u009b31m\u202e';
    stage.face.open('door').final.push({ load });
    const { out } = await stage.run(['pull', 'door']);
    expect(out).not.toMatch(/[\u007f-\u009f\u202e]/);
    expect(JSON.parse(out).entry).toEqual({ load });
  });

  test('follows until interrupted, ends with 130 and says how to go on', async () => {
    fill(2);
    const interrupt = new AbortController();
    const read = (text: string) => {
      if (text.includes('"sequence":2')) interrupt.abort();
      return true;
    };
    const { exit, out, err } = await stage.run(['pull', 'door', '--follow'], { interrupt, read });
    expect([exit, sequences(out)]).toEqual([130, [1, 2]]);
    expect(err).toBe('To go on from here: vertebra pull door --from 3 --follow\n');
  });

  test('ends quietly when nobody reads any longer', async () => {
    fill(5);
    const args = ['pull', 'door', '--follow'];
    const { exit, out, err } = await stage.run(args, { read: () => false });
    expect([exit, sequences(out), err]).toEqual([0, [1], '']);
  });

  test('says that the agent ended, and how to go on', async () => {
    fill(1);
    const read = () => {
      void stage.stop();
      return true;
    };
    const { exit, err } = await stage.run(['pull', 'door', '--follow'], { read });
    expect(exit).toBe(3);
    expect(err).toContain('The agent ended.');
    expect(err).toContain('vertebra pull door --from 2 --follow');
  });

  test('that has as many as asked for ends with 0', async () => {
    fill(2);
    const { exit, err } = await stage.run(['pull', 'door', '--follow', '--count', '2']);
    expect([exit, err]).toEqual([0, '']);
  });
});

describe('dag', () => {
  test('draws an SVG into a file or the standard output', async () => {
    const file = join(stage.folder, 'dag.svg');
    expect((await stage.run(['dag', '--svg', file])).out).toBe(`9 Metablocks drawn in ${file}.\n`);
    const nowhere = join(stage.folder, 'nowhere', 'dag.svg');
    const refused = await stage.run(['dag', '--svg', nowhere]);
    expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining('name another file') });
    const { out } = await stage.run(['dag', '--svg', '-', '--generations', '9']);
    expect(out).toBe(readFileSync(file, 'utf8'));
    expect(out).toMatch(/^<svg /);
  });
});

test('the demo puts its homes into no folder that holds something', async () => {
  const { exit, err } = await command(['demo', '--seconds', '1', '--keep', stage.folder]);
  expect(exit).toBe(6);
  expect(err).toContain(`${stage.folder} is not empty. Name a new folder with --keep`);
});

test('an agent does not start with a link that could never be dialled', async () => {
  const interrupt = new AbortController();
  interrupt.abort();
  for (const url of ['tcp:/x', 'tcp://host:0', 'http://host:1']) {
    const args = ['run', '--listen', 'tcp://127.0.0.1:0', '--peer', url];
    const { exit, err } = await stage.run(args, { interrupt });
    expect([exit, err.includes(url)]).toEqual([2, true]);
  }
});

test('the version is that of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(VERSION).toBe(version);
  expect((await command(['version'])).out).toBe(`vertebra ${version}\n`);
  expect((await command(['--version'])).out).toBe(`${version}\n`);
  expect(JSON.parse((await command(['version', '--json'])).out)).toMatchObject({ version });
});
