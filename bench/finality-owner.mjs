// One of the owners of `finality`: a Participant in a process of its own, told what to do by calls.
import { setTimeout as sleep } from 'node:timers/promises';
import { openHome } from './own-home.mjs';
import { readingAt, readingPact } from './sample-reading.mjs';
import { serve } from './worker-calls.mjs';

const PACT = 'bench_reading';
const PUSH_ENTRIES = 100;

let participant;
let channel;
let pushed = 0;

const ownGroup = () => participant.groups().find((group) => group.pact === PACT);
const lastSequence = () => ownGroup().lastSequence;
const nextReading = () => readingAt(pushed++);

/** Asks again until it is so; what is waited for comes from other processes. */
async function until(isSo, what) {
  const deadline = performance.now() + 30_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited 30 s in vain for ${what}`);
    await sleep(20);
  }
}

async function pushUntil(signal) {
  while (!signal.aborted) {
    await channel.push(Array.from({ length: PUSH_ENTRIES }, nextReading));
    // A push that found room waits for nothing: let the loop have its turn.
    await new Promise(setImmediate);
  }
}

serve(
  {
    /** @returns where this owner listens, and who it is. */
    async open({ home, settings }) {
      participant = await openHome(home, { listen: ['tcp://127.0.0.1:0'], ...settings });
      const { listening, avatar } = participant.status();
      return { url: listening[0], avatar };
    },

    async link({ urls, peerCount }) {
      for (const url of urls) participant.addPeer(url);
      const linked = () => participant.peers().filter((peer) => peer.state === 'connected');
      await until(() => linked().length >= peerCount, `${peerCount} peers`);
    },

    async deploy(owners) {
      await participant.addPact(readingPact);
      await participant.addGroup(PACT, owners);
    },

    async join() {
      await until(() => ownGroup() !== undefined, 'the Sync Group');
      channel = participant.channel(PACT);
    },

    /** One Entry at a time. @returns from its push to seeing it final, in milliseconds, each. */
    async light(count) {
      const latenciesMs = [];
      for (let index = 0; index < count; index++) {
        const start = performance.now();
        await channel.push([nextReading()]);
        await channel.finalized();
        latenciesMs.push(performance.now() - start);
      }
      return latenciesMs;
    },

    /** Pushes without a pause. @returns Entries of all owners that became final here, a second. */
    async saturate({ warmUpMs, measureMs }) {
      const stop = new AbortController();
      const pushing = pushUntil(stop.signal);
      await sleep(warmUpMs);
      const before = { sequence: lastSequence(), atMs: performance.now() };
      await sleep(measureMs);
      const finalized = lastSequence() - before.sequence;
      const rate = (finalized * 1000) / (performance.now() - before.atMs);
      stop.abort();
      await pushing;
      await channel.finalized();
      return rate;
    },

    pushedEntries: () => pushed,
    /** @returns the highest sequence number once it is at least `sequence`. */
    async reach(sequence) {
      await until(() => lastSequence() >= sequence, `Entry ${sequence}`);
      return lastSequence();
    },
  },
  () => participant.close(),
);
