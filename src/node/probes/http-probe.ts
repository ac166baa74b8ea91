import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { HTTPGetAction } from '../../api/core/v1.gen.ts';
import { dialFailure } from './tcp-probe.ts';
import { failure, success, type ProbeResult } from './probe-result.ts';

const MAX_BODY_BYTES = 10 * 1024;

export interface HttpTarget {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** GETs as the kubelet does: certificates are not checked, 200 to 399 is success, redirects are not followed. */
export async function httpProbe(action: HTTPGetAction, target: HttpTarget): Promise<ProbeResult> {
  const secure = action.scheme === 'HTTPS';
  const path = action.path === undefined || action.path === '' ? '/' : action.path;
  const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
  const url = `${secure ? 'https' : 'http'}://${authority}${path.startsWith('/') ? path : `/${path}`}`;
  return new Promise((resolve) => {
    const timeout = AbortSignal.timeout(target.timeoutMs);
    const request = (secure ? httpsRequest : httpRequest)(
      url,
      {
        headers: headersOf(action),
        agent: false,
        rejectUnauthorized: false,
        signal: AbortSignal.any([timeout, target.signal]),
      },
      (response) => void finish(response).then(resolve),
    );
    request.on('error', (error) => {
      const reason = timeout.aborted
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : dialFailure(error, authority);
      resolve(failure(`Get "${url}": ${reason}`));
    });
    request.end();
  });
}

function headersOf(action: HTTPGetAction): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'User-Agent': 'kube-probe/1.36', Accept: '*/*' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  return headers;
}

async function finish(response: IncomingMessage): Promise<ProbeResult> {
  const status = response.statusCode ?? 0;
  let body = '';
  try {
    for await (const chunk of response) {
      body += String(chunk);
      if (body.length > MAX_BODY_BYTES) break;
    }
  } catch {
    return failure('failed to read the body of the answer');
  }
  if (status >= 200 && status < 400) return success(body);
  return failure(`HTTP probe failed with statuscode: ${status}`);
}
