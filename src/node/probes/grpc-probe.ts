import { connect, constants } from 'node:http2';
import { failure, success, type ProbeResult } from './probe-result.ts';

const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** Asks `grpc.health.v1.Health/Check` without TLS. */
export function grpcProbe(target: {
  readonly host: string;
  readonly port: number;
  readonly service: string;
  readonly timeoutMs: number;
}): Promise<ProbeResult> {
  const authority = `${target.host}:${target.port}`;
  return new Promise((resolve) => {
    const session = connect(`http://${authority}`);
    const timer = AbortSignal.timeout(target.timeoutMs);
    const settle = (result: ProbeResult): void => {
      session.destroy();
      resolve(result);
    };
    const unreachable = (): void =>
      settle(
        failure(
          `timeout: failed to connect service "${authority}" within ${target.timeoutMs / 1000}s: context deadline exceeded`,
        ),
      );
    timer.addEventListener('abort', unreachable, { once: true });
    session.on('error', unreachable);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.36',
    });
    const chunks: Buffer[] = [];
    let grpcStatus = '0';
    stream.on('response', (headers) => (grpcStatus = String(headers['grpc-status'] ?? grpcStatus)));
    stream.on('trailers', (trailers) => (grpcStatus = String(trailers['grpc-status'] ?? grpcStatus)));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', unreachable);
    stream.on('end', () => settle(readAnswer(Buffer.concat(chunks), grpcStatus)));
    stream.end(healthRequest(target.service));
  });
}

/** A length-prefixed `HealthCheckRequest { service = 1 }`. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** `HealthCheckResponse { status = 1 }`. */
function readAnswer(body: Buffer, grpcStatus: string): ProbeResult {
  if (grpcStatus === '12') {
    return failure(
      'this server does not implement the grpc health protocol (grpc.health.v1.Health): rpc error: code = Unimplemented',
    );
  }
  if (grpcStatus !== '0') return failure(`health rpc probe failed: rpc error: code = ${grpcStatus}`);
  const status = STATUSES[body[5] === 0x08 ? (body[6] ?? 0) : 0] ?? 'UNKNOWN';
  if (status === 'SERVING') return success('service healthy');
  return failure(`service unhealthy (responded with "${status}")`);
}
