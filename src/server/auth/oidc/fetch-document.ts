import { request } from 'node:https';

const timeoutMs = 10_000;
const sizeLimit = 1024 * 1024;

/** GETs a JSON document over HTTPS; `ca` is PEM, the system's authorities when absent. Rejects with what went wrong. */
export function fetchDocument(url: string, ca: string | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      { ...(ca ? { ca } : {}), headers: { accept: 'application/json' } },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > sizeLimit) call.destroy(new Error(`${url} answers with more than ${sizeLimit} bytes`));
          chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode !== 200) {
            reject(
              new Error(`${response.statusCode ?? 0} ${response.statusMessage ?? ''}: ${text.slice(0, 200)}`),
            );
            return;
          }
          try {
            resolve(JSON.parse(text));
          } catch (error) {
            reject(new Error(`${url} does not answer with JSON`, { cause: error }));
          }
        });
      },
    );
    call.setTimeout(timeoutMs, () => call.destroy(new Error(`${url} does not answer`)));
    call.on('error', reject);
    call.end();
  });
}
