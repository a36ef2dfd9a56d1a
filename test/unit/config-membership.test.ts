import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Home, homeAt, worldAt, worldNames } from '../../src/participant/home.ts';
import { createWorld, initHome, joinWorld, loadKeys } from '../../src/participant/membership.ts';

let folder: string;
let home: Home;
let other: Home;
let carried: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-member-'));
  home = homeAt(join(folder, 'a'));
  other = homeAt(join(folder, 'b'));
  carried = join(folder, 'carried.secret');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('init', () => {
  test('makes key and settings once and changes neither afterwards', () => {
    expect(initHome(home, 'attic').made).toEqual([home.keyFile, home.configFile]);
    const before = [home.keyFile, home.configFile].map((file) => readFileSync(file, 'utf8'));
    expect(initHome(home, 'cellar').made).toEqual([]);
    const after = [home.keyFile, home.configFile].map((file) => readFileSync(file, 'utf8'));
    expect(after).toEqual(before);
    expect(before[1]).toContain('\nname = "attic"\n');
  });

  test('refuses a name that the settings would refuse, and makes nothing then', () => {
    expect(() => initHome(home, 'a\u007fb')).toThrow(/--name/);
    expect(existsSync(home.folder)).toBe(false);
  });

  test('keeps the key for its owner alone', () => {
    initHome(home, undefined);
    expect(statSync(home.keyFile).mode & 0o777).toBe(0o600);
  });

  test('refuses a key that others can read', () => {
    initHome(home, undefined);
    chmodSync(home.keyFile, 0o644);
    expect(() => initHome(home, undefined)).toThrow(/chmod 600/);
  });
});

describe('a World', () => {
  test('made here and joined there has one identifier and two Avatars', () => {
    initHome(home, 'a');
    initHome(other, 'b');
    const first = createWorld(home, 'farm', carried);
    const second = joinWorld(other, 'stable', carried);
    expect(second.avatar).not.toBe(first.avatar);
    const here = loadKeys(home, worldAt(home, 'farm'));
    const there = loadKeys(other, worldAt(other, 'stable'));
    expect(here.world.equals(there.world)).toBe(true);
    for (const file of [carried, worldAt(home, 'farm').secretFile]) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
  });

  test('needs a home with a key', () => {
    expect(() => createWorld(home, 'farm', carried)).toThrow(/vertebra init/);
    expect(existsSync(carried)).toBe(false);
  });

  test('is never written over, neither its folder nor its file', () => {
    initHome(home, undefined);
    createWorld(home, 'farm', carried);
    const before = readFileSync(carried, 'utf8');
    expect(() => createWorld(home, 'farm', join(folder, 'more'))).toThrow(/already/);
    expect(() => createWorld(home, 'wood', carried)).toThrow(/not overwritten/);
    expect(readFileSync(carried, 'utf8')).toBe(before);
    expect(worldNames(home)).toEqual(['farm']);
  });

  test('is joined once by a home, whatever it is called', () => {
    initHome(home, undefined);
    createWorld(home, 'farm', carried);
    expect(() => joinWorld(home, 'again', carried)).toThrow(/it is called farm here/);
  });

  test('that cannot be kept leaves no file to carry', () => {
    initHome(home, undefined);
    writeFileSync(join(home.worldsFolder, 'farm'), '');
    expect(() => createWorld(home, 'farm', carried)).toThrow(/cannot be made/);
    expect(existsSync(carried)).toBe(false);
  });
});
