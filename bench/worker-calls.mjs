// Calls to a process of its own: `spawnWorker` on one side, `serve` on the other.
import { fork } from 'node:child_process';

/** Starts a module that serves. @returns calls by name, and how to end it. */
export function spawnWorker(url) {
  const child = fork(url, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map();
  let next = 0;
  const failAll = (why) => {
    for (const { fail } of waiting.values()) fail(new Error(why));
    waiting.clear();
  };
  child.on('message', ({ id, value, error }) => {
    const { done, fail } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) done(value);
    else fail(new Error(error));
  });
  child.on('exit', (code, signal) => failAll(`a worker ended (${signal ?? code})`));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const call = (name, argument) =>
    new Promise((done, fail) => {
      waiting.set(next, { done, fail });
      child.send({ id: next, name, argument });
      next++;
    });
  const end = async () => {
    const exited = new Promise((done) => child.once('exit', done));
    child.disconnect();
    await exited;
    process.off('exit', kill);
  };
  return { call, end };
}

/** Answers calls until the caller lets go, then runs `close`. */
export function serve(handlers, close) {
  process.on('message', async ({ id, name, argument }) => {
    try {
      process.send({ id, value: await handlers[name](argument) });
    } catch (error) {
      process.send({ id, error: error.stack });
    }
  });
  process.on('disconnect', async () => {
    await close();
    process.exit(0);
  });
}
