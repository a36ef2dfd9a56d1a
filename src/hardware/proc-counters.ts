type Counters = Readonly<Record<string, string | number>>;

/** Interfaces and disks that one reading names: a machine with many containers has hundreds. */
const INTERFACES_MAX = 16;
const DISKS_MAX = 16;
const NAME_CHARACTERS_MAX = 64;

/** The kernel's own loop, and the ends that containers and bridges come with. */
const VIRTUAL = /^(lo|veth.*|br-.*|docker\d*|virbr\d.*)$/;
/** Disks made of memory or files: their traffic is counted below them, or is none. */
const MADE_UP = /^(loop|ram|zram)\d+$/;

/** Bytes of a sector of `/proc/diskstats`, whatever the disk's own sectors are (iostats.rst). */
const SECTOR_BYTES = 512;

/**
 * Reads `/proc/net/dev`: after two lines of titles an interface a line, eight counters of what came
 * (bytes, packets, errors, ...) and eight of what went.
 *
 * @source proc_pid_net(5)
 */
export function readNetwork(text: string): Counters[] {
  const found: Counters[] = [];
  for (const line of text.split('\n').slice(2)) {
    const match = /^\s*(\S+):\s*(.*)$/.exec(line);
    const counts = match?.[2]?.trim().split(/\s+/).map(Number) ?? [];
    const name = match?.[1] ?? '';
    const [received, , , , , , , , sent] = counts;
    if (!Number.isSafeInteger(received) || !Number.isSafeInteger(sent)) continue;
    if (VIRTUAL.test(name) || name.length > NAME_CHARACTERS_MAX) continue;
    // Kernels bring interfaces that nobody uses.
    if (received === 0 && sent === 0) continue;
    found.push({ interface: name, received_bytes: received!, sent_bytes: sent! });
    if (found.length === INTERFACES_MAX) break;
  }
  return found;
}

/**
 * Reads `/proc/diskstats`: a disk or partition a line: major, minor, name, reads, reads merged,
 * sectors read, milliseconds, writes, writes merged, sectors written, ...
 *
 * @param disks Names of `/sys/block`, which has disks and no partitions.
 * @source Linux, Documentation/admin-guide/iostats.rst
 */
export function readDisks(text: string, disks: readonly string[]): Counters[] {
  const found: Counters[] = [];
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const name = words[2] ?? '';
    const [, , sectorsRead, , , , sectorsWritten] = words.slice(3).map(Number);
    if (!disks.includes(name) || MADE_UP.test(name) || name.length > NAME_CHARACTERS_MAX) continue;
    const read = (sectorsRead ?? Number.NaN) * SECTOR_BYTES;
    const written = (sectorsWritten ?? Number.NaN) * SECTOR_BYTES;
    if (!Number.isSafeInteger(read) || !Number.isSafeInteger(written)) continue;
    found.push({ device: name, read_bytes: read, written_bytes: written });
    if (found.length === DISKS_MAX) break;
  }
  return found;
}
