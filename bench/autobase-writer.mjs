// One of the two writers of Autobase in `finality`: a process of its own, linked over TCP.
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Autobase from 'autobase';
import Corestore from 'corestore';
import { ENTRY_BYTES } from './sample-reading.mjs';
import { serve } from './worker-calls.mjs';

/** An Entry of this length is not one: it carries the key of the writer to add. */
const KEY_BYTES = 32;

let store;
let base;
let pushed = 0;

async function apply(nodes, view, host) {
  for (const { value } of nodes) {
    if (value.length === KEY_BYTES) await host.addWriter(value, { indexer: true });
    else await view.append(value);
  }
}

function replicate(socket, isInitiator) {
  socket.setNoDelay(true);
  const stream = store.replicate(isInitiator);
  socket.pipe(stream).pipe(socket);
  socket.on('error', (error) => stream.destroy(error));
  stream.on('error', () => socket.destroy());
}

function entry() {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes.writeUInt32BE(pushed++);
  return bytes;
}

serve(
  {
    async open({ folder, bootstrap, port }) {
      store = new Corestore(folder);
      await store.ready();
      const key = bootstrap === undefined ? null : Buffer.from(bootstrap, 'hex');
      const open = (views) => views.get('entries', { valueEncoding: 'binary' });
      base = new Autobase(store, key, { valueEncoding: 'binary', ackInterval: 50, open, apply });
      await base.ready();
      if (port === undefined) {
        const server = createServer((socket) => replicate(socket, false));
        await new Promise((done) => server.listen(0, '127.0.0.1', done));
        port = server.address().port;
      } else {
        replicate(connect(port, '127.0.0.1'), true);
      }
      return { port, key: base.key.toString('hex'), writer: base.local.key.toString('hex') };
    },

    addWriter: (key) => base.append(Buffer.from(key, 'hex')),

    async becomeWriter() {
      while (!base.writable) {
        await base.update();
        await sleep(20);
      }
    },

    /**
     * Appends for so long, `batch` Entries a call, each call awaited. @returns Entries appended.
     */
    async append({ forMs, batch }) {
      const end = performance.now() + forMs;
      const before = pushed;
      while (performance.now() < end) {
        await base.append(batch === 1 ? entry() : Array.from({ length: batch }, entry));
      }
      return pushed - before;
    },

    /** Resolves when so many Entries stand in the linearized view. */
    async linearized(count) {
      while (base.view.length < count) {
        await base.update();
        if (base.view.length < count) await sleep(2);
      }
    },
  },
  async () => {
    await base.close();
    await store.close();
  },
);
