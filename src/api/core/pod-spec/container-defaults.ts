import type { DeepMutable } from '../../../machinery/object.ts';
import type { Container, LifecycleHandler, Probe } from '../v1.gen.ts';
import { defaultPullPolicy } from './image-reference.ts';
import { roundResources } from './resource-rounding.ts';

function defaultHandler(handler: DeepMutable<Pick<LifecycleHandler, 'httpGet'>> | undefined): void {
  const action = handler?.httpGet;
  if (!action) return;
  action.path ||= '/';
  action.scheme ||= 'HTTP';
  action.port ??= 0;
}

function defaultProbe(probe: DeepMutable<Probe> | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHandler(probe);
  if (probe.grpc) probe.grpc.service ??= '';
}

/** Sets the defaults of one container of any kind (regular, init, ephemeral). */
export function defaultContainer(container: DeepMutable<Container>): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? '');
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.resources ??= {};
  roundResources(container.resources.limits);
  roundResources(container.resources.requests);
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const variable of container.env ?? []) {
    const source = variable.valueFrom;
    if (source?.fieldRef) source.fieldRef.apiVersion ||= 'v1';
    if (source?.resourceFieldRef) source.resourceFieldRef.divisor ??= '0';
    if (source?.fileKeyRef) source.fileKeyRef.optional ??= false;
  }
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}
