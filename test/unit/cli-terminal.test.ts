import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rememberPeers } from '../../src/participant/peer-book.ts';
import { command, Stage } from './cli-stage.ts';

/** Steers a terminal, and turns the line around. */
const EVIL = 'a\u001b[2J\u009b31m\u202e';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
  rememberPeers(stage.world, ['tcp://192.0.2.1:7411']);
});
afterEach(async () => await stage.end());

const SELECT = `SELECT '${EVIL}' AS "${EVIL}"`;

describe('nothing steers the terminal', () => {
  test('that a query finds', async () => {
    expect((await stage.run(['query', SELECT])).out).not.toMatch(STEERING);
    const { out } = await stage.run(['query', SELECT, '--json']);
    expect(out).not.toMatch(STEERING);
    expect(JSON.parse(out)).toEqual({ [EVIL]: EVIL });
  });

  test('of comma-separated values, which are whole elsewhere', async () => {
    const csv = ['query', SELECT, '--csv'];
    expect((await stage.run(csv, { isOutputTerminal: true })).out).not.toMatch(STEERING);
    expect((await stage.run(csv)).out).toBe(`${EVIL}\n${EVIL}\n`);
  });

  test('that a command says of a path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vertebra-evil-'));
    const { out, exit } = await command(['init', '--home', join(folder, EVIL)]);
    expect([exit, STEERING.test(out)]).toEqual([0, false]);
    rmSync(folder, { recursive: true });
  });

  test('in an error', async () => {
    for (const flags of [[], ['--json']]) {
      const { err, exit } = await command(['status', '--home', `/nowhere/${EVIL}`, ...flags]);
      expect([exit, err.includes('nowhere'), STEERING.test(err)]).toEqual([5, true, false]);
    }
  });
});
