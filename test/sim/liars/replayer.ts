import type { Liar } from '../behaviour.ts';
import type { Message } from '../message.ts';

const REMEMBERED = 1000;

/** Says again what it heard and said long ago. */
export function makeReplayer(): Liar {
  const old: Message[] = [];
  const remember = (message: Message) => {
    if (old.length < REMEMBERED) old.push(message);
    else if (message.kind !== 'digest') old[old.length % 7] = message;
  };
  return {
    act(node, prng) {
      if (old.length === 0) return;
      for (let count = 0; count < 4; count++) {
        node.around.send(node, prng.pick(node.around.peersOf(node)), prng.pick(old));
      }
    },
    hear: (_node, message) => remember(message),
    speak(_node, _to, message) {
      remember(message);
      return [message];
    },
  };
}
