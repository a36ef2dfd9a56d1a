import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostReservations } from '../../src/hardware/host-reservations.ts';
import { loadConfig } from '../../src/participant/config-file.ts';
import { formatConfigFile } from '../../src/participant/config-text.ts';
import { loadDevices } from '../../src/participant/device-settings.ts';
import { checkBoard } from '../../src/participant/doctor-board.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-devices-'));
  file = join(folder, 'vertebra.toml');
});
afterEach(() => rmSync(folder, { recursive: true }));

const FAN = 'name = "fan"\nkind = "gpio"\npin = "GPIO17"\ndirection = "out"\nsafe = "high"\n';
const section = (text: string): string => `[[devices]]\n${text}\n`;

function load(text: string) {
  writeFileSync(file, text);
  return loadDevices(file);
}

describe('devices in vertebra.toml', () => {
  test('are none where there is no file, and none in a new one', () => {
    expect(loadDevices(file)).toEqual([]);
    expect(load(formatConfigFile())).toEqual([]);
  });

  test('stand below the settings, which are read as ever', () => {
    const text = `turn_ms = 41\nboard = "virtual"\n${section(FAN)}`;
    expect(load(text)).toEqual([
      {
        ...{ name: 'fan', kind: 'gpio', pin: 'GPIO17', direction: 'out', safe: 'high' },
        ...{ labels: [], bias: 'none', debounceMs: 0 },
        ...{ onQuorumLoss: 'keep', quorumGroup: 'any', quorumLossMs: 10_000 },
      },
    ]);
    const config = loadConfig({ file, environment: {} });
    expect([config.turnMs, config.board]).toEqual([41, 'virtual']);
  });

  test('are of four kinds', () => {
    const devices = load(
      [
        'name = "door"\nkind = "gpio"\npin = "J8:15"\nbias = "up"\ndebounce_ms = 20',
        'name = "lamp"\nkind = "pwm"\npin = "GPIO12"\nfrequency_hz = 50\nlabels = ["site=a-1"]',
        'name = "meter"\nkind = "serial"\npath = "/dev/ttyUSB0"\nbaud = 115200',
        'name = "wheels"\nkind = "drivetrain"\npath = "/dev/ttyAMA0"\ncontroller = "roboclaw"',
      ]
        .map(section)
        .join(''),
    );
    expect(devices).toMatchObject([
      { kind: 'gpio', direction: 'in', debounceMs: 20 },
      { kind: 'pwm', frequencyHz: 50, labels: ['site=a-1'] },
      { kind: 'serial', baud: 115_200 },
      { kind: 'drivetrain', address: 128, deadManMs: 500, speedMaxPercent: 100 },
    ]);
  });

  test.each([
    ['no name', 'kind = "gpio"', /device 1 needs a name/],
    ['a long name', `name = "${'x'.repeat(33)}"`, /needs a name/],
    ['no kind', 'name = "fan"', /\(fan\) needs a kind: gpio, pwm, serial, drivetrain/],
    ['no pin', 'name = "fan"\nkind = "gpio"', /pin is missing/],
    ['a strange safe state', `${FAN.replace('high', 'off')}`, /safe is "off"; permitted: low/],
    ['another kind of key', `${FAN}baud = 9600`, /no setting baud.*Did you mean/],
    ['a setting below it', `${FAN}turn_ms = 41`, /turn_ms.*go above all \[\[devices\]\]/],
    ['a strange label', `${FAN}labels = ["site"]`, /labels are at most 16/],
    ['many labels', `${FAN}labels = [${'"a=b",'.repeat(17)}]`, /labels are at most 16/],
    ['a short dead-man time', driven('dead_man_ms = 99'), /dead_man_ms is 99.*from 100 to 10000/],
    ['no controller', driven('').replace('controller', '# '), /controller is missing.*roboclaw/],
  ])('are refused with %s', (_what, text, words) => {
    expect(() => load(section(text))).toThrow(words);
    expect(() => load(section(text))).toThrow(
      expect.objectContaining({ code: 'CONFIG_NOT_PERMITTED' }),
    );
  });

  test('have a name each, and a bound', () => {
    expect(() => load(section(FAN) + section(FAN))).toThrow(/devices 1 and 2 are both called fan/);
    const many = Array.from({ length: 65 }, (_, index) => section(FAN.replace('fan', `f${index}`)));
    expect(() => load(many.join(''))).toThrow(/at most 64/);
    expect(load(many.slice(1).join(''))).toHaveLength(64);
    expect(() => load('devices = 3')).toThrow(/at most 64 sections/);
  });
});

