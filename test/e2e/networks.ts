import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** What each host's link to the others lets through. */
export interface Weather {
  /** Of the packets that come in, so many of a hundred are lost. */
  readonly lossPercent: number;
}

const SET_UP = [
  // What is mounted and linked in here is seen by nobody else, and gone with the process.
  'mount -t tmpfs tmpfs /run',
  'ip link set lo up',
  'ip link add between type bridge',
  'ip link set between up',
  'echo ready',
  'exec cat',
].join(' && ');

/**
 * Hosts with an address each, on one Ethernet: network namespaces, made without root and gone when
 * the test is. Packets between them are lost, or all of them cut off, by the kernel's own filter.
 */
export class Networks {
  private readonly house: ChildProcess;
  private hostCount = 0;

  private constructor(house: ChildProcess) {
    this.house = house;
  }

  /** @throws Error that says what this machine does not allow. */
  static async open(): Promise<Networks> {
    const args = ['--user', '--map-root-user', '--net', '--mount', 'sh', '-c', SET_UP];
    const house = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const said = await Promise.race([once(house.stdout!, 'data'), once(house, 'exit')]);
    if (String(said[0]).trim() === 'ready') return new Networks(house);
    throw new Error(
      'No network namespaces here: they need user namespaces ' +
        '(sysctl kernel.unprivileged_userns_clone=1) and iproute2 (sudo apt-get install iproute2).',
    );
  }

  /** Adds a host. @returns its address. */
  addHost(name: string): string {
    this.hostCount += 1;
    const address = `10.77.0.${this.hostCount}`;
    this.run('ip', 'netns', 'add', name);
    this.run('ip', 'link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'eth0', 'netns', name);
    this.run('ip', 'link', 'set', `to-${name}`, 'master', 'between', 'up');
    this.inside(name, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    this.inside(name, 'ip', 'link', 'set', 'eth0', 'up');
    this.inside(name, 'ip', 'link', 'set', 'lo', 'up');
    this.inside(name, 'nft', 'add', 'table', 'inet', 'weather');
    const hook = '{ type filter hook input priority 0; }';
    this.inside(name, 'nft', 'add', 'chain', 'inet', 'weather', 'incoming', hook);
    return address;
  }

  /** A program and its arguments that run what follows on a host. */
  through(host: string): string[] {
    return [...this.enter(), 'ip', 'netns', 'exec', host];
  }

  weather(host: string, { lossPercent }: Weather): void {
    this.clear(host);
    const random = ['numgen', 'random', 'mod', '100', '<', String(lossPercent)];
    this.rule(host, 'iifname', 'eth0', ...random, 'drop');
  }

  /** As a cable that is pulled out of the switch: no more packet, and nobody is told. */
  cut(host: string): void {
    this.clear(host);
    this.rule(host, 'iifname', 'eth0', 'drop');
  }

  clear(host: string): void {
    this.inside(host, 'nft', 'flush', 'chain', 'inet', 'weather', 'incoming');
  }

  async close(): Promise<void> {
    if (this.house.exitCode !== null) return;
    const exit = once(this.house, 'exit');
    this.house.stdin?.end();
    await exit;
  }

  private rule(host: string, ...words: readonly string[]): void {
    this.inside(host, 'nft', 'add', 'rule', 'inet', 'weather', 'incoming', ...words);
  }

  private inside(host: string, ...command: readonly string[]): void {
    this.run('ip', 'netns', 'exec', host, ...command);
  }

  private run(...command: readonly string[]): void {
    const [program, ...args] = [...this.enter(), ...command];
    const { status, stderr, error } = spawnSync(program!, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr}`);
  }

  private enter(): string[] {
    const spaces = ['--user', '--net', '--mount', '--preserve-credentials'];
    return ['nsenter', '--target', String(this.house.pid), ...spaces];
  }
}
