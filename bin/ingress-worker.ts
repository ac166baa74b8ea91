import { parentPort } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.ts';
import { serveIngressProxy } from '../src/network/ingress/proxy/serve-ingress-proxy.ts';

/** The thread of the proxy that serves Ingress and Gateway API. */
if (parentPort) serveIngressProxy(parentPort, systemClock);