function driven(text: string): string {
  return `name = "w"\nkind = "drivetrain"\npath = "/dev/x"\ncontroller = "roboclaw"\n${text}`;
}

describe('pins among processes', () => {
  const reservations = new HostReservations();
  const key = `test-${process.pid} GPIO17`;

  test('have one holder, who is named, until it gives them back', async () => {
    expect(await reservations.holder(key)).toBeNull();
    const giveBack = await reservations.reserve(key, 'device fan');
    expect(await reservations.holder(key)).toBe(`device fan (process ${process.pid})`);
    await expect(new HostReservations().reserve(key, 'device door')).rejects.toMatchObject({
      code: 'BOARD_PIN_HELD',
      message: expect.stringMatching(/^GPIO17 is held by device fan \(process \d+\); device door/),
    });
    await giveBack();
    await (await reservations.reserve(key, 'device door'))();
  });
});

describe('doctor looks at the board', () => {
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const look = async () => {
    const findings = await checkBoard({ configFile: file, environment: {}, root: folder });
    return (check: string) => findings.find((each) => each.check === check);
  };
  const pretend = (): void => {
    put('proc/device-tree/model', 'Raspberry Pi 4 Model B Rev 1.4\0');
    put('proc/device-tree/compatible', 'raspberrypi,4-model-b\0brcm,bcm2711\0');
  };

  test('and finds no problem on a machine without pins', async () => {
    const of = await look();
    expect(of('board')).toMatchObject({ state: 'note' });
    expect(of('GPIO')).toBeUndefined();
  });

  test('and says what a Pi has, and what becomes of outputs when the agent is killed', async () => {
    pretend();
    put('sys/class/gpio/export', '');
    for (const [name, text] of [
      ['label', 'pinctrl-bcm2711\n'],
      ['base', '512\n'],
      ['ngpio', '58\n'],
    ] as const) {
      put(`sys/class/gpio/gpiochip512/${name}`, text);
    }
    put('sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs', 'Y\n');
    put('dev/gpiochip0', '');
    const of = await look();
    expect(of('board')).toMatchObject({ state: 'ok', found: 'Raspberry Pi 4 Model B' });
    expect(of('GPIO')).toMatchObject({ state: 'ok', found: 'pinctrl-bcm2711, from 512' });
    expect(of('GPIO permission')?.state).toBe('ok');
    // A file is no chip: what is asked of it, it refuses.
    expect(of('GPIO device')).toMatchObject({ state: 'note' });
    expect(of('GPIO device')?.found).toContain('sysfs');
    expect(of('GPIO outputs')).toMatchObject({ state: 'note' });
    expect(of('GPIO outputs')?.found).toContain('the kernel says Y');
    expect(of('GPIO outputs')?.mend).toContain('dtparam=strict_gpiod');
  });

  test('and names a missing interface, and a device that is not there', async () => {
    pretend();
    writeFileSync(file, section(driven('')) + section(FAN.replace('GPIO17', 'J8:1')));
    const of = await look();
    expect(of('GPIO')).toMatchObject({ state: 'problem' });
    expect(of('GPIO')?.mend).toContain('CONFIG_GPIO_SYSFS');
    expect(of('device w')).toMatchObject({ state: 'problem', found: '/dev/x' });
    expect(of('device fan')?.mend).toMatch(/J8:1 is 3V3/);
  });
});
