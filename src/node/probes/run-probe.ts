import type { Container, Probe } from '../../api/core/v1.gen.ts';
import type { ContainerRuntime } from '../container-runtime.ts';
import { containerPort } from './container-port.ts';
import { execProbe } from './exec-probe.ts';
import { grpcProbe } from './grpc-probe.ts';
import { httpProbe } from './http-probe.ts';
import { failure, success, type ProbeResult } from './probe-result.ts';
import { tcpProbe } from './tcp-probe.ts';

/** The container that a probe looks at. */
export interface ProbeTarget {
  readonly runtime: ContainerRuntime;
  readonly containerId: string;
  readonly container: Container;
  /** Address of the pod. */
  readonly host: string;
  readonly signal: AbortSignal;
}

/** Runs a probe's handler once. */
export async function runProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const { host, container, signal } = target;
  if (probe.exec) return execProbe({ ...target, command: probe.exec.command ?? [], timeoutMs });
  if (probe.httpGet) {
    const port = containerPort(container, probe.httpGet.port);
    if (port === undefined) return failure(`couldn't find port: ${probe.httpGet.port}`);
    return httpProbe(probe.httpGet, { host: probe.httpGet.host || host, port, timeoutMs, signal });
  }
  if (probe.tcpSocket) {
    const port = containerPort(container, probe.tcpSocket.port);
    if (port === undefined) return failure(`couldn't find port: ${probe.tcpSocket.port}`);
    return tcpProbe({ host: probe.tcpSocket.host || host, port, timeoutMs });
  }
  if (probe.grpc)
    return grpcProbe({ host, port: probe.grpc.port, service: probe.grpc.service ?? '', timeoutMs });
  return success();
}
