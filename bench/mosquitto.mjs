// Mosquitto on loopback, as Debian ships it: the broker between our owners, and the peer alone.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { need } from '../.ci/debian.mjs';

async function freePort() {
  const server = createServer();
  await new Promise((done, fail) => server.on('error', fail).listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

const answers = (port) =>
  new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });

/** @param folder Where its settings go. @returns where it is, and how to stop it. */
export async function startMosquitto(folder) {
  const { mosquitto } = await need(['mosquitto']);
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false'];
  writeFileSync(file, [...lines, 'user root', 'log_type error', ''].join('\n'));
  const child = spawn(mosquitto, ['-c', file], { stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error('mosquitto did not start');
    await sleep(20);
  }
  const stop = async () => {
    const exit = new Promise((done) => child.once('exit', done));
    kill();
    await exit;
    process.off('exit', kill);
  };
  return { url: `mqtt://127.0.0.1:${port}`, stop };
}
