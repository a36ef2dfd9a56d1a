import { createServer, type Server } from 'node:net';

/** A broker inside this process, for the demo: on a free port of loopback, with no password. */
export interface DemoBroker {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts aedes, which speaks MQTT 3.1.1 and keeps everything in memory.
 * @throws Error where the optional package aedes is not installed.
 */
export async function startBroker(): Promise<DemoBroker> {
  const { Aedes } = await import('aedes');
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  const port = await listening(server);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await closed;
    },
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
