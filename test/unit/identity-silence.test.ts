import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { deriveAvatar } from '../../src/identity/avatar.ts';
import { proveAvatar } from '../../src/identity/avatar-proof.ts';
import { Secret } from '../../src/identity/secret.ts';
import { loadSecretFile } from '../../src/identity/secret-file.ts';
import { formatSecretLine } from '../../src/identity/secret-line.ts';
import { NoiseSessionFactory } from '../../src/identity/session-factory.ts';
import { Ed25519Verifier } from '../../src/identity/verifier.ts';
import { deriveWorld } from '../../src/identity/world.ts';
import type { Session, SessionHandshake } from '../../src/ports/session.ts';

const identifier = Secret.random(32);
const seeds = [Secret.random(32), Secret.random(32)] as const;
const world = deriveWorld(identifier);
const avatars = seeds.map((seed) => deriveAvatar(seed, identifier));
const verifier = new Ed25519Verifier();
const factories = avatars.map((avatar) => new NoiseSessionFactory({ avatar, world, verifier }));

/** Everything that goes over a link: a handshake, then frames both ways. */
function framesOfOneSession(): Uint8Array[] {
  const ends = [factories[1]!.respond(), factories[0]!.initiate()] as const;
  ends[0].start();
  const frames = ends[1].start();
  const sessions: Session[] = [];
  for (let index = 0; index < 4; index++) {
    const step = (ends[index % 2] as SessionHandshake).receive(frames[index]!);
    if (!('send' in step)) throw new Error(step.reason);
    if (step.kind === 'open') sessions.push(step.session);
    frames.push(...step.send);
  }
  for (const session of sessions) frames.push(session.seal(new Uint8Array(100)));
  return frames;
}

/** Ways in which somebody may have written 32 bytes: raw, and as text with and without padding. */
function formsOf(bytes: Uint8Array): Buffer[] {
  const buffer = Buffer.from(bytes);
  const hex = buffer.toString('hex');
  const texts = [hex, hex.toUpperCase(), buffer.toString('base64url')];
  const base64 = buffer.toString('base64').replace(/=+$/, '');
  const list = [...buffer].join(',');
  const spaced = [...buffer].join(', ');
  return [buffer, ...[...texts, base64, list, spaced].map((text) => Buffer.from(text))];
}

/** Does any form of `bytes`, or eight bytes of it in a row, stand in `where`? */
function standsIn(where: Uint8Array | string, bytes: Uint8Array): boolean {
  const hay = Buffer.from(where);
  if (formsOf(bytes).some((form) => hay.includes(form))) return true;
  for (let at = 0; at + 8 <= bytes.length; at++) {
    const part = Buffer.from(bytes.subarray(at, at + 8));
    if (hay.includes(part) || hay.includes(part.toString('hex'))) return true;
  }
  return false;
}

const secrets: [string, Uint8Array][] = [
  ['the World identifier', identifier.reveal()],
  ['the pre-shared key', world.sessionKey.reveal()],
  ['the knock key', world.knockKey.reveal()],
  ['the seed of one', seeds[0].reveal()],
  ['the seed of the other', seeds[1].reveal()],
];

describe('what must never leave this process', () => {
  it('would be found if it did', () => {
    const bytes = identifier.reveal();
    for (const form of formsOf(bytes)) {
      expect(standsIn(Buffer.concat([Buffer.from('x'), form, Buffer.from('y')]), bytes)).toBe(true);
    }
    expect(standsIn(bytes.subarray(3, 11), bytes)).toBe(true);
  });

  it.each(secrets)('stands in no frame: %s', (_, secret) => {
    const frames = framesOfOneSession();
    expect(frames.length).toBe(6);
    for (const frame of frames) expect(standsIn(frame, secret)).toBe(false);
    expect(standsIn(Buffer.concat(frames), secret)).toBe(false);
  });

  it.each(secrets)('stands in nothing that is printed or disclosed: %s', (_, secret) => {
    const things = [identifier, seeds, world, avatars, verifier, factories, world.tag];
    const text = things.map((each) => inspect(each, { depth: 20, showHidden: true })).join('\n');
    expect(standsIn(text, secret)).toBe(false);
    expect(standsIn(JSON.stringify(things), secret)).toBe(false);
    for (const avatar of avatars) {
      expect(standsIn(proveAvatar(avatar, world.tag), secret)).toBe(false);
    }
  });

  it('stands in no error about the file that holds it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vertebra-identity-'));
    const line = formatSecretLine('world', identifier);
    const cases: [string, number, 'world' | 'participant'][] = [
      [line, 0o644, 'world'],
      [line, 0o600, 'participant'],
      [line.slice(0, -3), 0o600, 'world'],
      [`${line}more`, 0o600, 'world'],
      [line.replace('world', 'wor1d'), 0o600, 'world'],
      [line.replace(' ', '\t'), 0o600, 'world'],
    ];
    try {
      for (const [index, [content, mode, kind]] of cases.entries()) {
        const path = join(folder, String(index));
        writeFileSync(path, content, { mode });
        let error: unknown = null;
        try {
          loadSecretFile(path, kind);
        } catch (caught) {
          error = caught;
        }
        expect(error).toBeInstanceOf(Error);
        const text = inspect(error, { depth: 20, showHidden: true });
        expect(standsIn(text, identifier.reveal())).toBe(false);
        expect(text).not.toContain(line.slice(17, 27));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what only members may know', () => {
  const session = framesOfOneSession();
  const names: [string, Uint8Array][] = [
    ['an Avatar id', avatars[0]!.id],
    ['the other Avatar id', avatars[1]!.id],
    ['a session key', avatars[0]!.sessionStatic.publicKey],
    ['the other session key', avatars[1]!.sessionStatic.publicKey],
    ['a Participant', avatars[0]!.participant.publicKey],
    ['the other Participant', avatars[1]!.participant.publicKey],
    ['the World tag', world.tag],
  ];

  it.each(names)('goes over no link in clear: %s', (_, name) => {
    for (const frame of session) expect(standsIn(frame, name)).toBe(false);
  });
});
