import type { Container, ContainerState, ContainerStatus, EnvVar, Probe } from '../../api/core/v1.gen.ts';
import { describeTime } from './describe-metadata.ts';
import type { TabText } from './tab-text.ts';

/** A container of a pod or of a pod template, what stands below its name. Without `status` what only a running one has is left out. */
export function describeContainer(
  text: TabText,
  container: Container,
  status: ContainerStatus | undefined,
): void {
  if (status) text.line(2, 'Container ID:', status.containerID ?? '');
  text.line(2, 'Image:', container.image ?? '');
  if (status) text.line(2, 'Image ID:', status.imageID);
  const ports = container.ports ?? [];
  const listed = (values: readonly string[]): string => (values.length === 0 ? '<none>' : values.join(', '));
  text.line(
    2,
    ports.length > 1 ? 'Ports:' : 'Port:',
    listed(ports.map((port) => `${port.containerPort}/${port.protocol ?? 'TCP'}`)),
  );
  text.line(
    2,
    ports.length > 1 ? 'Host Ports:' : 'Host Port:',
    listed(ports.map((port) => `${port.hostPort ?? 0}/${port.protocol ?? 'TCP'}`)),
  );
  describeWords(text, 'Command', container.command);
  describeWords(text, 'Args', container.args);
  if (status) describeStatus(text, status);
  describeQuantities(text, 'Limits', container.resources?.limits);
  describeQuantities(text, 'Requests', container.resources?.requests);
  for (const [label, probe] of [
    ['Liveness', container.livenessProbe],
    ['Readiness', container.readinessProbe],
    ['Startup', container.startupProbe],
  ] as const) {
    if (probe) text.line(2, `${label}:`, probeText(probe));
  }
  describeEnvironment(text, container);
  describeMounts(text, container);
}

function describeWords(text: TabText, label: string, words: readonly string[] | undefined): void {
  if (!words || words.length === 0) return;
  text.line(2, `${label}:`);
  for (const line of words.flatMap((word) => word.split('\n'))) text.line(3, line);
}

function describeStatus(text: TabText, status: ContainerStatus): void {
  describeState(text, 'State', status.state);
  if (status.lastState && Object.keys(status.lastState).length > 0)
    describeState(text, 'Last State', status.lastState);
  text.line(2, 'Ready:', status.ready ? 'True' : 'False');
  text.line(2, 'Restart Count:', String(status.restartCount));
}

function describeState(text: TabText, label: string, state: ContainerState | undefined): void {
  if (state?.running) {
    text.line(2, `${label}:`, 'Running');
    text.line(3, 'Started:', describeTime(state.running.startedAt));
  } else if (state?.terminated) {
    const { reason, message, exitCode, signal, startedAt, finishedAt } = state.terminated;
    text.line(2, `${label}:`, 'Terminated');
    if (reason) text.line(3, 'Reason:', reason);
    if (message) text.line(3, 'Message:', message);
    text.line(3, 'Exit Code:', String(exitCode));
    if (signal) text.line(3, 'Signal:', String(signal));
    text.line(3, 'Started:', describeTime(startedAt));
    text.line(3, 'Finished:', describeTime(finishedAt));
  } else {
    text.line(2, `${label}:`, 'Waiting');
    if (state?.waiting?.reason) text.line(3, 'Reason:', state.waiting.reason);
    if (state?.waiting?.message) text.line(3, 'Message:', state.waiting.message);
  }
}

/** Resources and their quantities. */
export function describeQuantities(
  text: TabText,
  label: string,
  quantities: Readonly<Record<string, string>> | undefined,
): void {
  const entries = Object.entries(quantities ?? {});
  if (entries.length === 0) return;
  text.line(2, `${label}:`);
  for (const [name, quantity] of entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    text.line(3, `${name}:`, quantity);
}

function probeText(probe: Probe): string {
  const { exec, httpGet, tcpSocket, grpc } = probe;
  const what = exec
    ? `exec [${(exec.command ?? []).join(' ')}]`
    : httpGet
      ? `http-get ${(httpGet.scheme ?? 'HTTP').toLowerCase()}://${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? ''}`
      : tcpSocket
        ? `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port}`
        : grpc
          ? `grpc <pod>:${grpc.port} ${grpc.service ?? ''}`
          : 'unknown';
  const { initialDelaySeconds = 0, timeoutSeconds = 1, periodSeconds = 10 } = probe;
  const { successThreshold = 1, failureThreshold = 3 } = probe;
  return `${what} delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
}

function describeEnvironment(text: TabText, { envFrom = [], env = [] }: Container): void {
  if (envFrom.length > 0) text.line(2, 'Environment Variables from:');
  for (const { configMapRef, secretRef, prefix } of envFrom) {
    const source = configMapRef ?? secretRef;
    const kind = configMapRef ? 'ConfigMap' : 'Secret';
    const withPrefix = prefix ? ` with prefix '${prefix}'` : '';
    text.line(3, source?.name ?? '', `${kind}${withPrefix}`, `Optional: ${source?.optional === true}`);
  }
  if (env.length === 0) {
    text.line(2, 'Environment:', '<none>');
    return;
  }
  text.line(2, 'Environment:');
  for (const variable of env) {
    const [first = '', ...rest] = variableText(variable).split('\n');
    text.line(3, `${variable.name}:`, first);
    for (const line of rest) text.line(3, '', line);
  }
}

function variableText({ value, valueFrom }: EnvVar): string {
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom ?? {};
  if (fieldRef) return ` (${fieldRef.apiVersion ?? 'v1'}:${fieldRef.fieldPath})`;
  if (resourceFieldRef) return ` (${resourceFieldRef.resource})`;
  if (secretKeyRef)
    return `<set to the key '${secretKeyRef.key}' in secret '${secretKeyRef.name}'>  Optional: ${secretKeyRef.optional === true}`;
  if (configMapKeyRef)
    return `<set to the key '${configMapKeyRef.key}' of config map '${configMapKeyRef.name}'>  Optional: ${configMapKeyRef.optional === true}`;
  return value ?? '';
}

function describeMounts(text: TabText, { volumeMounts = [] }: Container): void {
  if (volumeMounts.length === 0) {
    text.line(2, 'Mounts:', '<none>');
    return;
  }
  text.line(2, 'Mounts:');
  for (const mount of volumeMounts.toSorted((a, b) => (a.mountPath < b.mountPath ? -1 : 1))) {
    const flags = [mount.readOnly ? 'ro' : 'rw', ...(mount.subPath ? [`path="${mount.subPath}"`] : [])];
    text.line(3, `${mount.mountPath} from ${mount.name} (${flags.join(',')})`);
  }
}
