// A serial cable between two PTYs, made by socat; where a rate is given, everything passes a middle
// that carries it at that rate, and may spoil it on the way.
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** More than this waiting in the middle, and the PTY has to keep the rest. */
const HELD_BYTES_MAX = 4_096;
const TICK_MS = 2;

/** Small buffers on the way, or they would hide that the line is slow. */
const SLOW = { args: ['-b64'], socket: ',sndbuf=2304' };

const pty = (path) => `pty,raw,echo=0,link=${path}`;

/** One direction of a wire: each byte takes its time, one after the other, as in a UART. */
class Lane {
  constructor({ bytesPerSecond, damage }) {
    this.msPerByte = 1_000 / bytesPerSecond;
    this.damage = damage ?? ((bytes) => bytes);
    this.from = null;
    this.to = null;
    this.held = [];
    this.heldBytes = 0;
    /** When the last byte that was carried had left. */
    this.freeMs = 0;
    this.timer = null;
    this.carriedBytes = 0;
  }

  join(from, to) {
    this.from = from;
    this.to = to;
    from.on('data', (bytes) => this.take(bytes));
  }

  take(bytes) {
    if (this.heldBytes === 0) this.freeMs = Math.max(this.freeMs, performance.now());
    this.held.push(bytes);
    this.heldBytes += bytes.length;
    if (this.heldBytes > HELD_BYTES_MAX) this.from.pause();
    this.timer ??= setTimeout(() => this.carry(), TICK_MS);
  }

  carry() {
    this.timer = null;
    const due = Math.floor((performance.now() - this.freeMs) / this.msPerByte);
    const count = Math.min(due, this.heldBytes);
    if (count > 0) {
      const all = Buffer.concat(this.held);
      this.held = count < all.length ? [all.subarray(count)] : [];
      this.heldBytes -= count;
      this.freeMs += count * this.msPerByte;
      this.carriedBytes += count;
      this.to.write(this.damage(Uint8Array.from(all.subarray(0, count))));
      if (this.heldBytes <= HELD_BYTES_MAX) this.from.resume();
    }
    if (this.heldBytes > 0) this.timer = setTimeout(() => this.carry(), TICK_MS);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.held = [];
    this.heldBytes = 0;
  }
}

/** Starts socat. @returns once it carries bytes. */
async function startSocat(socat, args) {
  const child = spawn(socat, ['-d', '-d', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise((done) => child.once('exit', done));
  const said = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (!line.includes('starting data transfer loop')) continue;
    child.stderr.resume();
    return { child, exited };
  }
  throw new Error(`socat ended: ${said.join('\n')}`);
}

async function startSlow(socat, folder, { near, far }, lanes) {
  const sockets = [];
  const servers = [];
  const processes = [];
  for (const [index, path] of [near, far].entries()) {
    const at = join(folder, `wire-${index}.sock`);
    const server = createServer();
    const connected = new Promise((done) => server.once('connection', done));
    await new Promise((done) => server.listen(at, done));
    servers.push(server);
    processes.push(
      await startSocat(socat, [...SLOW.args, pty(path), `unix-connect:${at}${SLOW.socket}`]),
    );
    const socket = await connected;
    // A cable that is unplugged: the other side is still there.
    socket.on('error', (cause) => socket.destroy(cause));
    sockets.push(socket);
  }
  lanes[0].join(sockets[0], sockets[1]);
  lanes[1].join(sockets[1], sockets[0]);
  const close = async () => {
    for (const lane of lanes) lane.stop();
    for (const { child } of processes) child.kill('SIGKILL');
    await Promise.all(processes.map(({ exited }) => exited));
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  };
  return close;
}

async function startQuick(socat, { near, far }) {
  const { child, exited } = await startSocat(socat, [pty(near), pty(far)]);
  return async () => {
    child.kill('SIGTERM');
    await exited;
  };
}

/**
 * Lays a cable. Its devices stay the same when a program opens and closes them, until `close`.
 *
 * @param {{ socat: string, folder: string, bytesPerSecond?: number | null,
 *   damage?: (bytes: Uint8Array) => Uint8Array }} options `damage` is done to what passes.
 */
export async function layCable({ socat, folder, bytesPerSecond = null, damage }) {
  const ends = { near: join(folder, 'near'), far: join(folder, 'far') };
  const lanes = [0, 1].map(() => new Lane({ bytesPerSecond: bytesPerSecond ?? 1, damage }));
  const closeWire =
    bytesPerSecond === null
      ? await startQuick(socat, ends)
      : await startSlow(socat, folder, ends, lanes);
  // socat ends when nobody has the other side of a PTY open.
  const keepers = [ends.near, ends.far].map((path) =>
    openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK),
  );
  return {
    ...ends,
    carriedBytes: () => lanes.map((lane) => lane.carriedBytes),
    close: async () => {
      await closeWire();
      for (const keeper of keepers) closeSync(keeper);
    },
  };
}

/**
 * Flips a bit in one frame of so many: what lies between two zero bytes is a frame.
 * @param {number} share 0 to 1 @param {() => number} fraction at least 0 and below 1
 */
export function spoiler(share, fraction) {
  let isDoomed = false;
  return (bytes) => {
    for (let index = 0; index < bytes.length; index++) {
      if (bytes[index] === 0) isDoomed = fraction() < share;
      else if (isDoomed) {
        bytes[index] = bytes[index] === 1 ? 3 : bytes[index] ^ 1;
        isDoomed = false;
      }
    }
    return bytes;
  };
}
