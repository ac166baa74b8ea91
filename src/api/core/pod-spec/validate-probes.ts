import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/field-error.ts';
import {
  httpHeaderNameErrors,
  portNameErrors,
  portNumberErrors,
} from '../../../machinery/validation/names.ts';
import type { Container, HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from '../v1.gen.ts';
import { invalidEach, nonNegative } from './invalid-each.ts';
import type { PodValidation } from './pod-validation.ts';

/** A port given as a number or as the name of a container's port. */
export function validatePortNumberOrName(port: number | string | undefined, field: string): FieldError[] {
  if (typeof port === 'string') return invalidEach(field, port, portNameErrors(port));
  return invalidEach(field, port ?? 0, portNumberErrors(port ?? 0));
}

function validateHttpGet(action: HTTPGetAction, field: string): FieldError[] {
  const errors = action.path ? [] : [required(`${field}.path`)];
  errors.push(...validatePortNumberOrName(action.port, `${field}.port`));
  const scheme: string = action.scheme ?? '';
  if (!['HTTP', 'HTTPS'].includes(scheme)) {
    errors.push(notSupported(`${field}.scheme`, scheme, ['HTTP', 'HTTPS']));
  }
  for (const { name } of action.httpHeaders ?? []) {
    errors.push(...invalidEach(`${field}.httpHeaders`, name, httpHeaderNameErrors(name)));
  }
  return errors;
}

function validateSleep(seconds: number, field: string, { gracePeriod }: PodValidation): FieldError[] {
  if (gracePeriod === undefined || (seconds >= 0 && seconds <= gracePeriod)) return [];
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`;
  return [invalid(field, seconds, detail)];
}

function validateHandler(
  handler: Pick<Probe, 'grpc'> & LifecycleHandler,
  field: string,
  pod: PodValidation,
): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const given: [string, FieldError[]][] = [];
  if (exec) given.push(['exec', exec.command?.length ? [] : [required(`${field}.exec.command`)]]);
  if (httpGet) given.push(['httpGet', validateHttpGet(httpGet, `${field}.httpGet`)]);
  if (tcpSocket) {
    given.push(['tcpSocket', validatePortNumberOrName(tcpSocket.port, `${field}.tcpSocket.port`)]);
  }
  if (grpc) given.push(['grpc', validatePortNumberOrName(grpc.port, `${field}.grpc.port`)]);
  if (sleep) given.push(['sleep', validateSleep(sleep.seconds, `${field}.sleep`, pod)]);
  if (given.length === 0) return [required(field, 'must specify a handler type')];
  return given.flatMap(([name, errors], index) =>
    index === 0 ? errors : [forbidden(`${field}.${name}`, 'may not specify more than 1 handler type')],
  );
}

function validateProbe(probe: Probe, field: string, pod: PodValidation): FieldError[] {
  const errors = validateHandler(probe, field, pod);
  for (const name of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    errors.push(...nonNegative(`${field}.${name}`, probe[name] ?? 0));
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    errors.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
  return errors;
}

function validateOneSuccess(probe: Probe | undefined, field: string, pod: PodValidation): FieldError[] {
  if (!probe) return [];
  const errors = validateProbe(probe, field, pod);
  const { successThreshold = 0 } = probe;
  if (successThreshold !== 1)
    errors.push(invalid(`${field}.successThreshold`, successThreshold, 'must be 1'));
  return errors;
}

function validateReadiness(probe: Probe | undefined, field: string, pod: PodValidation): FieldError[] {
  if (!probe) return [];
  const errors = validateProbe(probe, field, pod);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined) {
    const detail = 'must not be set for readinessProbes';
    errors.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, detail));
  }
  return errors;
}

function validateLifecycle(lifecycle: Lifecycle, field: string, pod: PodValidation): FieldError[] {
  const errors: FieldError[] = [];
  const { postStart, preStop } = lifecycle;
  if (postStart) errors.push(...validateHandler(postStart, `${field}.postStart`, pod));
  if (preStop) errors.push(...validateHandler(preStop, `${field}.preStop`, pod));
  if (lifecycle.stopSignal !== undefined)
    errors.push(...validateStopSignal(lifecycle.stopSignal, `${field}.stopSignal`, pod.os));
  return errors;
}

const linuxSignals: readonly string[] = [
  ...'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'.split(
    ' ',
  ),
  ...Array.from({ length: 15 }, (_, index) => `RTMIN+${index + 1}`),
  ...Array.from({ length: 14 }, (_, index) => `RTMAX-${index + 1}`),
]
  .map((name) => `SIG${name}`)
  .sort();

function validateStopSignal(signal: string, field: string, os: string | undefined): FieldError[] {
  if (os === undefined) return [forbidden(field, 'may not be set for containers with empty `spec.os.name`')];
  const known = os === 'windows' ? ['SIGKILL', 'SIGTERM'] : linuxSignals;
  return known.includes(signal) ? [] : [notSupported(field, signal, known)];
}

/** The hooks and probes of a container that may have them: regular ones and sidecars. */
export function validateHooksAndProbes(
  container: Container,
  field: string,
  pod: PodValidation,
): FieldError[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  return [
    ...(lifecycle ? validateLifecycle(lifecycle, `${field}.lifecycle`, pod) : []),
    ...validateOneSuccess(livenessProbe, `${field}.livenessProbe`, pod),
    ...validateReadiness(readinessProbe, `${field}.readinessProbe`, pod),
    ...validateOneSuccess(startupProbe, `${field}.startupProbe`, pod),
  ];
}
