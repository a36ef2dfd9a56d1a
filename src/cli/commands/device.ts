import type { Command } from 'commander';
import type { Device } from '../../participant/device-settings.ts';
import type { DeviceTestEvent } from '../../participant/device-test.ts';
import { plainJson } from '../../participant/plain-text.ts';
import { type Cli, examples } from '../cli.ts';
import { CliError, EXIT } from '../exit-code.ts';
import { formatTable, plain } from '../table.ts';

const SECONDS_MAX = 3600;
const NONE =
  'No devices. Declare them in vertebra.toml: docs/hardware.md. A pin can be tried without:\n' +
  '  vertebra device test GPIO17 --seconds 5\n';

const EXITS =
  '\nExit codes: 0 tried, 2 no such pin or a wrong setting, 4 not permitted, 5 interface,\n' +
  'package or board missing, 6 held by somebody else. The message says what to do.\n';

export function registerDevice(program: Command, cli: Cli): void {
  const device = program.command('device').description('See the devices of this machine; try one.');
  device
    .command('list')
    .description('Shows the devices of vertebra.toml, where they are and who has them.')
    .addHelpText('after', examples('vertebra device list'))
    .action(async () => {
      const { devices, board } = await settings(cli);
      const { reportDevices } = await import('../../participant/device-report.ts');
      const reports = await reportDevices(devices, board);
      const titles = ['device', 'kind', 'where', 'safe', 'labels', 'state', ''];
      const rows = reports.map((each) => [
        ...[each.name, each.kind, each.where, each.safe, each.labels.join(' ')],
        ...[each.state, each.detail],
      ]);
      await cli.print(reports, () => (rows.length === 0 ? NONE : formatTable(titles, rows)));
    });
  device
    .command('safe')
    .summary('set all outputs to their safe state')
    .description(
      'Sets every declared output to its safe state, and lets go of it. For a machine whose ' +
        'agent was killed: ExecStopPost= of its systemd unit. What an agent holds is left to it.',
    )
    .addHelpText('after', '\nExit codes: 0 all are safe, 8 one is not, or is held elsewhere.\n')
    .addHelpText('after', examples('vertebra device safe'))
    .action(async () => await secure(cli));
  device
    .command('test')
    .summary('try a device or pin')
    .description(
      'Reads a pin and tells its edges. Drives nothing unless --output is given; then the pin is ' +
        'switched to and fro, and ends in its safe state: that of vertebra.toml, else an input. ' +
        'Of a drivetrain it looks whether the controller answers; no motor turns.',
    )
    .argument('<device>', 'a name of vertebra.toml, or a pin: GPIO17, J8:11')
    .option('--seconds <n>', `how long, 0 to ${SECONDS_MAX}`, '5')
    .option('--output', 'drive the pin')
    .addHelpText('after', EXITS)
    .addHelpText(
      'after',
      examples('vertebra device test GPIO17 --seconds 5', 'vertebra device test fan --output'),
    )
    .action(async (name: string, flags: { seconds: string; output?: true }) => {
      await test(cli, name, {
        seconds: readSeconds(flags.seconds),
        mayDrive: flags.output === true,
      });
    });
}

function readSeconds(text: string): number {
  if (/^\d{1,4}(\.\d{1,3})?$/.test(text) && Number(text) <= SECONDS_MAX) return Number(text);
  const message = `--seconds takes a number from 0 to ${SECONDS_MAX}, not ${JSON.stringify(text)}.`;
  throw new CliError(EXIT.usage, 'usage', message);
}

async function settings(cli: Cli): Promise<{ devices: Device[]; board: string }> {
  const { configFile: file } = await cli.home();
  const { loadConfig } = await import('../../participant/config-file.ts');
  const { loadDevices } = await import('../../participant/device-settings.ts');
  const { board } = loadConfig({ file, environment: cli.io.environment });
  return { devices: loadDevices(file), board };
}

async function secure(cli: Cli): Promise<void> {
  const declared = await settings(cli);
  const { secureDevices } = await import('../../participant/secure-devices.ts');
  const { SystemClock } = await import('../../participant/system-clock.ts');
  const outcome = await secureDevices({ ...declared, timers: new SystemClock() });
  const titles = ['device', 'where', 'safe', '', ''];
  const rows = outcome.map(({ name, where, safe, isSafe, detail }) => [
    ...[name, where, safe, isSafe ? 'safe' : 'NOT SAFE', detail],
  ]);
  await cli.print(outcome, () => (rows.length === 0 ? NONE : formatTable(titles, rows)));
  const left = outcome.filter(({ isSafe }) => !isSafe).map(({ name }) => name);
  if (left.length === 0) return;
  throw new CliError(EXIT.problems, 'device-not-safe', `Not safe: ${left.join(', ')}.`);
}

async function test(
  cli: Cli,
  name: string,
  how: { readonly seconds: number; readonly mayDrive: boolean },
): Promise<void> {
  const { devices, board } = await settings(cli);
  const { testDevice } = await import('../../participant/device-test.ts');
  const { SystemClock } = await import('../../participant/system-clock.ts');
  await testDevice({
    target: devices.find((each) => each.name === name) ?? name,
    board,
    ...how,
    timers: new SystemClock(),
    interrupted: cli.io.interrupted,
    say: (event) => {
      void cli.io.out(cli.isJson ? `${plainJson(event)}\n` : plain(sentence(event)));
    },
  });
}

function sentence({ event, what, isHigh, count = 0 }: DeviceTestEvent): string {
  const level = isHigh ? 'high' : 'low';
  switch (event) {
    case 'open':
      return `${what} is open\n`;
    case 'level':
      return `${what} is ${level}; it is only read\n`;
    case 'edge':
      return `${what} goes ${level} (edge ${count})\n`;
    case 'driven':
      return `${what} is driven ${level}\n`;
    case 'safe':
      return `${what} is its safe state, and it has it\n`;
    case 'bytes':
      return `${what}: ${count} bytes came so far\n`;
    case 'answers':
      return `${what}\n`;
    case 'done':
      return `${what}: ${count} heard of${isHigh === undefined ? '' : `; it is ${level}`}\n`;
    default:
      return event satisfies never;
  }
}
