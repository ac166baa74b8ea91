// Runs in the pods of `network.bench.ts`: serves what is measured, and measures when told to by `POST /` on port 9000.
import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';

const me = process.env.HOSTNAME;

/** The first byte says what a connection is for: `s` swallows, `p` sends back, `n` names this pod and ends. */
for (const port of [7000, 7001])
  createServer((socket) => {
    socket.setNoDelay(true).on('error', () => {});
    socket.once('data', (first) => {
      if (first[0] === 0x6e) socket.end(`${me} ${port}`);
      else if (first[0] === 0x70) socket.on('data', (part) => socket.write(part));
      else socket.on('data', () => {});
    });
  }).listen(port, '0.0.0.0', 4096);

const echo = createSocket('udp4');
echo.on('message', (message, from) => echo.send(message, from.port, from.address)).bind(7000);

const measurements = {
  /** Megabytes per second of one connection. */
  throughput: ({ host, port, ms }) =>
    new Promise((resolve, reject) => {
      const part = Buffer.alloc(256 * 1024);
      const started = performance.now();
      let sent = 0;
      const socket = connect({ host, port }, () => {
        socket.write('s');
        pump();
      });
      const pump = () => {
        for (;;) {
          const elapsed = performance.now() - started;
          if (elapsed >= ms) {
            resolve((sent - socket.writableLength) / 1e6 / (elapsed / 1000));
            socket.destroy();
            return;
          }
          sent += part.length;
          if (!socket.write(part)) break;
        }
      };
      socket.on('drain', pump).on('error', reject);
    }),
  /** Microseconds from a byte to its echo, the median. */
  latency: ({ host, port, rounds }) =>
    new Promise((resolve, reject) => {
      const times = [];
      let at = 0;
      const socket = connect({ host, port }, () => {
        socket.setNoDelay(true).write('p');
        setTimeout(next, 50);
      });
      const next = () => {
        at = performance.now();
        socket.write('x');
      };
      socket.on('error', reject).on('data', () => {
        times.push((performance.now() - at) * 1000);
        if (times.length < rounds) {
          next();
          return;
        }
        socket.destroy();
        resolve(times.sort((a, b) => a - b)[Math.floor(rounds / 2)]);
      });
    }),
  /** Connections per second that are opened, answered and closed. */
  connections: ({ host, port, ms, atOnce }) =>
    new Promise((resolve, reject) => {
      const started = performance.now();
      let done = 0;
      let open = atOnce;
      const next = () => {
        if (performance.now() - started >= ms) {
          if (--open === 0) resolve(done / ((performance.now() - started) / 1000));
          return;
        }
        const socket = connect({ host, port }, () => socket.write('n'));
        socket
          .on('error', reject)
          .on('data', () => {})
          .on('close', () => {
            done++;
            next();
          });
      };
      for (let count = 0; count < atOnce; count++) next();
    }),
  /** Datagrams that are answered per second. */
  datagrams: ({ host, port, ms, atOnce, message }) =>
    new Promise((resolve) => {
      const socket = createSocket('udp4');
      const query = Buffer.from(message, 'base64');
      const started = performance.now();
      let answered = 0;
      let before = -1;
      const send = () => socket.send(query, port, host);
      // What was lost is sent again, so that a full queue does not end the measurement.
      const nudge = setInterval(() => {
        if (answered === before) for (let count = 0; count < atOnce; count++) send();
        before = answered;
      }, 200);
      socket.on('message', () => {
        answered++;
        if (performance.now() - started < ms) {
          send();
          return;
        }
        clearInterval(nudge);
        socket.close();
        resolve(answered / ((performance.now() - started) / 1000));
      });
      socket.bind(0, () => {
        for (let count = 0; count < atOnce; count++) send();
      });
    }),
  /** When the first connection was begun that did not come about (or, with `open`, that did), in milliseconds since 1970. */
  turn: async ({ host, port, open }) => {
    for (;;) {
      const begun = Date.now();
      const came = await new Promise((resolve) => {
        const socket = connect({ host, port, timeout: 100 });
        const done = (result) => {
          socket.destroy();
          resolve(result);
        };
        socket.on('connect', () => done(true));
        for (const event of ['timeout', 'error']) socket.on(event, () => done(false));
      });
      if (came === open) return begun;
    }
  },
  /** Requests without a pause until told to stop: how many were answered, and what went wrong. */
  requests: async ({ host, port, atOnce }) => {
    const failures = [];
    let answered = 0;
    stop = new AbortController();
    const client = async () => {
      while (!stop.signal.aborted) {
        try {
          const response = await fetch(`http://${host}:${port}/`, { headers: { connection: 'close' } });
          await response.text();
          answered++;
        } catch (error) {
          failures.push(String(error.cause ?? error));
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, client));
    return { answered, failures };
  },
  stop: async () => {
    stop.abort();
    return 'stopped';
  },
};
let stop = new AbortController();

createHttpServer((request, response) => {
  let text = '';
  request.on('data', (part) => (text += part));
  request.on('end', () => {
    if (text === '') {
      response.end(me);
      return;
    }
    const { what, ...options } = JSON.parse(text);
    measurements[what](options).then(
      (result) => response.end(JSON.stringify(result)),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
}).listen(9000, '0.0.0.0', 4096);

/** As a server should: it goes on serving while others still learn that it is leaving. */
process.on('SIGTERM', () => setTimeout(() => process.exit(), Number(process.env.LINGER_MS ?? 0)));
