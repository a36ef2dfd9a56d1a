import { describe, expect, it } from 'vitest';
import { deriveAvatar } from '../../src/identity/avatar.ts';
import { bindAvatar } from '../../src/identity/avatar-binding.ts';
import { Handshake } from '../../src/identity/handshake.ts';
import { KnockMemory } from '../../src/identity/knock.ts';
import { SESSION_PROLOGUE } from '../../src/identity/session-identity.ts';
import { SessionKey } from '../../src/identity/session-key.ts';
import { deriveWorld } from '../../src/identity/world.ts';
import {
  A,
  ANSWER,
  B,
  CONFIRM,
  factoryOf,
  filled,
  GREETING,
  KNOCK,
  memberOf,
  runTo,
  WORLD,
} from './identity-session-ends.ts';

describe('whoever lacks the World identifier', () => {
  const otherWorld = filled(2);
  const outsider = {
    avatar: deriveAvatar(filled(30), otherWorld),
    world: deriveWorld(otherWorld),
  };

  it('knocks and meets silence', () => {
    const { taker, frame } = runTo(KNOCK, factoryOf(outsider), factoryOf(B));
    expect(taker.receive(frame)).toEqual({ kind: 'refused', reason: 'handshake-stranger' });
  });

  it('costs the responder no key', () => {
    let made = 0;
    const newEphemeral = () => {
      made += 1;
      return SessionKey.generate();
    };
    const responder = factoryOf({ ...B, newEphemeral });
    const { taker, frame } = runTo(KNOCK, factoryOf(outsider), responder);
    taker.receive(frame);
    expect(made).toBe(0);
    runTo(GREETING, factoryOf(A), responder);
    expect(made).toBe(1);
  });

  it('answers a knock and is told nothing: no lasting key, no Avatar, no hello', () => {
    const caller = factoryOf(A).initiate();
    const [knock] = caller.start();
    const impostor = new Handshake({
      role: 'responder',
      prologue: SESSION_PROLOGUE,
      psk: filled(0),
      sessionStatic: SessionKey.generate(),
    });
    expect(impostor.readMessage(knock!).ok).toBe(true);
    const reply = impostor.writeMessage(new Uint8Array(16));
    if (!reply.ok) throw new Error(reply.reason);
    const step = caller.receive(reply.value);
    expect(step).toEqual({ kind: 'refused', reason: 'handshake-stranger' });
  });

  it('repeats an overheard knock to whom it was meant for and meets silence', () => {
    const responder = factoryOf(B);
    const { frame } = runTo(KNOCK, factoryOf(A), responder);
    const [first, second] = [responder.respond(), responder.respond()];
    first.start();
    second.start();
    expect(first.receive(frame).kind).toBe('continue');
    expect(second.receive(frame)).toEqual({ kind: 'refused', reason: 'handshake-replayed' });
  });

  it('gets in nowhere with a knock key alone: the pre-shared key decides at message 3', () => {
    const half = memberOf(30, {
      world: { ...deriveWorld(WORLD), sessionKey: deriveWorld(otherWorld).sessionKey },
    });
    const { taker, frame } = runTo(GREETING, factoryOf(half), factoryOf(B));
    expect(taker.receive(frame)).toEqual({ kind: 'refused', reason: 'handshake-forged' });
  });

  it('speaks another version of the protocol and is refused', () => {
    const stranger = new Handshake({
      role: 'initiator',
      prologue: new TextEncoder().encode('vb1/noise 2'),
      psk: deriveWorld(WORLD).sessionKey,
      sessionStatic: SessionKey.generate(),
    });
    const message = stranger.writeMessage(new Uint8Array(16));
    if (!message.ok) throw new Error(message.reason);
    const taker = factoryOf(B).respond();
    taker.start();
    const step = taker.receive(message.value);
    expect(step).toEqual({ kind: 'refused', reason: 'handshake-forged' });
  });
});

describe('a member of the World', () => {
  const thief = memberOf(40);

  it('cannot pass for the Avatar of another, from either end', () => {
    const stolen = { ...thief.avatar, id: A.avatar.id };
    const { taker, frame } = runTo(GREETING, factoryOf({ ...thief, avatar: stolen }));
    expect(taker.receive(frame)).toEqual({ kind: 'refused', reason: 'handshake-unbound' });
    const back = runTo(CONFIRM, factoryOf(A), factoryOf({ ...thief, avatar: stolen }));
    expect(back.taker.receive(back.frame)).toEqual({
      kind: 'refused',
      reason: 'handshake-unbound',
    });
  });

  it('cannot use a binding that it was shown', () => {
    const shown = bindAvatar(A.avatar);
    const signer = { publicKey: A.avatar.id, sign: () => shown.slice(32) };
    const avatar = { ...thief.avatar, id: A.avatar.id, signer };
    const { taker, frame } = runTo(GREETING, factoryOf({ ...thief, avatar }));
    expect(taker.receive(frame)).toEqual({ kind: 'refused', reason: 'handshake-unbound' });
  });

  it('cannot bring in a key of small order, lasting or fresh, from either end', () => {
    const weak = () => Object.assign(SessionKey.generate(), { publicKey: new Uint8Array(32) });
    const fresh = factoryOf({ ...thief, newEphemeral: weak });
    const lasting = factoryOf({ ...thief, avatar: { ...thief.avatar, sessionStatic: weak() } });
    for (const { taker, frame } of [
      runTo(KNOCK, fresh, factoryOf(B)),
      runTo(GREETING, lasting, factoryOf(B)),
      runTo(ANSWER, factoryOf(A), lasting),
      runTo(ANSWER, factoryOf(A), fresh),
    ]) {
      expect(taker.receive(frame)).toEqual({ kind: 'refused', reason: 'handshake-small-order' });
    }
  });
});

describe('the memory of knocks', () => {
  it('is bounded and forgets the oldest first', () => {
    const memory = new KnockMemory(2);
    const [a, b, c] = [1, 2, 3].map((fill) => new Uint8Array(16).fill(fill));
    expect([a, b, a, c].map((each) => memory.remember(each!))).toEqual([true, true, false, true]);
    expect([b, c, a].map((each) => memory.remember(each!))).toEqual([false, false, true]);
  });
});
