// pin-agent.mjs HOME BOARD: an agent whose one device is an output, which does what stdin says:
// `set 1`, `set 0`. Says on stdout when it has.
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  createWorld,
  homeAt,
  initHome,
  openParticipant,
  openStderrLogger,
  worldAt,
} from '../../build/index.js';
import { loadConfig } from '../../build/participant/config-file.js';

const [, , folder, board] = process.argv;
const home = homeAt(folder);
initHome(home, 'pins');
createWorld(home, 'farm', `${folder}/farm.secret`);
writeFileSync(
  home.configFile,
  `board = "${board}"
listen = ["tcp://127.0.0.1:0"]
[[devices]]
name = "fan"
kind = "gpio"
pin = "GPIO17"
direction = "out"
safe = "low"
`,
);
const config = loadConfig({ file: home.configFile, environment: {} });
const log = openStderrLogger({ level: 'info', format: 'human', lineBytesMax: 999 });
const agent = await openParticipant({
  ...{ home, world: worldAt(home, 'farm'), config, log },
  onFatal: (cause) => {
    throw cause;
  },
});
process.on('SIGTERM', () => void agent.close());
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, level] = line.split(' ');
  await agent.devices.act('fan', verb, [Number(level)]);
  console.log(JSON.stringify(agent.status().devices[0]));
}
