import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.ts';
import { ruleEvaluator } from '../src/machinery/validation-rules/serve-rules.ts';
import { expressionEvaluator } from '../src/server/admission/policies/serve-expressions.ts';
import { serveEvaluations } from '../src/server/extensions/serve-evaluations.ts';

/** The thread of rules of custom resources and expressions of policies that take long. Others go before it, where the system knows a thread's priority. */
if (process.platform === 'linux') {
  setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_LOW);
}
if (parentPort)
  serveEvaluations(parentPort, systemClock, (rest) => ({
    rules: ruleEvaluator(rest),
    expression: expressionEvaluator(rest),
  }));
