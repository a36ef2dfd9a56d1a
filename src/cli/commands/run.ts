import { once } from 'node:events';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { Config } from '../../participant/config.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';

interface RunFlags {
  readonly listen?: string[];
  readonly peer?: string[];
  readonly sensors?: string;
  readonly logLevel?: Config['logLevel'];
}

/** A day. */
const SENSORS_MS_MAX = 86_400_000;

export function registerRun(program: Command, cli: Cli): void {
  program
    .command('run')
    .summary('run the agent')
    .description(
      'Runs the agent of this home in a World until it is told to end (Ctrl-C, SIGTERM).',
    )
    .option('--listen <url...>', 'where to accept links, instead of what the settings say')
    .option('--peer <url...>', 'links to dial, instead of those of the settings')
    .option('--sensors <ms>', "push this machine's own readings so often (Pacts machine_*)")
    .option('--log-level <level>', 'error, warn, info or debug')
    .addHelpText(
      'after',
      examples(
        'vertebra run',
        'vertebra run --world farm --listen tcp://0.0.0.0:7411 --peer tcp://192.168.1.7:7411',
      ),
    )
    .action(async (flags: RunFlags) => await run(cli, flags));
}

/** A number is judged as a setting; what is none is left for the settings to refuse. */
function overrides(flags: RunFlags): Partial<Config> {
  return {
    ...(flags.listen === undefined ? {} : { listen: flags.listen }),
    ...(flags.peer === undefined ? {} : { peers: flags.peer }),
    ...(flags.logLevel === undefined ? {} : { logLevel: flags.logLevel }),
    ...(flags.sensors === undefined ? {} : { sensorsIntervalMs: readMs(flags.sensors) }),
  };
}

function readMs(text: string): number {
  if (/^\d{1,8}$/.test(text) && Number(text) <= SENSORS_MS_MAX) return Number(text);
  const range = `0 to ${SENSORS_MS_MAX} milliseconds`;
  const message = `--sensors takes ${range}, not ${JSON.stringify(text)}.`;
  throw new CliError(EXIT.usage, 'usage', message);
}

async function run(cli: Cli, flags: RunFlags): Promise<void> {
  const { interrupted } = cli.io;
  const [home, world] = [await cli.home(), await cli.world()];
  const { loadConfig } = await import('../../participant/config-file.ts');
  const environment = cli.io.environment;
  const config = loadConfig({ file: home.configFile, environment, flags: overrides(flags) });
  const { checkPeers } = await import('../../participant/peer-book.ts');
  checkPeers(config.peers);
  const { openStderrLogger } = await import('../../participant/log.ts');
  const { logLevel: level, logFormat: format, logLineBytesMax: lineBytesMax } = config;
  const log = openStderrLogger({ level, format, lineBytesMax });
  const { openParticipant } = await import('../../participant/participant.ts');
  const ended = new AbortController();
  let fatal: Error | null = null;
  const onFatal = (cause: Error): void => {
    fatal = cause;
    ended.abort();
  };
  // Whoever started us with a channel wants us to end with it, however it ends: also before now.
  if (process.connected) process.once('disconnect', () => ended.abort());
  else if (process.send !== undefined) ended.abort();
  const face = await openParticipant({ home, world, config, log, onFatal });
  const endings: (() => Promise<void> | void)[] = [() => face.close()];
  try {
    const { startApi } = await import('../../api/server.ts');
    const socket = config.apiSocket === '' ? world.socketFile : config.apiSocket;
    const api = await startApi({ face, log, config, socket });
    endings.unshift(() => api.close());
    face.noteSocket(socket);
    if (config.sensorsIntervalMs > 0) {
      const { SensorFeed, machineSensors } = await import('../../participant/sensor-feed.ts');
      const { SystemClock } = await import('../../participant/system-clock.ts');
      const timers = new SystemClock();
      const sensors = machineSensors(config.name || hostname(), log, timers);
      const { sensorsIntervalMs: intervalMs } = config;
      const feed = new SensorFeed({ face, log, timers, intervalMs, sensors });
      feed.start();
      endings.unshift(() => feed.stop());
    }
    log.info('ready', { world: world.name, socket, pid: process.pid });
    const ending = AbortSignal.any([interrupted, ended.signal]);
    if (!ending.aborted) await once(ending, 'abort');
    log.info('ending');
  } finally {
    for (const end of endings) await end();
  }
  if (fatal !== null) throw fatal;
}
