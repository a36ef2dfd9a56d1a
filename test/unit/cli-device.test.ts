import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Stage } from './cli-stage.ts';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(async () => await stage.end());

const DEVICES = `
[[devices]]
name = "fan"
kind = "gpio"
pin = "GPIO17"
direction = "out"
safe = "high"
labels = ["site=attic"]

[[devices]]
name = "lamp"
kind = "pwm"
pin = "J8:32"

[[devices]]
name = "wheels"
kind = "drivetrain"
path = "/dev/vertebra-none"
controller = "sabertooth"
`;

function declare(text: string): void {
  writeFileSync(stage.home.configFile, text);
}

const events = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; what: string; isHigh?: boolean });

describe('device list', () => {
  test('says how to begin where there is none', async () => {
    const { exit, out } = await stage.run(['device', 'list']);
    expect(exit).toBe(0);
    expect(out).toContain('vertebra device test GPIO17');
  });

  test('shows where each is, its safe state, and what is wrong', async () => {
    declare(`board = "virtual"\n${DEVICES}`);
    const { exit, out } = await stage.run(['device', 'list', '--json']);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      { name: 'fan', where: 'GPIO17 (J8:11)', safe: 'high', labels: ['site=attic'], state: 'free' },
      { name: 'lamp', where: 'GPIO12 (J8:32)', safe: 'low', state: 'free' },
      { name: 'wheels', where: '/dev/vertebra-none', safe: 'stop after 500 ms', state: 'problem' },
    ]);
    const { out: text } = await stage.run(['device', 'list']);
    expect(text).toMatch(/fan +gpio +GPIO17 \(J8:11\) +high +site=attic +free/);
  });
});

describe('status', () => {
  test('shows devices, who has each, and why one is not used', async () => {
    await stage.start();
    const common = { safe: 'low', labels: [], detail: null } as const;
    stage.face.devices.push(
      {
        ...{ ...common, name: 'fan', kind: 'gpio', where: 'GPIO17 (J8:11)', state: 'ready' },
        ...{ holder: 'this agent', value: true },
      },
      {
        ...{ ...common, name: 'wheels', kind: 'drivetrain', where: '/dev/ttyAMA0' },
        ...{ state: 'withheld', holder: 'this agent', detail: 'no Quorum' },
        value: { left: 0, right: 0, isMoving: false },
      },
      {
        ...{ ...common, name: 'bell', kind: 'gpio', where: 'GPIO22', state: 'failed' },
        ...{ holder: 'device door (process 7)', value: null, detail: 'GPIO22 is held' },
      },
    );
    const { out } = await stage.run(['status']);
    expect(out).toMatch(/fan +gpio +GPIO17 \(J8:11\) +this agent +ready +high/);
    expect(out).toMatch(
      /wheels +drivetrain +\/dev\/ttyAMA0 +this agent +withheld +0 left, 0 right/,
    );
    expect(out).toMatch(/bell +gpio +GPIO22 +device door \(process 7\) +failed/);
    expect(out).toContain('wheels: no Quorum\nbell: GPIO22 is held\n');
    stage.face.devices.splice(0);
    expect((await stage.run(['status'])).out).not.toContain('holder');
  });
});

describe('device safe', () => {
  test('sets what is declared to its safe state, and says what could not be', async () => {
    declare(`board = "virtual"\n${DEVICES}`);
    const { exit, out } = await stage.run(['device', 'safe', '--json']);
    expect(exit).toBe(8);
    expect(JSON.parse(out)).toMatchObject([
      { name: 'fan', safe: 'high', isSafe: true },
      { name: 'lamp', safe: 'low', isSafe: true },
      { name: 'wheels', isSafe: false, detail: expect.stringContaining('There is no') },
    ]);
    const [fan] = DEVICES.split('[[devices]]\nname = "lamp"');
    declare(`board = "virtual"\n${fan}`);
    const alone = await stage.run(['device', 'safe']);
    expect([alone.exit, alone.out]).toEqual([
      0,
      expect.stringMatching(/fan +GPIO17 .* high +safe/),
    ]);
  });
});

describe('device test', () => {
  test('only reads a pin, also one that is declared an output', async () => {
    declare(`board = "virtual"\n${DEVICES}`);
    for (const name of ['GPIO22', 'fan', 'lamp']) {
      const { exit, out } = await stage.run(['device', 'test', name, '--seconds', '0', '--json']);
      expect(exit).toBe(0);
      expect(events(out).map(({ event }) => event)).toEqual(['level', 'done']);
    }
  });

  test('drives a pin when told to, and leaves it in its safe state', async () => {
    declare(`board = "virtual"\n${DEVICES}`);
    const drive = async (name: string) => {
      const args = ['device', 'test', name, '--output', '--seconds', '0.01', '--json'];
      const { exit, out } = await stage.run(args);
      expect(exit).toBe(0);
      return events(out);
    };
    const fan = await drive('fan');
    expect(fan[0]).toMatchObject({ event: 'driven', isHigh: false });
    expect(fan.at(-1)).toMatchObject({ event: 'safe', what: 'GPIO17: high' });
    expect((await drive('lamp')).at(-1)).toMatchObject({ event: 'safe', what: 'GPIO12: low' });
    expect((await drive('GPIO22')).at(-1)).toMatchObject({ what: 'GPIO22: input' });
  });

  test('ends when it is interrupted, safely', async () => {
    declare(`board = "virtual"\n${DEVICES}`);
    const interrupt = new AbortController();
    const { exit, out } = await stage.run(['device', 'test', 'fan', '--output', '--json'], {
      interrupt,
      read: () => {
        interrupt.abort();
        return true;
      },
    });
    expect(exit).toBe(0);
    expect(events(out).map(({ event }) => event)).toEqual(['driven', 'safe']);
  });

  test.each([
    ['an unknown pin', ['GPIO99'], 2, /Take GPIO0 to GPIO27/],
    ['a pin that is power', ['J8:1'], 2, /J8:1 is 3V3/],
    ['a strange time', ['GPIO17', '--seconds', 'x'], 2, /0 to 3600/],
    ['a cable that is not there', ['wheels'], 5, /There is no \/dev\/vertebra-none/],
  ])('refuses %s, with what to do', async (_what, args, code, words) => {
    declare(`board = "virtual"\n${DEVICES}`);
    const { exit, err } = await stage.run(['device', 'test', ...args]);
    expect(exit).toBe(code);
    expect(err).toMatch(words);
  });
});
