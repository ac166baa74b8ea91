import { type FieldError, forbidden, invalid, notSupported } from '../../machinery/field-error.ts';
import { newBadRequest, newInvalid } from '../../machinery/status/errors.ts';
import type { ConnectTarget } from '../resource.ts';
import { containersWithPaths } from './pod-spec/validate-windows.ts';
import type { Pod } from './v1.gen.ts';

function chooseContainer(pod: Pod, wanted: string): string {
  const { name: podName = '' } = pod.metadata;
  if (wanted) {
    if (containersWithPaths(pod.spec, '').some(([{ name }]) => name === wanted)) return wanted;
    throw newBadRequest(`container ${wanted} is not valid for pod ${podName}`);
  }
  const names = pod.spec.containers.map(({ name }) => name);
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const question = `a container name must be specified for pod ${podName}`;
  if (names.length === 0) throw newBadRequest(question);
  const init = (pod.spec.initContainers ?? []).map(({ name }) => name);
  const others = init.length > 0 ? ` or one of the init containers: [${init.join(' ')}]` : '';
  throw newBadRequest(`${question}, choose one of: [${names.join(' ')}]${others}`);
}

function assignedNode(pod: Pod): string {
  if (pod.spec.nodeName) return pod.spec.nodeName;
  throw newBadRequest(`pod ${pod.metadata.name ?? ''} does not have a host assigned`);
}

function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value.toLowerCase() !== 'false' && value !== '0';
}

function number(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^[+-]?[0-9]+$/.test(text)) return Number(text);
  throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

const streams = ['All', 'Stderr', 'Stdout'];

function validateLogOptions(query: URLSearchParams): FieldError[] {
  const errors: FieldError[] = [];
  const tailLines = number(query, 'tailLines');
  const limitBytes = number(query, 'limitBytes');
  const sinceSeconds = number(query, 'sinceSeconds');
  const stream = query.get('stream') ?? 'All';
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(invalid('tailLines', tailLines, 'must be greater than or equal to 0'));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(invalid('limitBytes', limitBytes, 'must be greater than 0'));
  }
  if (sinceSeconds !== undefined && query.has('sinceTime')) {
    errors.push(forbidden('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalid('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  }
  if (!streams.includes(stream)) errors.push(notSupported('stream', stream, streams));
  if (stream !== 'All' && tailLines !== undefined) {
    errors.push(forbidden('[]', '`tailLines` and specific `stream` are mutually exclusive for now'));
  }
  return errors;
}

/** Where a pod's log is: `/containerLogs/NAMESPACE/POD/CONTAINER`. Throws BadRequest or `Invalid`. */
export function logTarget(pod: Pod, query: URLSearchParams): ConnectTarget {
  const errors = validateLogOptions(query);
  const { namespace = '', name = '' } = pod.metadata;
  if (errors.length > 0) throw newInvalid({ group: '', kind: 'PodLogOptions' }, name, errors);
  const container = chooseContainer(pod, query.get('container') ?? '');
  const forwarded = new URLSearchParams();
  for (const option of ['follow', 'previous', 'timestamps']) {
    if (flag(query, option)) forwarded.set(option, 'true');
  }
  for (const option of ['sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream']) {
    const value = query.get(option);
    if (value !== null) forwarded.set(option, value);
  }
  return {
    nodeName: pod.spec.nodeName ?? '',
    path: `/containerLogs/${namespace}/${name}/${container}`,
    query: forwarded,
  };
}

const kubeletNames: Readonly<Record<string, string>> = {
  stdin: 'input',
  stdout: 'output',
  stderr: 'error',
  tty: 'tty',
};

/** Where commands run and terminals attach, with the kubelet's names of the streams. Throws BadRequest. */
export function streamTarget(kind: 'exec' | 'attach', pod: Pod, query: URLSearchParams): ConnectTarget {
  const container = chooseContainer(pod, query.get('container') ?? '');
  const { namespace = '', name = '' } = pod.metadata;
  const forwarded = new URLSearchParams();
  for (const [option, forwardedAs] of Object.entries(kubeletNames)) {
    if (flag(query, option)) forwarded.set(forwardedAs, '1');
  }
  if (kind === 'exec') for (const word of query.getAll('command')) forwarded.append('command', word);
  return {
    nodeName: assignedNode(pod),
    path: `/${kind}/${namespace}/${name}/${container}`,
    query: forwarded,
  };
}

/** Where a pod's ports are reached. Throws BadRequest. */
export function portForwardTarget(pod: Pod, query: URLSearchParams): ConnectTarget {
  const { namespace = '', name = '' } = pod.metadata;
  const ports = query.getAll('ports').join(',');
  return {
    nodeName: assignedNode(pod),
    path: `/portForward/${namespace}/${name}`,
    query: new URLSearchParams(ports ? { port: ports } : {}),
  };
}
