#!/usr/bin/env node
import { processIo } from './io.ts';
import { runCli } from './program.ts';

const exit = await runCli(process.argv.slice(2), processIo());
// What is still open, such as an input that nobody reads any more, must not hold the process up.
process.stdout.write('', () => process.exit(exit));
