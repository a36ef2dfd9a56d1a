import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkClock, checkNode, type Finding } from '../../src/participant/doctor.ts';
import { rememberPeers } from '../../src/participant/peer-book.ts';
import { freePort } from '../contract/mosquitto.ts';
import { command, Stage } from './cli-stage.ts';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(async () => await stage.end());

async function examine(environment: Record<string, string> = {}) {
  const { exit, out } = await stage.run(['doctor', '--json'], { environment });
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  const of = (check: string) => findings.find((each) => each.check === check)!;
  return { exit, of, findings };
}

describe('doctor', () => {
  test('finds no problem where there is none, and says what is optional', async () => {
    const { exit, of, findings } = await examine();
    expect(exit).toBe(0);
    expect(findings.every((each) => each.state !== 'problem')).toBe(true);
    expect(of('better-sqlite3').found).toMatch(/^SQLite 3\./);
    expect(of('farm: agent')).toMatchObject({ state: 'note', found: 'not running' });
    expect(of('farm: database')).toMatchObject({ state: 'note', found: 'not made yet' });
  });

  test('sees a running agent', async () => {
    await stage.start();
    expect((await examine()).of('farm: agent')).toMatchObject({ state: 'ok', found: 'running' });
  });

  test.each<[string, string, () => void, RegExp]>([
    ['an open key', 'key', () => chmodSync(stage.home.keyFile, 0o644), /chmod 600/],
    ['a missing key', 'key', () => rmSync(stage.home.keyFile), /vertebra init/],
    ['an open secret', 'farm: secret', () => chmodSync(stage.world.secretFile, 0o640), /chmod 600/],
    ['an open home', 'home', () => chmodSync(stage.home.folder, 0o777), /chmod go-w/],
    [
      'a wrong setting',
      'settings',
      () => writeFileSync(stage.home.configFile, 'turn_ms = 0'),
      /turn_ms is 0/,
    ],
    [
      'a damaged database',
      'farm: database',
      () => writeFileSync(stage.world.databaseFile, 'x'.repeat(9999)),
      /damaged, or never was/,
    ],
  ])('finds %s, says how to mend it and ends with 8', async (_what, check, harm, words) => {
    harm();
    const { exit, of } = await examine();
    expect(exit).toBe(8);
    expect(of(check).state).toBe('problem');
    expect(`${of(check).found} ${of(check).mend}`).toMatch(words);
    const { out } = await stage.run(['doctor']);
    expect(out).toContain(`BAD  ${check}`);
  });

  test('tries brokers and cables that are kept with a World, and none twice', async () => {
    const port = await freePort();
    const [kept, both] = [`mqtt://127.0.0.1:${port}`, `mqtt://127.0.0.1:${await freePort()}`];
    const cables = ['serial:///dev/no-such-device?baud=9600', 'serial:///dev/null?baud=9600'];
    rememberPeers(stage.world, [`${kept}?max_bits_per_second=9600`, both, ...cables]);
    const peers = JSON.stringify([both, cables[1]]);
    writeFileSync(stage.home.configFile, `peers = ${peers}`);
    const { exit, findings } = await examine();
    expect(exit).toBe(8);
    const brokers = findings.filter(({ check }) => check === 'farm: broker');
    expect(brokers.map(({ state }) => state)).toEqual(['problem', 'problem']);
    expect(brokers[1]?.found).toContain(kept);
    expect(brokers[1]?.mend).toContain('Is the broker running');
    const serial = findings.filter(({ check }) => check.includes('serial /'));
    expect(serial.map(({ check, state }) => [check, state])).toEqual([
      ['serial /dev/null', 'ok'],
      ['farm: serial /dev/no-such-device', 'problem'],
    ]);
  });

  test('finds a home that is none', async () => {
    const { exit, out } = await command(['doctor', '--home', `${stage.folder}/none`]);
    expect(exit).toBe(8);
    expect(out).toContain('vertebra init');
  });

  test('notes a variable that sets nothing, and the nearest that does', async () => {
    const { exit, of } = await examine({ VERTEBRA_TURNS_MS: '40' });
    expect(exit).toBe(0);
    expect(of('settings')).toMatchObject({ state: 'note', mend: 'Did you mean VERTEBRA_TURN_MS?' });
  });

  test('notes where the socket is when the home is too long for one', async () => {
    const home = `${stage.folder}/${'h'.repeat(100)}`;
    mkdirSync(home);
    const on = (...args: string[]) => command([...args, '--home', home]);
    await on('init');
    await on('world', 'create', 'farm', '--secret-file', `${stage.folder}/long.secret`);
    const { exit, out } = await on('doctor');
    expect(exit).toBe(0);
    expect(out).toMatch(/note farm: socket .*\.sock/);
  });

  test('shows nothing secret', async () => {
    const { out } = await stage.run(['doctor']);
    expect(out).not.toMatch(/[A-Za-z0-9_-]{43}/);
  });
});

test.each([
  ['20.10.0', 'ok'],
  ['20.9.9', 'problem'],
  ['18.20.0', 'problem'],
  ['24.0.0', 'ok'],
])('Node %s is %s', (version, state) => expect(checkNode(version).state).toBe(state));

test('a clock that was never set is a problem', () => {
  expect(checkClock(0).state).toBe('problem');
  expect(checkClock(Date.UTC(2026, 0, 1) - 1).state).toBe('problem');
  expect(checkClock(Date.UTC(2026, 0, 1)).state).toBe('ok');
});
