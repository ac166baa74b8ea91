import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { connectionFailure } from '../../machinery/connection-failure.ts';
import type { ExtenderSettings } from './extender-settings.ts';

/** Sends questions to one extender. */
export interface ExtenderClient {
  /** Posts JSON to a verb and returns the JSON of the answer. Throws with what upstream's client would say. */
  post(verb: string, body: unknown): Promise<unknown>;
  /** Ends what is under way. */
  close(): void;
}

const mostBytes = 256 * 1024 * 1024;

/** A client whose connections are kept open for the next question. */
export function extenderClient(settings: ExtenderSettings, clock: Clock): ExtenderClient {
  const { urlPrefix, timeoutMs, tls } = settings;
  const prefix = urlPrefix.replace(/\/+$/, '');
  const secure = /^https:/i.test(prefix);
  const keep = { keepAlive: true, maxFreeSockets: 4 };
  const agent = secure
    ? new HttpsAgent({
        ...keep,
        rejectUnauthorized: tls?.insecure !== true,
        ...(tls?.ca !== undefined && { ca: tls.ca }),
        ...(tls?.cert !== undefined && { cert: tls.cert }),
        ...(tls?.key !== undefined && { key: tls.key }),
        ...(tls?.serverName !== undefined && { servername: tls.serverName }),
      })
    : new HttpAgent(keep);
  const send = secure ? httpsRequest : httpRequest;
  const stopped = new AbortController();

  return {
    async post(verb, body) {
      const url = `${prefix}/${verb}`;
      const target = new URL(url);
      const late = new AbortController();
      const timer = clock.after(timeoutMs, () => late.abort());
      try {
        const { code, text } = await exchange(target, JSON.stringify(body), late.signal);
        if (code !== 200) throw new AnswerError(`failed ${verb} with extender at URL ${url}, code ${code}`);
        return parse(text);
      } catch (error) {
        if (error instanceof AnswerError) throw error;
        const port = target.port || (secure ? 443 : 80);
        const reason = late.signal.aborted
          ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
          : connectionFailure(error, { hostname: target.hostname, port });
        throw new Error(`Post ${JSON.stringify(url)}: ${reason}`, { cause: error });
      } finally {
        timer.cancel();
      }
    },
    close() {
      stopped.abort();
      agent.destroy();
    },
  };

  function exchange(
    url: URL,
    body: string,
    late: AbortSignal,
  ): Promise<{ readonly code: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const request = send(url, {
        agent,
        method: 'POST',
        signal: AbortSignal.any([late, stopped.signal]),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'kube-scheduler',
        },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        collect(response).then((text) => resolve({ code: response.statusCode ?? 0, text }), reject);
      });
      request.end(body);
    });
  }
}

/** The extender answered, and not as it should. */
class AnswerError extends Error {
  override readonly name = 'AnswerError';
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > mostBytes) throw new AnswerError("the extender's answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AnswerError(text.trim() === '' ? 'EOF' : `the extender's answer is no JSON: ${error.message}`);
  }
}
