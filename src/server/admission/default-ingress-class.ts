import { ingressclasses, ingresses, type Ingress } from '../../api/networking/v1.gen.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { isCreationOf, newestClass } from './default-class.ts';
import type { Lookup } from './lookup.ts';

const isDefaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';
const classAnnotation = 'kubernetes.io/ingress.class';

/** An ingress that names no class gets the default one (upstream's DefaultIngressClass). */
export function defaultIngressClass(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    admit(request) {
      if (!isCreationOf(ingresses, request)) return;
      const ingress = request.object as DeepMutable<Ingress>;
      if (ingress.spec.ingressClassName !== undefined) return;
      if (ingress.metadata.annotations?.[classAnnotation] !== undefined) return;
      const chosen = newestClass(
        lookup.list(ingressclasses),
        ({ metadata }) => metadata.annotations?.[isDefaultAnnotation] === 'true',
      );
      if (chosen) ingress.spec.ingressClassName = chosen.metadata.name;
    },
  };
}
