import type { KubeObject } from '../../../machinery/object.ts';
import type { ResourceList } from '../pod-spec/quantities.ts';
import type { Service } from '../v1.gen.ts';
import type { QuotaEvaluator } from './quota-evaluator.ts';

const names = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers']);

function usage(object: KubeObject): ResourceList {
  const { type, ports = [], allocateLoadBalancerNodePorts } = (object as Service).spec;
  const one = { 'count/services': '1', services: '1' };
  if (type === 'NodePort') return { ...one, 'services.nodeports': String(ports.length) };
  if (type !== 'LoadBalancer') return one;
  const nodePorts =
    allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => nodePort) : ports;
  return { ...one, 'services.nodeports': String(nodePorts.length), 'services.loadbalancers': '1' };
}

/** Services, the node ports they take and the load balancers they ask for. */
export const serviceEvaluator: QuotaEvaluator = {
  charges: (operation, subresource) =>
    (operation === 'CREATE' || operation === 'UPDATE') && subresource === '',
  counts: (name) => names.has(name),
  usage,
};
