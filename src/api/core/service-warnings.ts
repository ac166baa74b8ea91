import type { Service } from './v1.gen.ts';

/** Upstream's warnings about services. */
export function serviceWarnings(service: Service): string[] {
  const warnings: string[] = [];
  if (service.spec.sessionAffinity === 'ClientIP' && service.spec.clusterIP === 'None') {
    warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  return warnings;
}
