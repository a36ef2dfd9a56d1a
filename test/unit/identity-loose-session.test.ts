import { describe, expect, it } from 'vitest';
import { LooseSession } from '../../src/identity/loose-session.ts';
import { deriveWorld } from '../../src/identity/world.ts';
import type { Carriage, HandshakeStep } from '../../src/ports/session.ts';
import {
  A,
  B,
  factoryOf,
  filled,
  memberOf,
  openBoth,
  sent,
  sessionOf,
} from './identity-session-ends.ts';

function begin(calling: Carriage = 'loose', taking: Carriage = 'loose') {
  const initiator = factoryOf(A).initiate(calling);
  const responder = factoryOf(B).respond(taking);
  responder.start();
  return { initiator, responder, knock: initiator.start()[0]! };
}

const ignored = (step: HandshakeStep) => (step.kind === 'ignored' ? step.reason : step.kind);

describe('a handshake over a loose link', () => {
  it('opens a session that takes frames in any order, each once', () => {
    const { calling, taking } = openBoth(factoryOf(A), factoryOf(B), 'loose');
    expect(calling).toBeInstanceOf(LooseSession);
    expect(calling.peer.avatar).toEqual(B.avatar.id);
    expect(taking.peer.avatar).toEqual(A.avatar.id);
    for (const [from, to] of [
      [calling, taking],
      [taking, calling],
    ] as const) {
      const frames = [1, 2, 3].map((each) => from.seal(Uint8Array.of(each)));
      for (const n of [2, 0, 1]) {
        expect(to.open(frames[n]!)).toEqual({ ok: true, plain: Uint8Array.of(n + 1) });
        expect(to.open(frames[n]!).ok).toBe(false);
      }
    }
  });

  it.each([
    ['loose', 'ordered'],
    ['ordered', 'loose'],
  ] as const)('comes to nothing between %s and %s', (calling, taking) => {
    const { responder, knock } = begin(calling, taking);
    const step = responder.receive(knock);
    expect(step.kind === 'ignored' || step.kind === 'refused').toBe(true);
  });

  it('passes over what is none of the next step, and opens with what is', () => {
    const { initiator, responder, knock } = begin();
    expect(ignored(responder.receive(new Uint8Array(64)))).toBe('handshake-forged');
    const answer = sent(responder.receive(knock));
    expect(ignored(responder.receive(knock))).toBe('handshake-truncated');
    expect(ignored(initiator.receive(new Uint8Array(112).fill(3)))).toBe('handshake-forged');
    const forgedAnswer = answer.slice();
    forgedAnswer[100]! ^= 1;
    expect(ignored(initiator.receive(forgedAnswer))).toBe('handshake-forged');
    const greeting = sent(initiator.receive(answer));
    const forgedGreeting = greeting.slice();
    forgedGreeting[greeting.length - 1]! ^= 1;
    expect(ignored(responder.receive(forgedGreeting))).toBe('handshake-forged');
    const open = responder.receive(greeting);
    const confirm = sent(open);
    const early = sessionOf(open).seal(new Uint8Array(120));
    expect(ignored(initiator.receive(early))).toBe('handshake-forged');
    const calling = sessionOf(initiator.receive(confirm));
    expect(calling.open(early)).toEqual({ ok: true, plain: new Uint8Array(120) });
    expect(sessionOf(open).open(calling.seal(Uint8Array.of(9))).ok).toBe(true);
  });

  it('meets a stranger with silence', () => {
    const responder = factoryOf(B).respond('loose');
    responder.start();
    const stranger = memberOf(10, { world: deriveWorld(filled(99)) });
    const knock = factoryOf(stranger).initiate('loose').start()[0]!;
    const step = responder.receive(knock);
    expect(step.kind).toBe('ignored');
    expect(step).not.toHaveProperty('send');
  });

  it('gives up after so many frames that were none', () => {
    const { responder, knock } = begin();
    let count = 0;
    while (responder.receive(new Uint8Array(64)).kind === 'ignored') count += 1;
    expect(count).toBe(256);
    expect(responder.receive(knock).kind).toBe('refused');
  });
});
