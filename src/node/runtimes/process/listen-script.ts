/**
 * Loaded before a program of Node.js: what would listen on all addresses listens on the pod's own, so that pods of one machine
 * may use the same port. The text runs in the pod's process, whose environment it reads.
 */
export const listenScript = `'use strict';
const { Server } = require('node:net');
const { listen } = Server.prototype;
const own = process.env.KANOE_POD_IP;
const all = new Set([undefined, null, '', '0.0.0.0', '::', '[::]']);
const isPort = (value) => typeof value === 'number' || (typeof value === 'string' && /^\\d+$/.test(value));
Server.prototype.listen = function (first, ...rest) {
  if (isPort(first)) {
    if (rest.length > 0 && typeof rest[0] !== 'number' && typeof rest[0] !== 'function') {
      if (all.has(rest[0])) rest[0] = own;
    } else rest.unshift(own);
  } else if (typeof first === 'object' && first !== null && isPort(first.port) && all.has(first.host)) {
    first = { ...first, host: own };
  }
  return listen.call(this, first, ...rest);
};
`;
