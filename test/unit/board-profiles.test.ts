import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  chooseProfile,
  detectProfile,
  loadProfiles,
  parseProfile,
  readDeviceTree,
} from '../../src/hardware/board-profiles.ts';

const profiles = loadProfiles();

/** JSON Pointers of every figure, truth value and text in a value. */
function leavesOf(value: unknown, path = ''): string[] {
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([key, each]) => leavesOf(each, `${path}/${key}`));
}

describe('the profiles in boards/', () => {
  test('are the seven', () => {
    expect(profiles.map(({ id }) => id)).toEqual([
      ...['rpi-3b-plus', 'rpi-4b', 'rpi-5', 'rpi-cm4', 'rpi-cm5', 'rpi-zero-2-w', 'virtual'],
    ]);
    expect(readdirSync('boards')).toEqual(profiles.map(({ id }) => `${id}.json`));
  });

  test.each(profiles)('$id has a source for every figure', (profile) => {
    const { schema: _schema, id: _id, name: _name, sources, ...facts } = profile;
    const covered = sources.flatMap((source) => source.of);
    const isCovered = (leaf: string) =>
      covered.some((each) => leaf === each || leaf.startsWith(`${each}/`));
    // An empty list says nothing; `leavesOf` finds nothing in it.
    expect(leavesOf(facts).filter((leaf) => !isCovered(leaf))).toEqual([]);
    for (const each of covered) {
      const [first] = each.slice(1).split('/');
      expect(Object.keys(facts)).toContain(first);
    }
  });

  test.each(profiles)('$id has every place and every line once, within its chip', (profile) => {
    const { pins } = profile.header;
    expect(pins.map(({ pin }) => pin)).toEqual(pins.map((_, index) => index + 1));
    for (const pin of pins) expect(pin.line === undefined).toBe(pin.power !== undefined);
    const lines = pins.flatMap(({ line }) => line ?? []);
    expect(new Set(lines).size).toBe(lines.length);
    expect(Math.max(...lines)).toBeLessThan(profile.gpio.lines);
    const used = [
      ...profile.pwm.flatMap(({ channels }) => channels.flatMap((each) => each.lines)),
      ...profile.uarts.flatMap(({ tx, rx }) => [tx, rx]),
      ...profile.i2c.flatMap(({ sda, scl }) => [sda, scl]),
      ...profile.spi.flatMap(({ cs, mosi, miso, sclk }) => [cs, mosi, miso, sclk]),
    ];
    expect(used.filter((line) => !lines.includes(line))).toEqual([]);
  });

  test.each([
    ['an unknown name', { extra: 1 }, /\/extra/],
    ['a negative line count', { gpio: { chip: 'x', lines: -1, basesSeen: [] } }, /gpio\/lines/],
    ['a strange mark', { sources: [{ of: ['/soc'], mark: 'heard', from: 'x' }] }, /sources/],
    ['no header', { header: undefined }, /header/],
  ])('are refused with %s', (_what, change, words) => {
    const text = JSON.stringify({ ...profiles[0], ...change });
    expect(() => parseProfile('a file', text)).toThrow(words);
    expect(() => parseProfile('a file', text)).toThrow(
      expect.objectContaining({ code: 'BOARD_UNKNOWN' }),
    );
  });
});

describe('a board is known by its device tree', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'vertebra-board-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function pretend(model: string, compatible: readonly string[]): void {
    const folder = join(root, 'proc/device-tree');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'model'), `${model}\0`);
    writeFileSync(join(folder, 'compatible'), compatible.map((each) => `${each}\0`).join(''));
  }

  test.each([
    ['Raspberry Pi Zero 2 W Rev 1.0', 'raspberrypi,model-zero-2-w', 'rpi-zero-2-w'],
    ['Raspberry Pi 3 Model B Plus Rev 1.3', 'raspberrypi,3-model-b-plus', 'rpi-3b-plus'],
    ['Raspberry Pi 3 Model B+', 'raspberrypi,3-model-b-plus', 'rpi-3b-plus'],
    ['Raspberry Pi 4 Model B Rev 1.5', 'raspberrypi,4-model-b', 'rpi-4b'],
    ['Raspberry Pi 5 Model B Rev 1.0', 'raspberrypi,5-model-b', 'rpi-5'],
    ['Raspberry Pi Compute Module 4 Rev 1.1', 'raspberrypi,4-compute-module', 'rpi-cm4'],
    ['Raspberry Pi Compute Module 5 Rev 1.0', 'raspberrypi,5-compute-module', 'rpi-cm5'],
  ])('%s', (model, compatible, id) => {
    pretend(model, [compatible, 'brcm,any']);
    expect(readDeviceTree(root)).toEqual({ model, compatible: [compatible, 'brcm,any'] });
    expect(chooseProfile('auto', root).id).toBe(id);
    pretend('Something that was renamed', [compatible, 'brcm,any']);
    expect(chooseProfile('auto', root).id).toBe(id);
  });

  test.each([
    ['Raspberry Pi 400 Rev 1.0', 'raspberrypi,400'],
    ['Raspberry Pi 3 Model B Rev 1.2', 'raspberrypi,3-model-b'],
    ['Raspberry Pi Compute Module 4S Rev 1.0', 'raspberrypi,4-compute-module-s'],
    ['Raspberry Pi 500 Rev 1.0', 'raspberrypi,500'],
    ['Radxa ROCK 4', 'radxa,rock4'],
  ])('%s is none of them, nor its cousin', (model, compatible) => {
    pretend(model, [compatible, 'brcm,bcm2711', 'brcm,bcm2712']);
    expect(detectProfile(readDeviceTree(root), profiles)).toBeNull();
    expect(() => chooseProfile('auto', root)).toThrow(new RegExp(`for ${model}`));
  });

  test('a PC has none; the virtual board is never found, only asked for', () => {
    expect(readDeviceTree(root)).toBeNull();
    expect(() => chooseProfile('auto', root)).toThrow(/no device tree.*Set board.*virtual/);
    expect(chooseProfile('virtual', root).id).toBe('virtual');
    expect(() => chooseProfile('rpi-9', root)).toThrow(/There are: rpi-3b-plus/);
  });
});
