/** Brings Debian programs: from PATH, or unpacked into `.cache/debian/`, or installed as root. */
export function need<Name extends 'etcd' | 'mosquitto' | 'socat' | 'strace'>(
  names: readonly Name[],
): Promise<Record<Name, string>>;
