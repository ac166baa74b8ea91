import type { Service, ServicePort } from '../../api/core/v1.gen.ts';
import type { EndpointSlice } from '../../api/discovery/v1.gen.ts';
import { formatLabels } from '../format-labels.ts';
import { describeLabels } from './describe-metadata.ts';
import type { TabText } from './tab-text.ts';

/** A service as `kubectl describe` shows it, with the endpoints of its slices. */
export function describeService(text: TabText, service: Service, slices: readonly EndpointSlice[]): void {
  const { metadata, spec, status } = service;
  text.line(0, 'Name:', metadata.name ?? '');
  text.line(0, 'Namespace:', metadata.namespace ?? '');
  describeLabels(text, service);
  text.line(0, 'Selector:', formatLabels(spec?.selector));
  text.line(0, 'Type:', spec?.type ?? '');
  text.line(0, 'IP Family Policy:', spec?.ipFamilyPolicy ?? '<none>');
  text.line(0, 'IP Families:', spec?.ipFamilies?.join(',') ?? '<none>');
  text.line(0, 'IP:', spec?.clusterIP ?? '');
  text.line(0, 'IPs:', spec?.clusterIPs?.join(',') ?? '<none>');
  if (spec?.externalIPs?.length) text.line(0, 'External IPs:', spec.externalIPs.join(','));
  if (spec?.externalName) text.line(0, 'External Name:', spec.externalName);
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  if (ingress.length > 0) text.line(0, 'LoadBalancer Ingress:', ingress.join(', '));
  for (const port of spec?.ports ?? []) describePort(text, port, slices);
  text.line(0, 'Session Affinity:', spec?.sessionAffinity ?? 'None');
  if (spec?.externalTrafficPolicy) text.line(0, 'External Traffic Policy:', spec.externalTrafficPolicy);
  if (spec?.internalTrafficPolicy) text.line(0, 'Internal Traffic Policy:', spec.internalTrafficPolicy);
}

function describePort(text: TabText, port: ServicePort, slices: readonly EndpointSlice[]): void {
  const { name = '<unset>', protocol = 'TCP', nodePort } = port;
  text.line(0, 'Port:', name, `${port.port}/${protocol}`);
  text.line(0, 'TargetPort:', `${port.targetPort ?? port.port}/${protocol}`);
  if (nodePort) text.line(0, 'NodePort:', name, `${nodePort}/${protocol}`);
  text.line(0, 'Endpoints:', endpointsText(port, slices));
}

const shownEndpoints = 3;

function endpointsText({ name = '' }: ServicePort, slices: readonly EndpointSlice[]): string {
  const found = slices.flatMap(({ endpoints, ports }) =>
    ports
      .filter((port) => (port.name ?? '') === name)
      .flatMap(({ port }) =>
        endpoints
          .filter(({ conditions }) => conditions?.ready !== false)
          .flatMap(({ addresses }) => addresses.map((address) => `${address}:${port ?? ''}`)),
      ),
  );
  const shown = found.toSorted().slice(0, shownEndpoints).join(',');
  const more = found.length - shownEndpoints;
  return more > 0 ? `${shown} + ${more} more...` : shown;
}
