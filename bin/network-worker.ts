import { parentPort } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.ts';
import { serveNetworkEngine } from '../src/network/engine/serve-network-engine.ts';

/** The thread of a cluster's DNS and user-space proxy. */
if (parentPort) serveNetworkEngine(parentPort, systemClock);
