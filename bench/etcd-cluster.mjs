// Three etcd nodes on loopback, as Debian's etcd-server ships them: the peer that also agrees on an
// order by a quorum and syncs its log before it answers.
import { spawn } from 'node:child_process';
import { connect } from 'node:http2';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { need } from '../.ci/debian.mjs';

const NODE_COUNT = 3;

/** Ports that were free a moment ago. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = [];
  for (const server of servers) {
    await new Promise((done, fail) => server.on('error', fail).listen(0, '127.0.0.1', done));
    ports.push(server.address().port);
  }
  for (const server of servers) await new Promise((done) => server.close(done));
  return ports;
}

/** A protobuf field of bytes: tag, length, content. */
function field(number, content) {
  const head = [(number << 3) | 2];
  let rest = content.length;
  while (rest > 127) {
    head.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Buffer.concat([Buffer.from([...head, rest]), content]);
}

/** `etcdserverpb.PutRequest` in a gRPC frame: not compressed, length, message. */
function putFrame(key, value) {
  const message = Buffer.concat([field(1, key), field(2, value)]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const PUT_HEADERS = {
  ':method': 'POST',
  ':path': '/etcdserverpb.KV/Put',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** One connection to one node. gRPC is HTTP/2, so Node needs no package for it. */
class EtcdClient {
  #session;

  constructor(url) {
    this.#session = connect(url, { settings: { initialWindowSize: 2 ** 24 } });
    this.#session.setMaxListeners(0);
  }

  /** Resolves when a quorum has the put in its synced log. */
  put(key, value) {
    return new Promise((done, fail) => {
      const stream = this.#session.request(PUT_HEADERS);
      let status = '';
      stream.on('response', (headers) => {
        status = headers['grpc-status'] ?? status;
      });
      stream.on('trailers', (headers) => {
        status = headers['grpc-status'] ?? status;
      });
      stream.on('error', fail);
      stream.on('close', () => (status === '0' ? done() : fail(new Error(`etcd: ${status}`))));
      stream.resume();
      stream.end(putFrame(key, value));
    });
  }

  close() {
    return new Promise((done) => this.#session.close(done));
  }
}

/** Asks every node until one says that it leads. */
async function findLeader(members) {
  for (let attempt = 0; attempt < 200; attempt++) {
    for (const member of members) {
      if (await leads(member.client)) return member;
    }
    await sleep(100);
  }
  throw new Error('etcd: no leader after 20 s');
}

async function leads(url) {
  try {
    const answer = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    const { leader, header } = await answer.json();
    return answer.ok && leader === header.member_id;
  } catch (cause) {
    // Not listening yet: the caller asks again. Anything else is a bug.
    if (cause.cause?.code !== 'ECONNREFUSED') throw cause;
    return false;
  }
}

export class EtcdCluster {
  #nodes;
  #clients;

  constructor(nodes, clients) {
    this.#nodes = nodes;
    this.#clients = clients;
  }

  /** @param folder Where the nodes keep their data. */
  static async start(folder) {
    const { etcd } = await need(['etcd']);
    const ports = await freePorts(2 * NODE_COUNT);
    const members = Array.from({ length: NODE_COUNT }, (_, index) => ({
      name: `node${index}`,
      client: `http://127.0.0.1:${ports[2 * index]}`,
      peer: `http://127.0.0.1:${ports[2 * index + 1]}`,
    }));
    const initial = members.map(({ name, peer }) => `${name}=${peer}`).join(',');
    const nodes = members.map(({ name, client, peer }) =>
      spawn(
        etcd,
        [
          ...['--name', name, '--data-dir', join(folder, name), '--initial-cluster', initial],
          ...['--listen-client-urls', client, '--advertise-client-urls', client],
          ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
          ...['--logger', 'zap', '--log-level', 'error', '--snapshot-count', '100000000'],
        ],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      ),
    );
    const cluster = new EtcdCluster(nodes, []);
    process.once('exit', () => cluster.kill());
    const leader = await findLeader(members);
    cluster.#clients = [new EtcdClient(leader.client)];
    return cluster;
  }

  /** One put to the leader. */
  put(key, value) {
    return this.#clients[0].put(key, value);
  }

  kill() {
    for (const node of this.#nodes) node.kill('SIGKILL');
  }

  async stop() {
    for (const client of this.#clients) await client.close();
    const ended = this.#nodes.map((node) => new Promise((done) => node.on('exit', done)));
    this.kill();
    await Promise.all(ended);
  }
}
