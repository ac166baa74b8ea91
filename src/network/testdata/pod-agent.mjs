// Stands for the processes of a pod in tests: takes one JSON command a line, answers one JSON line.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const listeners = new Map();
let lasting;

/** The answer names this pod and its client: `a 10.0.0.1`. */
const commands = {
  listenTcp: ({ name, port, host }) =>
    new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true }, (client) => {
        const parts = [];
        client.on('error', () => client.destroy());
        client.on('data', (part) => {
          parts.push(part);
          if (String(parts[0]).startsWith('stay')) client.write(part);
        });
        client.on('end', () => {
          const text = Buffer.concat(parts);
          client.end(text.length > 100 ? text : `${name} ${client.remoteAddress} ${text}`);
        });
      });
      server.once('error', reject);
      server.listen({ port, host, ipv6Only: true }, () => resolve(listeners.set(`tcp/${port}`, server) && 'listening'));
    }),
  listenUdp: ({ name, port, host }) =>
    new Promise((resolve) => {
      const socket = createSocket({ type: host === '::' ? 'udp6' : 'udp4', ipv6Only: host === '::' });
      socket.on('message', (message, client) =>
        socket.send(`${name} ${client.address} ${message}`, client.port, client.address),
      );
      socket.bind(port, () => resolve('listening'));
    }),
  /** Sends, half-closes, and gives what comes until the other side closes. */
  tcp: ({ host, port, text = 'hello', size }) =>
    new Promise((resolve) => {
      const parts = [];
      const socket = connect({ host, port, allowHalfOpen: true });
      socket.setTimeout(700, () => socket.destroy(new Error('timeout')));
      socket.on('error', (error) => resolve(error.code ?? error.message));
      socket.on('data', (part) => parts.push(part));
      socket.on('end', () => {
        const all = Buffer.concat(parts);
        resolve(size === undefined ? all.toString() : String(all.length));
        socket.destroy();
      });
      socket.end(size === undefined ? text : Buffer.alloc(size, 'x'));
    }),
  /** Opens a connection that stays: the other side sends back what it gets. */
  open: ({ host, port }) =>
    new Promise((resolve) => {
      lasting = connect({ host, port });
      lasting.setTimeout(1500, () => lasting.destroy(new Error('timeout')));
      lasting.once('error', (error) => resolve(error.code ?? error.message));
      lasting.once('data', () => resolve('open'));
      lasting.write('stay');
    }),
  talk: ({ text }) =>
    new Promise((resolve) => {
      lasting.once('error', (error) => resolve(error.code ?? error.message));
      lasting.once('data', (part) => resolve(String(part)));
      lasting.write(text);
    }),
  /** One datagram from a port that may be chosen; gives the answer. */
  udp: ({ host, port, from = 0, text = 'hello' }) =>
    new Promise((resolve) => {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      const done = (answer) => {
        clearTimeout(timer);
        socket.close();
        resolve(answer);
      };
      const timer = setTimeout(() => done('timeout'), 1000);
      socket.on('error', (error) => done(error.code));
      socket.on('message', (message) => done(message.toString()));
      socket.bind(from, () => socket.connect(port, host, () => socket.send(text)));
    }),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, command, ...options } = JSON.parse(line);
  commands[command](options).then(
    (result) => console.log(JSON.stringify({ id, result })),
    (error) => console.log(JSON.stringify({ id, error: error.message })),
  );
});
