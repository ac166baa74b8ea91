import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.ts';
import { serveRules } from '../src/machinery/validation-rules/serve-rules.ts';

/** The thread of rules of custom resources that take long. Others go before it, where the system knows a thread's priority. */
if (process.platform === 'linux') {
  setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_LOW);
}
if (parentPort) serveRules(parentPort, systemClock);
