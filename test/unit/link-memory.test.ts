import { MemoryTransport } from '../../src/gossip/links/memory.ts';
import { describeLinks } from '../contract/link.ts';

let urls = 0;
const nextUrl = (): string => {
  urls += 1;
  return `memory:end-${urls}`;
};

describeLinks({
  name: 'memory',
  makeTransport: () => new MemoryTransport(),
  freeUrl: nextUrl,
  deadUrl: async () => nextUrl(),
  brokenUrls: ['memory:', 'memory://host', 'tcp://127.0.0.1:1', 'memory:a b', ''],
});
