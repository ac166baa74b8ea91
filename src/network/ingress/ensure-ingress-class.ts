import { ingressclasses } from '../../api/networking/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { ingressController } from './plan-ingresses.ts';

/** On the class: where this machine reaches its Ingresses. */
export const urlsAnnotation: string = 'kanoe.io/urls';

/** The class of Ingresses that are served here, by default of those that name none. Made when absent and then left alone. */
export async function ensureIngressClass(client: Client): Promise<void> {
  try {
    await client.for(ingressclasses).create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'kanoe', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: ingressController },
    });
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}
