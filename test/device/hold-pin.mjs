// hold-pin.mjs DEVICE LINE: drives a line high until it is killed.
import { openSync } from 'node:fs';
import { createRequire } from 'node:module';

const [, , device, line] = process.argv;
const { ioctl } = createRequire(import.meta.url)('../../build/native/gpio.node');
// struct gpio_v2_line_request: offset, flags (output), one attribute (values), one line.
const request = new Uint8Array(592);
const view = new DataView(request.buffer);
view.setUint32(0, Number(line), true);
view.setBigUint64(288, 8n, true);
view.setUint32(296, 1, true);
view.setUint32(320, 2, true);
view.setBigUint64(328, 1n, true);
view.setBigUint64(336, 1n, true);
view.setUint32(560, 1, true);
const outcome = ioctl(openSync(device, 'r+'), 0xc250b407, request);
if (outcome < 0) throw new Error(`the line was refused: ${outcome}`);
console.log('held');
setInterval(() => undefined, 60_000);
